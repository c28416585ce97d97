# SPDX-License-Identifier: Apache-2.0
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sumo


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders that PostgreSQL's own account can reach, which pytest's (mode 0700) are not."""
    with tempfile.TemporaryDirectory(prefix="citybrain-") as top:
        Path(top).chmod(0o755)
        yield lambda: Path(tempfile.mkdtemp(dir=top)) / "data"


@pytest.fixture(scope="session")
def unsignalled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration a user might bring: two streets that cross without a signal, and some traffic."""
    folder = tmp_path_factory.mktemp("village")
    program = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"
    net = ("--grid", "--grid.number", "2", "--grid.attach-length", "100", "--default-junction-type", "priority")
    subprocess.run([program, *net, "-o", folder / "village.net.xml"], check=True, capture_output=True)
    (folder / "village.rou.xml").write_text(
        '<routes><flow id="one" begin="0" end="600" period="5" from="bottom0A0" to="A1top0"/></routes>'
    )
    configuration = folder / "village.sumocfg"
    configuration.write_text(
        '<configuration><input><net-file value="village.net.xml"/><route-files value="village.rou.xml"/></input>'
        '<time><begin value="0"/><end value="600"/></time></configuration>'
    )
    return configuration
