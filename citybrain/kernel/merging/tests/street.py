# SPDX-License-Identifier: Apache-2.0
"""A straight street of five roads from west to east, a signal at the end of the second, and events on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from citybrain.kernel.records import Because, Entity, Event, Severity

DAWN = datetime(2026, 3, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP_DEG = 0.002
CRASH, JAM, SPILL = "street.crash", "street.jam", "street.spill"


def _thing(id: str, type: str, lon: float, **attributes: Any) -> Entity:
    line = {"type": "LineString", "coordinates": [[lon, 48.0], [lon + STEP_DEG, 48.0]]}
    return Entity(id=id, type=type, source="test", observed_at=DAWN, geometry=line, attributes=attributes)


ROADS = tuple(f"road{number}" for number in range(5))
STREET = (
    *(
        _thing(
            road,
            "RoadSegment",
            11.0 + number * STEP_DEG,
            length=150.0,
            maximumAllowedSpeed=50.0,
            totalLaneNumber=1,
            fromJunction=f"j{number}",
            toJunction=f"j{number + 1}",
            leadsTo=list(ROADS[number + 1 : number + 2]),
        )
        for number, road in enumerate(ROADS)
    ),
    *(
        _thing(f"{road}lane", "RoadLane", 11.0 + number * STEP_DEG, road=road, lane=f"{road}_0")
        for number, road in enumerate(ROADS)
    ),
    _thing(
        "signal", "TrafficSignalController", 11.0 + 2 * STEP_DEG, links=[{"approach": "road1_0", "exit": "road2_0"}]
    ),
    _thing("j2", "RoadJunction", 11.0 + 2 * STEP_DEG),
    _thing("loop3", "TrafficDetector", 11.0 + 3 * STEP_DEG, lane="road3_0"),
)


def at(seconds: float) -> datetime:
    """So many seconds after dawn."""
    return DAWN + timedelta(seconds=seconds)


def event(id: str, kind: str, entity_id: str, seconds: float, **more: Any) -> Event:
    """An event that begins so many seconds after dawn; `ended` are seconds too."""
    ended = more.pop("ended", None)
    return Event(
        id=id,
        kind=kind,
        severity=more.pop("severity", Severity.III),
        at=at(seconds),
        entity_id=entity_id,
        because=Because(code="x", batch_id=f"batch-{id}"),
        ended_at=None if ended is None else at(ended),
        **more,
    )
