# SPDX-License-Identifier: Apache-2.0
"""Which alarms of traffic are signs of another one, and which need somebody of their own."""

from datetime import timedelta

import msgspec
import pytest

from citybrain.apps.traffic.detect.incidents import MERGES
from citybrain.kernel.merging import Merging
from citybrain.kernel.records import Because, Event, Severity

from .street import NOON
from .test_incidents import CITY

STREET = [msgspec.structs.replace(one, attributes={**one.attributes, "maximumAllowedSpeed": 50.0}) for one in CITY]


def event(kind: str, road: str, second: int) -> Event:
    because = Because(code=f"traffic.{kind}", batch_id="b")
    at = NOON + timedelta(seconds=second)
    return Event(
        id=f"{kind} {road} {second}",
        kind=f"traffic.{kind}",
        severity=Severity.III,
        at=at,
        entity_id=road,
        because=because,
    )


# fmt: off
SECOND = [
    ("blocked_lane",    "in",     300, True,  "another lane of the same road: who is sent finds it"),
    ("stopped_vehicle", "before", 60,  True,  "at once, on the road on which the queue would grow"),
    ("stopped_vehicle", "before", 150, False, "later: a vehicle that needs a truck of its own"),
    ("blocked_lane",    "out",    60,  False, "down the road, where no queue of it grows"),
    ("blocked_lane",    "side",   60,  False, "beside it"),
    ("spillback",       "before", 300, True,  "its queue"),
    ("congestion",      "out",    300, True,  "its queue, wherever it shows"),
]
# fmt: on


@pytest.mark.parametrize("cause", ["blocked_lane", "stopped_vehicle", "illegal_parking", "road_closed"])
@pytest.mark.parametrize(("kind", "road", "second", "is_sign", "why"), SECOND)
def test_a_second_incident_is_hidden_by_the_first_only_where_it_is_the_same(
    cause: str, kind: str, road: str, second: int, is_sign: bool, why: str
) -> None:
    city = Merging(STREET, MERGES)
    city([event(cause, "in", 0)], NOON)
    later = event(kind, road, second)
    (told,) = [one for one in city([later], later.at) if one.id == later.id]
    assert ("merged_into" in told.evidence) is is_sign, why
