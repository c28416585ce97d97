# SPDX-License-Identifier: Apache-2.0
"""A decision is told in words people use: the side, the road, the turn; in both languages."""

from typing import Any

import pytest
from msgspec import structs

from citybrain.apps.traffic.app import APP
from citybrain.apps.traffic.choice.naming import NONE, Names, Turn
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.model import junctions
from citybrain.apps.traffic.tests.test_control import CROSS, EASTERN, NOON, batch, detectors, standing
from citybrain.kernel.i18n import load_words
from citybrain.kernel.records import Entity

WORDS = load_words([APP.folder])

# A lane runs from its first point to its last, in degrees about (0, 0).
LINES = {
    "cross approach n": [(0.0, 0.01), (0.0, 0.001)],
    "cross approach e": [(0.01, 0.0), (0.001, 0.0)],
    "cross exit s": [(0.0, -0.001), (0.0, -0.01)],
    "cross exit w": [(-0.001, 0.0), (-0.01, 0.0)],
}


def drawn(one: Entity) -> Entity:
    return structs.replace(one, geometry={"type": "LineString", "coordinates": LINES[one.id]})


def city() -> list[Entity]:
    facts = {"length": 100.0, "maximumAllowedSpeed": 50.0}
    name = {"zh": "人民路", "en": "Renmin Lu"}
    road = Entity(id="road", type="RoadSegment", source="t", observed_at=NOON, name=name, attributes=facts)
    lane = Entity(id="lane", type="RoadLane", source="t", observed_at=NOON, attributes={"road": "road"})
    heads: list[dict[str, Any]] = [{"links": [0], "lane": "lane"}, {"links": [1], "lane": "nowhere"}]
    signal = structs.replace(CROSS, attributes={**CROSS.attributes, "heads": heads})
    return [signal, road, lane, *map(drawn, detectors(signal))]


def test_an_approach_is_named_after_its_road_and_side() -> None:
    names = Names(city())
    assert names.approach("cross approach n") == {"zh": "人民路北进口", "en": "Renmin Lu from the north"}
    assert names.approach("cross approach e") == {"zh": "东进口", "en": "the approach from the east"}


def test_without_a_drawing_a_lane_has_its_own_name() -> None:
    names = Names([CROSS, *detectors(CROSS)])
    assert names.approach("cross approach n")["en"] == "n"
    assert names.stage(junctions([CROSS, *detectors(CROSS)])[0], 0)["zh"] == "n"


@pytest.mark.parametrize(
    ("into", "out", "turn"),
    [
        ("cross approach n", "cross exit s", Turn.THROUGH),
        ("cross approach n", "cross exit w", Turn.RIGHT),
        ("cross approach e", "cross exit s", Turn.LEFT),
    ],
)
def test_turns_are_as_one_drives(into: str, out: str, turn: Turn) -> None:
    assert Names(city()).turn(into, out) is turn


def test_a_stage_is_named_after_who_has_green() -> None:
    (junction,) = junctions(city())
    names = Names(city())
    assert names.stage(junction, 0) == {"zh": "北直行", "en": "north through"}
    assert names.stage(structs.replace(junction, stages=("rr", "rr")), 1) == NONE


SAID = {
    "zh": "改放 东直行：可放行 3 辆（东进口 最多，3 辆，最长已等 20 秒），放行率 RATE 辆/秒，高于当前的 0 辆/秒；"
    "次选 北直行，0 辆/秒。",
    "en": "Changes to east through: passes 3 vehicles (most at the approach from the east: 3, waiting up to 20 s) "
    "at RATE per second, against 0 now; second best north through at 0.",
}


@pytest.mark.parametrize(("lang", "sentence"), SAID.items())
def test_a_decision_is_one_sentence_of_facts(lang: str, sentence: str) -> None:
    entities = city()
    control = SignalControl(entities)
    orders = [
        order
        for second in range(6)
        for order in control(batch(entities, {"cross": "Gr"}, {EASTERN: standing(3)}, second=second), (), ())
    ]
    because = orders[0].because
    assert WORDS.sentence(because.code, because.facts, lang) == sentence.replace(
        "RATE", f"{because.facts['stage_rate']}"
    )


def test_resting_with_nobody_there_is_no_victory() -> None:
    entities = city()
    control = SignalControl(entities)
    orders = [
        order for second in range(6) for order in control(batch(entities, {"cross": "Gr"}, {}, second=second), (), ())
    ]
    assert orders[0].because.code == "traffic.stage_rests"
    assert "{" not in WORDS.sentence(orders[0].because.code, orders[0].because.facts, "zh")
