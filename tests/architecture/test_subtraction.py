# SPDX-License-Identifier: Apache-2.0
"""Every app and every door can be taken away, and what remains is still a city."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import NOT_OURS, ROOT, parts

WHAT_REMAINS = """
import pkgutil
from importlib import import_module
import citybrain
from citybrain.serve import catalog

for package in ("citybrain.kernel", "citybrain.serve"):
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if ".tests" not in module.name:
            import_module(module.name)
assert catalog.words().of("zh")
print(citybrain.__file__, *sorted(part.name for part in (*catalog.apps(), *catalog.doors())))
"""


def _cases() -> Iterator[tuple[str, list[Path]]]:
    """What is taken away, by name."""
    apps, doors = parts(ROOT, "apps"), parts(ROOT, "doors")
    yield "nothing", []
    yield "all apps", apps
    yield "all doors", doors
    yield "all apps and doors", apps + doors
    yield from ((folder.relative_to(ROOT / "citybrain").as_posix(), [folder]) for folder in apps + doors)


CASES = list(_cases())


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package."""
    copy = tmp_path_factory.mktemp("city")
    shutil.copytree(ROOT / "citybrain", copy / "citybrain", ignore=shutil.ignore_patterns(*NOT_OURS))
    return copy


@pytest.mark.slow
@pytest.mark.parametrize(("what", "folders"), CASES, ids=[what for what, _ in CASES])
def test_the_city_stands_without(what: str, folders: list[Path], city: Path, tmp_path: Path) -> None:
    for folder in folders:
        shutil.move(city / folder.relative_to(ROOT), tmp_path / f"{folder.parent.name}-{folder.name}")
    try:
        done = subprocess.run(
            [sys.executable, "-c", WHAT_REMAINS],
            cwd=city,
            env={"PYTHONPATH": str(city)},
            capture_output=True,
            text=True,
        )
    finally:
        for folder in folders:
            shutil.move(tmp_path / f"{folder.parent.name}-{folder.name}", city / folder.relative_to(ROOT))
    assert done.returncode == 0, f"without {what}:\n{done.stderr}"
    where, *names = done.stdout.split()
    assert Path(where).is_relative_to(city), "the copy was not what ran"
    assert names == sorted(part.name for part in [*parts(ROOT, "apps"), *parts(ROOT, "doors")] if part not in folders)
