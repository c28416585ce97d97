# SPDX-License-Identifier: Apache-2.0
"""Which alarms count as what, in the figures of incident detection."""

from typing import Any

import pytest

from bench.detection.plan import Case
from bench.detection.runs import Alarm, Result
from bench.detection.score import count, verdicts

ROADS = {"a": ["b"], "b": ["c"], "c": ["d"], "d": ["e"], "e": []}


def road(name: str) -> str:
    return f"urn:ngsi-ld:RoadSegment:{name}"


def incident(kind: str, place: str, **facts: Any) -> dict[str, Any]:
    usual = {"begin_s": 1000.0, "end_s": 1500.0, "in_sight": True, "passed": 9}
    return {"kind": kind, "entity_id": place, **usual, **facts}


def alarm(kind: str, place: str, at_s: float, **facts: Any) -> Alarm:
    usual: dict[str, Any] = {"ended_s": None, "roads": [], "detectors": []}
    return Alarm(kind=f"traffic.{kind}", entity_id=place, at_s=at_s, **{**usual, **facts})


def result(truth: dict[str, Any], jams: dict[str, list[int]] | None = None) -> Result:
    onward = {road(name): [road(one) for one in after] for name, after in ROADS.items()}
    case = Case(net="test", seed=1, demand=1.0)
    return Result(case=case, truth=[truth], alarms=[], baseline=[], jams=jams or {}, onward=onward, links=5, hours=1.0)


# fmt: off
ALARMS = [
    (alarm("blocked_lane", road("c"), 1040.0),    40.0, "found", "the right kind on the road"),
    (alarm("stopped_vehicle", road("b"), 1060.0), 60.0, "found", "on the road before it"),
    (alarm("blocked_lane", road("c"), 990.0),     None, "false", "before it happened"),
    (alarm("blocked_lane", road("e"), 1040.0),    None, "signs", "two junctions away"),
    (alarm("spillback", road("a"), 1700.0),       None, "signs", "a queue of it that is still there"),
    (alarm("spillback", road("a"), 1900.0),       None, "false", "long after it, and no jam"),
    (alarm("congestion", road("a"), 3000.0),      None, "jams",  "a jam that really was"),
]
# fmt: on


@pytest.mark.parametrize(("told", "found_s", "what", "why"), ALARMS)
def test_every_alarm_is_one_of_four(told: Alarm, found_s: float | None, what: str, why: str) -> None:
    run = result(incident("breakdown", road("c")), {road("a"): [2950]})
    assert [one.found_s for one in verdicts(run, [told])] == [found_s], why
    counted = count(run, [told])
    numbers = {
        "found": counted.found,
        "signs": counted.signs,
        "jams": counted.jams,
        "false": sum(counted.false.values()),
    }
    assert numbers == {**dict.fromkeys(numbers, 0), what: 1}, why


def test_a_sensor_is_found_when_it_is_told_of_and_not_when_the_event_of_its_signal_began() -> None:
    name = "urn:ngsi-ld:TrafficDetector:s:exit:x_0"
    told = alarm("sensor_doubted", "s", 400.0, detectors=[name], joined=[("another", 400.0), (name, 1012.0)])
    assert [one.found_s for one in verdicts(result(incident("sensor_dark", name)), [told])] == [12.0]


def test_an_incident_that_nobody_drove_by_is_left_out_and_one_that_never_began_too() -> None:
    assert not verdicts(result(incident("crash", road("c"), passed=0)), [])
    assert not verdicts(result(incident("crash", road("c"), begin_s=None)), [])
    assert len(verdicts(result(incident("closure", road("c"), passed=0)), [])) == 1


def surge(**facts: Any) -> dict[str, Any]:
    return incident("surge", road("a"), feeds=[road("a"), road("c")], harms=True, **facts)


# fmt: off
JAMS = [
    (alarm("congestion", road("c"), 1090.0), 90.0, "a jam on a road that it feeds"),
    (alarm("spillback", road("b"), 1090.0),  None, "on a road on which none of its vehicles were"),
    (alarm("congestion", road("c"), 1501.0), None, "after it"),
]
# fmt: on


@pytest.mark.parametrize(("told", "found_s", "why"), JAMS)
def test_a_surge_is_found_by_the_jam_that_it_makes(told: Alarm, found_s: float | None, why: str) -> None:
    assert [one.found_s for one in verdicts(result(surge()), [told])] == [found_s], why


def test_a_surge_without_harm_need_not_be_told_and_telling_it_is_not_false() -> None:
    run = result(surge() | {"harms": False})
    told = alarm("surge", road("a"), 1200.0)
    assert not verdicts(run, [told])
    assert not count(run, [told]).false


@pytest.mark.parametrize(("reached", "counts"), [(0, False), (1, True)])
def test_a_frozen_detector_counts_once_somebody_came_whom_it_did_not_show(reached: int, counts: bool) -> None:
    run = result(incident("sensor_frozen", "urn:ngsi-ld:TrafficDetector:s:exit:c_0", reached=reached))
    assert bool(verdicts(run, [])) is counts
