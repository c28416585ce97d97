# SPDX-License-Identifier: Apache-2.0
"""Two cities to test on: a crossing of two named streets in Beihai, built here, and Cologne's one signal."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sumo

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import Opening, Scenario

BEGINS_AT = datetime(2026, 1, 1, 8, tzinfo=UTC)

BIN = Path(sumo.SUMO_HOME) / "bin"

NODES = """<nodes>
  <node id="west" x="109.117" y="21.480"/><node id="east" x="109.123" y="21.480"/>
  <node id="south" x="109.120" y="21.477"/><node id="north" x="109.120" y="21.483"/>
  <node id="middle" x="109.120" y="21.480" type="traffic_light"/>
</nodes>"""

EDGES = """<edges>
  <edge id="in#west" from="west" to="middle" numLanes="2" speed="13.89" name="北海大道"/>
  <edge id="in#east" from="east" to="middle" numLanes="2" speed="13.89" name="北海大道"/>
  <edge id="in#south" from="south" to="middle" numLanes="1" speed="11.11" name="四川路"/>
  <edge id="in#north" from="north" to="middle" numLanes="1" speed="11.11" name="四川路"/>
  <edge id="out#west" from="middle" to="west" numLanes="2" speed="13.89" name="北海大道"/>
  <edge id="out#east" from="middle" to="east" numLanes="2" speed="13.89" name="北海大道"/>
  <edge id="out#south" from="middle" to="south" numLanes="1" speed="11.11" name="四川路"/>
  <edge id="out#north" from="middle" to="north" numLanes="1" speed="11.11" name="四川路"/>
  <edge id="walk" from="middle" to="north" numLanes="1" speed="1.5" allow="pedestrian"/>
</edges>"""

ROUTES = """<routes>
  <flow id="we" from="in#west" to="out#east" begin="0" end="300" period="4"/>
  <flow id="ew" from="in#east" to="out#west" begin="0" end="300" period="5"/>
  <flow id="sn" from="in#south" to="out#north" begin="0" end="300" period="6"/>
  <flow id="ns" from="in#north" to="out#east" begin="0" end="300" period="9"/>
</routes>"""

CONFIGURATION = """<sumoConfiguration>
  <input><net-file value="crossing.net.xml"/><route-files value="crossing.rou.xml"/></input>
  <time><begin value="0"/><end value="300"/></time>
  <output><tripinfo-output value="theirs.xml"/></output>
</sumoConfiguration>"""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A city as its files say; they are named after their folder."""

    nodes: str
    edges: str
    routes: str
    configuration: str


def build(folder: Path, city: Built, *options: str) -> None:
    """Write the files of a city into a folder, its net built by netconvert."""
    name = folder.name.rstrip("0123456789")
    for ending, text in (("nod.xml", city.nodes), ("edg.xml", city.edges), ("rou.xml", city.routes)):
        (folder / f"{name}.{ending}").write_text(text)
    (folder / f"{name}.sumocfg").write_text(city.configuration)
    files = ["-n", f"{name}.nod.xml", "-e", f"{name}.edg.xml", "-o", f"{name}.net.xml"]
    subprocess.run([BIN / "netconvert", *files, *options], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def crossing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the configuration of the crossing, its net built by netconvert."""
    folder = tmp_path_factory.mktemp("crossing")
    build(folder, Built(nodes=NODES, edges=EDGES, routes=ROUTES, configuration=CONFIGURATION), "--proj.utm")
    return folder


@pytest.fixture(scope="session")
def crossing(crossing_folder: Path) -> Scenario:
    """The crossing, 300 seconds."""
    return scenario.find(str(crossing_folder))


@pytest.fixture(scope="session")
def cologne() -> Scenario:
    """Cologne's one signal, 07 to 08 h."""
    return scenario.find("cologne1")


@pytest.fixture
def opened() -> Iterator[Callable[..., SumoField]]:
    """Opens fields in this process, which can have one at a time; closes and judges them after the test."""
    fields: list[SumoField] = []

    def open_field(
        found: Scenario, *, obey: bool = False, seed: int = 1, state_path: str | None = None, **options: Any
    ) -> SumoField:
        opening = Opening(
            scenario=found, seed=seed, begins_at=BEGINS_AT, obey=obey, state_path=state_path, options=options
        )
        fields.append(SumoField(opening))
        return fields[-1]

    yield open_field
    for field in fields:
        field.close()
    broken = [field.checked()["first_violations"] for field in fields if field.checked()["violations"]]
    assert not broken, "the checker of lamp states found what may never be"


def plain_sumo(found: Scenario, folder: Path, *, seed: int = 1) -> Path:
    """Run the sumo program itself on the scenario's own configuration; its trips."""
    trips = folder / "plain.xml"
    options = ["--time-to-teleport", "-1", "--seed", str(seed), "--no-step-log", "--no-warnings", "--precision", "6"]
    written = ["--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted"]
    command = [str(BIN / "sumo"), "-c", found.path, *options, "--tripinfo-output", str(trips), *written]
    subprocess.run(command, check=True, capture_output=True)
    return trips
