# SPDX-License-Identifier: Apache-2.0
"""A signal of the city becomes the plan of an emulated controller."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from citybrain.kernel.controllers.emulating import Blueprint, Made, NoSignal, blueprint, emulation, mapping_file
from citybrain.kernel.records import Entity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = [
    {"state": "GgrG", "duration_s": 29.5, "shortest_s": 5.0},
    {"state": "yyrG", "duration_s": 3.0, "shortest_s": 3.0},
    {"state": "GrrG", "duration_s": 2.0, "shortest_s": 5.0},
    {"state": "rrGG", "duration_s": 20.0, "shortest_s": 5.0},
]
SIGNAL = Entity(
    id="urn:ngsi-ld:TrafficSignalController:a%20b",
    type="TrafficSignalController",
    source="s",
    observed_at=NOON,
    attributes={
        "stages": ["GgrG", "GrrG", "rrGG"],
        "min_green_s": [5.0, 4.2, 5.0],
        "yellow_s": 3.0,
        "all_red_s": 1.5,
        "plan": PLAN,
    },
)


def test_times_are_rounded_up_and_a_green_is_no_shorter_than_its_least() -> None:
    made = blueprint(SIGNAL)
    assert (made.min_green_s, made.yellow_s, made.all_red_s, made.change_s) == ((5, 5, 5), 3, 1.5, 5)
    assert made.cycle == ((0, 30), (1, 5), (2, 20))


def test_lamps_are_driven_in_groups_and_greens_that_give_way_are_said() -> None:
    made = blueprint(SIGNAL)
    assert made.group_of == (1, 2, 3, 4)
    assert made.green_in == (frozenset({0, 1}), frozenset({0}), frozenset({2}), frozenset({0, 1, 2}))
    assert made.yields == ((1, 0),)


def test_what_is_no_signal_is_refused() -> None:
    with pytest.raises(NoSignal):
        blueprint(Entity(id="urn:x", type="Device", source="s", observed_at=NOON))


def test_the_door_says_how_and_the_simulator_where_its_lamps_are(tmp_path: Path) -> None:
    def emulate(signal: Blueprint, path: Path, port: int) -> Made:
        return Made(plan=b"{}", lamps=signal.group_of, mapped={"port": port}, arguments=("some.emulator", str(path)))

    made = emulation(emulate, SIGNAL, tmp_path, number=3, port=21_000)
    assert made.outside == {"signal": "a b", "lamps": (1, 2, 3, 4), "control": "127.0.0.1:21001"}
    assert made.command[-2:] == ["some.emulator", str(tmp_path / "signal-3.json")]
    assert 'name = "signal-3"' in mapping_file([made])
    assert "commands = true" in mapping_file([made])
