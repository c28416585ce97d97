# SPDX-License-Identifier: Apache-2.0
"""Storms are grouped under their first event; what is far away, of another kind or slow is not."""

from datetime import timedelta
from time import process_time
from typing import Any

import pytest

from citybrain.kernel.merging import Merge, Merging, Near, Storm, Storms
from citybrain.kernel.merging.tests.street import CRASH, JAM, MINUTE, STREET, at, event
from citybrain.kernel.records import Event

LOCAL = Storm(number=3, within=MINUTE, radius_m=500.0)
WIDE = Storm(number=6, within=MINUTE)


def jam(number: int, seconds: float, *, north_m: float = 0.0, **more: Any) -> Event:
    point = {"type": "Point", "coordinates": [11.0, 48.0 + north_m / 111_195.0]}
    return event(f"e{number:05}", more.pop("kind", JAM), f"thing{number}", seconds, geometry=point, **more)


def groups(found: list[Event]) -> dict[str, str | None]:
    return {each.id: each.group for each in found}


def test_the_first_of_a_storm_is_its_head_and_all_of_it_are_in_the_group() -> None:
    storms = Storms([LOCAL])
    assert groups(storms([jam(0, 0), jam(1, 20)])) == {"e00000": None, "e00001": None}
    assert groups(storms([jam(2, 40)])) == dict.fromkeys(("e00002", "e00000", "e00001"), "e00000")
    assert groups(storms([jam(3, 99)])) == {"e00003": "e00000"}, "it goes on as long as something joins"
    assert groups(storms([jam(4, 160)])) == {"e00004": None}
    assert groups(storms([jam(0, 0, ended=170)])) == {"e00000": "e00000"}, "who is in stays in"


@pytest.mark.parametrize(
    "others",
    [
        [jam(1, 20, north_m=600), jam(2, 40, north_m=-600)],
        [jam(1, 20, kind=CRASH), jam(2, 40)],
        [jam(1, 31), jam(2, 62)],
    ],
)
def test_what_is_far_away_or_of_another_kind_or_slow_is_no_storm(others: list[Event]) -> None:
    assert set(groups(Storms([LOCAL])([jam(0, 0), *others])).values()) == {None}


def test_a_storm_over_the_whole_city_takes_in_those_of_its_quarters() -> None:
    storms = Storms([WIDE, LOCAL])
    found: dict[str, str | None] = {}
    for number in range(6):
        found |= groups(storms([jam(number, number, north_m=0 if number < 3 else number * 5_000)]))
    assert set(found.values()) == {"e00000"}


def test_a_group_does_not_go_on_for_ever() -> None:
    storms = Storms([Storm(number=2, within=MINUTE, lasts=timedelta(minutes=5))])
    found = [groups(storms([jam(number, number * 30)]))[f"e{number:05}"] for number in range(14)]
    assert found[1] == "e00000" == found[9]
    assert found[11] in ("e00010", "e00009", None)
    assert found[13] != "e00000"


def test_a_sign_of_another_event_counts_for_no_storm() -> None:
    city = Merging(STREET, [Merge(cause=CRASH, signs=(JAM,), within=MINUTE)], storms=[Storm(number=3, within=MINUTE)])
    city([event("crash", CRASH, "road2", 0)], at(0))
    found = city([event(f"jam{number}", JAM, "road2", 1) for number in range(5)], at(1))
    assert {each.group for each in found} == {None}


def test_ten_thousand_events_in_a_minute_are_few_groups_and_hold_nobody_up() -> None:
    """Nothing is lost, and the loop has most of each second for itself: a tenth of the limit is what it takes."""
    kinds = (JAM, CRASH, "street.dark")
    rules = [Merge(cause=CRASH, signs=(JAM,), within=5 * MINUTE, near=Near.RADIUS, radius_m=300.0)]
    city = Merging(STREET, rules)
    last: dict[str, Event] = {}
    taken_s = 0.0
    for second in range(60):
        numbers = range(second * 167, second * 167 + 167)
        found = [jam(each, second, north_m=(each * 7919) % 20_000, kind=kinds[each % 3]) for each in numbers]
        started_s = process_time()
        told = city(found, at(second))
        taken_s += process_time() - started_s
        last |= {each.id: each for each in told}
    assert len(last) == 60 * 167
    merged = [each for each in last.values() if "merged_into" in each.evidence]
    assert len(merged) == 60 * 167 // 3
    grouped = [each for each in last.values() if each.group is not None]
    assert len(merged) + len(grouped) == len(last)
    assert len({each.group for each in grouped}) == 2, "one for each kind that is no sign"
    assert taken_s < 20.0
