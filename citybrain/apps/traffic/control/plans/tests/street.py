# SPDX-License-Identifier: Apache-2.0
"""A road with two signals, 300 m apart, and side streets: the entities a field would give."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from citybrain.kernel.records import Because, Entity, Order

NOON = datetime(2026, 5, 11, 4, tzinfo=UTC)  # noon in Beihai, on a Monday that is worked

BLOCK_M = 300.0
SIGNALS = ("urn:s:west", "urn:s:east")


def entity(id: str, kind: str, **attributes: Any) -> Entity:
    return Entity(id=id, type=kind, source="test", observed_at=NOON, attributes=attributes)


def road(name: str, begin: str, end: str, onward: Sequence[str] = (), length_m: float = BLOCK_M) -> list[Entity]:
    id = f"urn:r:{name}"
    facts = {"length": length_m, "maximumAllowedSpeed": 50.0, "fromJunction": begin, "toJunction": end}
    lane = entity(f"urn:l:{name}_0", "RoadLane", road=id, lane=f"{name}_0")
    line = {"type": "LineString", "coordinates": [[0.0, 0.0], [0.001, 0.0]]}
    segment = entity(id, "RoadSegment", **facts, leadsTo=[f"urn:r:{one}" for one in onward])
    return [
        Entity(id=id, type=segment.type, source="test", observed_at=NOON, geometry=line, attributes=segment.attributes),
        lane,
    ]


def signal(id: str, ways: Sequence[tuple[str, str]], stages: Sequence[str]) -> list[Entity]:
    links = [
        {"index": at, "approach": f"{into}_0", "exit": f"{out}_0", "via": "", "crosses": []}
        for at, (into, out) in enumerate(ways)
    ]
    plan = [{"state": stage, "duration_s": 30.0, "shortest_s": 0.0} for stage in stages]
    facts = {"links": links, "stages": list(stages), "min_green_s": [5.0] * len(stages), "plan": plan}
    found = [entity(id, "TrafficSignalController", **facts, yellow_s=3.0, all_red_s=1.0)]
    lanes = dict.fromkeys([("approach", one["approach"]) for one in links] + [("exit", one["exit"]) for one in links])
    for role, lane in lanes:
        facts = {"role": role, "lane": lane, "length_m": BLOCK_M, "range_m": 150.0, "coverage_m": 150.0}
        found.append(entity(f"{id}:{role}:{lane}", "TrafficDetector", **facts, controller=id, speed_limit_mps=13.9))
    return found


STREET = (
    *road("in", "a", "west", ["mid"]),
    *road("mid", "west", "east", ["out"]),
    *road("out", "east", "b"),
    *road("back-in", "b", "east", ["back-mid"]),
    *road("back-mid", "east", "west", ["back-out"]),
    *road("back-out", "west", "a"),
    *road("side-west", "c", "west", ["mid"]),
    *road("side-east", "d", "east", ["out"]),
    *signal(SIGNALS[0], [("in", "mid"), ("back-mid", "back-out"), ("side-west", "mid")], ["GGr", "rrG"]),
    *signal(SIGNALS[1], [("mid", "out"), ("back-in", "back-mid"), ("side-east", "out")], ["GGr", "rrG"]),
)


def order(means: str, parameters: Any = None, entity_id: str = SIGNALS[0]) -> Order:
    return Order(
        id=f"{means} {entity_id}",
        means=means,
        entity_id=entity_id,
        at=NOON,
        because=Because(code="test.asked"),
        parameters=parameters or {},
        by="韩雪",
    )
