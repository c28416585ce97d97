# SPDX-License-Identifier: Apache-2.0
"""The nets of the literature come over whole, where a folder beside the repository has them: they are not ours."""

from pathlib import Path

import pytest
import sumolib

from citybrain.doors.sumo.importing import cityflow
from citybrain.doors.sumo.importing.tests.conftest import wish
from citybrain.kernel.importing import Level

REPOSITORY = Path(__file__).resolve().parents[5]

NETS = [("hangzhou_4x4", 16, 80, 2983), ("jinan_3x4", 12, 62, 6295)]


@pytest.mark.parametrize(("name", "signals", "roads", "vehicles"), NETS)
def test_a_net_of_the_literature_comes_over_whole(name: str, signals: int, roads: int, vehicles: int) -> None:
    folder = next(REPOSITORY.parent.glob(f"*/data/traffic/{name}"), None)
    if folder is None:
        pytest.skip(f"no data/traffic/{name} in a folder beside the repository")
    report = cityflow.run(wish(folder / "roadnet.json", folder / "flow_1.json", name=name, attribution="MIT"))
    assert [one.code for one in report.findings if one.level is not Level.NOTE] == ["sumo.import_no_place"]
    figures = report.figures
    assert (figures["signals_to_control"], figures["roads"], figures["vehicles"]) == (signals, roads, vehicles)
    net = sumolib.net.readNet(f"{report.folder}/city.net.xml", withPrograms=True)
    for light in net.getTrafficLights():
        phases = next(iter(light.getPrograms().values())).getPhases()
        assert [phase.duration for phase in phases] == [30, 3, 2] * 8
        assert len(light.getLinks()) == 12
