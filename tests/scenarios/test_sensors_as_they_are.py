# SPDX-License-Identifier: Apache-2.0
"""Sensors fail in the whole loop: the right doubt in time, no wrong lamp, and the brain comes back by itself."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import pytest

from citybrain.doors.sumo.scenario import installed
from citybrain.kernel.loop import Loop
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN, Task, opening_of
from tests.scenarios.streets import alone

pytestmark = pytest.mark.skipif("cologne1" not in {one.id for one in installed()}, reason="scenarios not installed")

FROM_S, UNTIL_S, SECONDS = 300, 420, 570
SIGNAL = "GS_cluster_357187_359543"
SOUTH_EYE = "urn:ngsi-ld:TrafficDetector:GS_cluster_357187_359543:approach:28198821%233_1"
SOUTH, OTHERS = "28198821#3_1", ("28198821#3_0", "27115123#3_0", "27115123#3_1")


class Told(msgspec.Struct, kw_only=True):
    """What one run came to: each doubt with its second, who gave the orders of each second, and the checker.

    `in_sight`: the seconds in which the detector of the lane `SOUTH` saw somebody.
    """

    doubts: list[tuple[int, str, Mapping[str, int], bool]] = []
    steered: list[tuple[int, str]] = []
    modes: list[str] = []
    in_sight: list[int] = []
    violations: int = 0


def drive(options: Mapping[str, Any]) -> Told:
    """The first minutes of Cologne's signal under the brain."""
    found = scenarios.find("cologne1")
    begin = scenarios.door_of(found.door).open
    assert begin is not None
    field = begin(opening_of(Task(door=found.door, scenario=found.scenario, arm=BRAIN, seed=1, options=options)))
    told = Told()
    try:
        loop = Loop(catalog.apps(), field.entities(), arm=BRAIN, decide=True)
        step = loop.step(field.step(()))
        for second in range(2, SECONDS):
            step = loop.step(field.step(step.abroad))
            told.doubts += [
                (second, event.entity_id, event.evidence["troubles"], event.ended_at is not None)
                for event in step.events
                if event.kind == "traffic.sensor_doubted"
            ]
            told.steered += [(second, order.because.code) for order in step.orders]
            if len(step.frame.batch.by_entity("tracks").get(SOUTH_EYE, ())):
                told.in_sight.append(second)
            told.modes += [c.values[0] for c in step.frame.batch.columns if c.attribute == "controlMode"]
        told.violations = int(field.summary()["violations"])
    finally:
        field.close()
    return told


def run(**options: Any) -> Told:
    """In a process of its own: there can be but one street in each."""
    told: Told = alone(drive, options)
    return told


@cache
def sound() -> Told:
    """The run in which nothing fails."""
    return run()


def fault(kind: str, lane: str, from_s: int = FROM_S, until_s: int = UNTIL_S) -> dict[str, Any]:
    return {"kind": kind, "detector": f"{SIGNAL}:approach:{lane}", "from_s": from_s, "until_s": until_s}


# fmt: off
FAULTS = [
    ("dark",          "silent",        20),
    ("frozen",        "frozen",        30),
    ("jumping",       "jumping",       30),
    ("contradictory", "contradictory", 20),
]
# fmt: on


@pytest.mark.parametrize(("kind", "trouble", "within_s"), FAULTS)
def test_a_detector_that_fails_is_doubted_told_and_believed_again(kind: str, trouble: str, within_s: int) -> None:
    # An empty picture that stands still looks like an empty road: it fails while somebody is there to be missed.
    from_s = next(second for second in sound().in_sight if second >= FROM_S)
    until_s = from_s + UNTIL_S - FROM_S
    told = run(faults=[fault(kind, SOUTH, from_s, until_s)])
    (second, signal, troubles, _), *_, (healed, _, _, has_ended) = told.doubts
    assert signal.endswith(SIGNAL)
    assert 0 <= second - from_s <= within_s
    assert {name for name, count in troubles.items() if count} == {trouble}
    assert has_ended
    assert healed - until_s <= 60
    assert all(code.startswith("traffic.stage_") for _, code in told.steered), "one blind lane of eight: the brain"
    assert told.violations == 0


def test_a_sound_hour_begins_without_any_doubt() -> None:
    told = sound()
    assert told.doubts == []
    assert told.violations == 0


def test_with_half_of_the_approaches_dark_the_signal_is_actuated_and_the_brain_returns() -> None:
    told = run(faults=[fault("dark", lane) for lane in (SOUTH, *OTHERS)])
    codes = {code for second, code in told.steered if FROM_S + 10 < second < UNTIL_S}
    assert codes == {"traffic.steered_by_actuated"}
    assert told.steered[-1][1].startswith("traffic.stage_")
    assert told.violations == 0


def test_with_every_detector_dark_the_shipped_plan_runs_and_the_brain_returns() -> None:
    told = run(faults=[{"kind": "dark", "share": 1.0, "from_s": FROM_S, "until_s": UNTIL_S}])
    assert set(told.modes[FROM_S + 5 : UNTIL_S - 5]) == {"plan"}
    assert told.modes[-1] == "brain"
    assert told.violations == 0


@pytest.mark.parametrize("options", [{"sensors": "loops"}, {"missed": 0.15, "noise_m": 3.0}, {"dead": 0.3}])
def test_no_lamp_shows_what_it_may_not_with_poor_sensors(options: Mapping[str, Any]) -> None:
    told = run(**options)
    assert told.violations == 0
    assert told.steered
