# SPDX-License-Identifier: Apache-2.0
"""Which playbook counts for an event, what it orders on what, and what a table may not say."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from citybrain.apps.operations.decide.matching import choose, fits, inside, point_of
from citybrain.apps.operations.decide.network import Network
from citybrain.apps.operations.decide.planning import Context, plan
from citybrain.apps.operations.decide.playbook import PlaybookUnusable, check, is_marked, problems
from citybrain.apps.operations.decide.trial import added_up, tried_on
from citybrain.apps.operations.service.operations import fits_means
from citybrain.apps.operations.tests.playing import (
    AT,
    BEFORE,
    DETECTOR,
    NEXT_ROAD,
    OTHER_ROAD,
    ROAD,
    SIGNAL,
    STREETS,
    TRADE,
    event,
    line,
    playbook,
    version,
)
from citybrain.kernel.records import Severity

SHANGHAI = ZoneInfo("Asia/Shanghai")
CONTEXT = Context(
    means=TRADE.means, executed=TRADE.executed, network=Network(STREETS), types=lambda _: ("RoadSegment",)
)
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}

FITS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"kinds": ["traffic.jam"]}, {}, True),
    ({"kinds": ["traffic.*"]}, {}, True),
    ({"kinds": ["*.jam"]}, {}, True),
    ({"kinds": ["operations.flood", "traffic.crash"]}, {}, False),
    ({"severities": ["I", "II"]}, {}, False),
    ({"severities": ["I", "II"]}, {"severity": Severity.I}, True),
    ({"places": {"entity_ids": [NEXT_ROAD]}}, {}, True),
    ({"places": {"entity_ids": [ROAD]}}, {}, False),
    ({"places": {"types": ["RoadSegment"]}}, {}, True),
    ({"places": {"types": ["Pump"]}}, {}, False),
    ({"places": {"area": SQUARE}}, {"geometry": {"type": "Point", "coordinates": [1, 1]}}, True),
    ({"places": {"area": SQUARE}}, {"geometry": {"type": "Point", "coordinates": [3, 1]}}, False),
    ({"places": {"area": SQUARE}}, {}, False),
    # AT is Monday, 15:00 in Shanghai.
    ({"hours": [{"from": "14:00", "to": "16:00"}]}, {}, True),
    ({"hours": [{"from": "15:01", "to": "16:00"}]}, {}, False),
    ({"hours": [{"from": "14:00", "to": "16:00", "days": "weekends"}]}, {}, False),
    ({"hours": [{"from": "22:00", "to": "02:00"}, {"from": "15:00", "to": "15:01"}]}, {}, True),
]


@pytest.mark.parametrize(("when", "told", "expected"), FITS)
def test_a_playbook_fits_when_all_that_it_names_does(
    when: dict[str, Any], told: dict[str, Any], expected: bool
) -> None:
    assert fits(playbook("one", **when), event(**told), ("RoadSegment",), SHANGHAI) is expected


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = playbook("night", hours=[{"from": "22:00", "to": "02:00", "days": "workdays"}])
    friday_night, saturday_night = (datetime(2027, 1, day, 17, tzinfo=UTC) for day in (8, 9))  # 01:00 on the day after
    assert fits(night, event(at=friday_night), zone=SHANGHAI)
    assert not fits(night, event(at=saturday_night), zone=SHANGHAI)


def test_hours_are_those_of_the_city() -> None:
    """AT is 07:00 in London and 15:00 in Shanghai."""
    morning = playbook("morning", line(1), hours=[{"from": "07:00", "to": "08:00"}])
    zones = (ZoneInfo("Europe/London"), SHANGHAI)
    assert [fits(morning, event(), zone=zone) for zone in zones] == [True, False]
    wide = version(playbook("wide", line(1), kinds=["traffic.*"]))
    for zone, chosen in zip(zones, ("morning", "wide"), strict=True):
        context = msgspec.structs.replace(CONTEXT, zone=zone)
        planned = plan(event(), [version(morning), wide], context)
        assert planned is not None
        assert planned.choice.chosen.playbook.id == chosen
        row = tried_on(version(morning), [wide], event(), context)
        assert (row is not None and row.wins) == (chosen == "morning")


def test_a_playbook_counts_only_while_it_is_valid() -> None:
    valid = msgspec.structs.replace(playbook("one"), valid_from=AT, valid_until=AT + timedelta(1))
    assert [fits(valid, event(at=AT + timedelta(days))) for days in (-1, 0, 1)] == [False, True, False]


def test_the_most_specific_playbook_counts_and_says_which_others_would_have_fitted() -> None:
    wide = version(playbook("wide", kinds=["traffic.*"]))
    exact = version(playbook("exact"))
    here = version(playbook("here", places={"entity_ids": [NEXT_ROAD]}))
    found = choose([wide, exact, here], event())
    assert found is not None
    assert (found.chosen, found.others) == (here, ("exact", "wide"))
    assert found.because.code == "operations.because_most_specific"
    assert found.because.facts["conditions"] == f"kind traffic.jam; entity {NEXT_ROAD}"
    alone = choose([wide], event())
    assert alone is not None
    assert alone.because.code == "operations.because_only_one"
    assert choose([wide], event("operations.flood")) is None


def test_of_equals_the_one_whose_id_comes_first_counts_whatever_their_order() -> None:
    two = [version(playbook("b")), version(playbook("a"))]
    for versions in (two, two[::-1]):
        found = choose(versions, event())
        assert found is not None
        assert found.chosen.playbook.id == "a"


TARGETS = [
    ("event", NEXT_ROAD, [NEXT_ROAD]),
    ("road", NEXT_ROAD, [NEXT_ROAD]),
    ("road", "urn:ngsi-ld:RoadLane:b_0", [NEXT_ROAD]),
    ("road", SIGNAL, [""]),
    ("junction", NEXT_ROAD, [SIGNAL]),
    ("junction", SIGNAL, [SIGNAL]),
    ("junction", OTHER_ROAD, [""]),
    ("upstream_junctions", NEXT_ROAD, [BEFORE]),
    ("upstream_junctions", SIGNAL, [BEFORE]),
    ("urn:ngsi-ld:Pump:7", NEXT_ROAD, ["urn:ngsi-ld:Pump:7"]),
    ("nearest:tow", NEXT_ROAD, [NEXT_ROAD]),
]


@pytest.mark.parametrize(("target", "entity_id", "expected"), TARGETS)
def test_a_target_is_what_lies_around_the_event(target: str, entity_id: str, expected: list[str]) -> None:
    planned = plan(event(entity_id=entity_id), [version(playbook("one", line(1, target=target)))], CONTEXT)
    assert planned is not None
    assert [each.entity_id for each in planned.lines] == expected
    assert [each.code for each in planned.lines] == ["" if id else "operations.line_without_target" for id in expected]


def test_the_place_that_an_event_tells_counts_more_than_its_entity() -> None:
    told = event(entity_id="urn:ngsi-ld:Device:9", evidence={"place": {"road": NEXT_ROAD}})
    planned = plan(told, [version(playbook("one", line(1, target="junction")))], CONTEXT)
    assert planned is not None
    assert planned.lines[0].entity_id == SIGNAL


def test_an_event_at_a_signal_that_names_its_lanes_has_their_road() -> None:
    told = event(entity_id=SIGNAL, evidence={"lanes": ["b_0"]})
    planned = plan(told, [version(playbook("one", line(1, target="road")))], CONTEXT)
    assert planned is not None
    assert planned.lines[0].entity_id == NEXT_ROAD


def test_what_stands_in_a_junction_is_cleared_from_the_road_whose_detector_sees_it_and_holds_up_all_that_come() -> None:
    seen = {"place": {"road": None, "lane": ":1_0"}, "lanes": [":1_0"], "detectors": [DETECTOR]}
    lines = [line(1, target="road"), line(2, target="junction"), line(3, target="upstream_junctions")]
    planned = plan(event(entity_id=SIGNAL, evidence=seen), [version(playbook("one", *lines))], CONTEXT)
    assert planned is not None
    assert [(each.entity_id, each.code) for each in planned.lines] == [(NEXT_ROAD, ""), (SIGNAL, ""), (BEFORE, "")]
    unknown = event(entity_id=SIGNAL, evidence={**seen, "detectors": ["urn:ngsi-ld:TrafficDetector:9"]})
    planned = plan(unknown, [version(playbook("one", lines[0]))], CONTEXT)
    assert planned is not None
    assert planned.lines[0].code == "operations.line_without_target"


def test_a_slot_of_evidence_becomes_the_value_itself() -> None:
    body = playbook("one", line(1, parameters={"text": "{evidence.depth_m}", "more": "{evidence.depth_m} m"}))
    planned = plan(event(evidence={"depth_m": 0.4, "list": [1]}), [version(body)], CONTEXT)
    assert planned is not None
    assert planned.lines[0].parameters == {"text": 0.4, "more": "0.4 m"}


def test_parameters_are_filled_with_what_is_known_of_the_event() -> None:
    body = playbook("one", line(1, parameters={"text": "{place}: {severity} {unknown}", "more": ["{junction}", 7]}))
    planned = plan(event(id="e-1"), [version(body)], CONTEXT)
    assert planned is not None
    assert planned.lines[0].parameters == {"text": f"{NEXT_ROAD}: III {{unknown}}", "more": [SIGNAL, 7]}


def test_a_playbook_that_names_an_unknown_means_is_shown_as_unusable_and_still_plans_the_rest() -> None:
    body = playbook("one", line(1, "street.fly"), line(2, "street.nobody"), line(3, "street.close"), line(4))
    found = [(each.line, each.code) for each in problems(body, TRADE.means, TRADE.executed, fits_means)]
    assert found == [
        (1, "operations.means_unknown"),
        (2, "operations.means_of_nobody"),
        (3, "operations.line_needs_person"),
    ]
    planned = plan(event(), [version(body)], CONTEXT)
    assert planned is not None
    assert [each.code for each in planned.lines] == ["operations.means_unknown", "operations.means_of_nobody", "", ""]
    wrong = playbook("one", line(1, parameters={"text": 3}))
    assert [each.code for each in problems(wrong, TRADE.means, TRADE.executed, fits_means)] == [
        "kernel.order_field_wrong_kind"
    ]


def test_a_playbook_is_marked_where_two_must_agree_to_a_line() -> None:
    assert is_marked(playbook("one", line(1, approval="two")), TRADE.means)
    assert is_marked(playbook("one", line(1, "street.close", approval="officer")), TRADE.means)
    assert not is_marked(playbook("one", line(1, approval="officer")), TRADE.means)


def test_a_text_names_the_place_in_its_own_language() -> None:
    named = msgspec.structs.replace(CONTEXT, names=lambda _id, lang: {"zh": "人民路", "en": "Renmin Road"}[lang])
    said = {"text": "{place}拥堵", "text_en": "{place} is congested", "more": {"advice_en": ["Leave {place}"]}}
    planned = plan(event(), [version(playbook("one", line(1, parameters=said)))], named)
    assert planned is not None
    assert planned.lines[0].parameters == {
        "text": "人民路拥堵",
        "text_en": "Renmin Road is congested",
        "more": {"advice_en": ["Leave Renmin Road"]},
    }


UNUSABLE: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("line_twice", [{}, {"number": 1}], {}),
    ("line_after_unknown", [{"after": {"line": 2}}, {"number": 2}], {}),
    ("line_after_unknown", [{"after": {"line": 1}}], {}),
    ("line_alone_needs_officer", [{"alone_if": {"net": "has_room"}}], {}),
    ("playbook_area_unusable", [{}], {"places": {"area": {"type": "Point", "coordinates": [1, 1]}}}),
    ("playbook_area_unusable", [{}], {"places": {"area": {"type": "Polygon", "coordinates": [[[1, 1], [2, 2]]]}}}),
]


@pytest.mark.parametrize(("code", "lines", "when"), UNUSABLE)
def test_a_table_that_can_never_work_is_refused(code: str, lines: list[dict[str, Any]], when: dict[str, Any]) -> None:
    body = playbook("one", *(line(**{"number": 1, **each}) for each in lines), **when)
    with pytest.raises(PlaybookUnusable) as refused:
        check(body)
    assert refused.value.code == f"operations.{code}"


def test_a_dry_run_says_which_events_match_what_is_ordered_and_who_is_asked() -> None:
    body = playbook(
        "tried",
        line(1, "street.sign"),
        line(2, "street.close", approval="two"),
        line(3, "street.tow", after={"line": 1, "state": "failed"}),
        line(4, "street.fly"),
    )
    narrower = version(playbook("narrower", severities=["I"]))
    told = [event(), event(severity=Severity.I), event("operations.flood")]
    rows = [tried_on(version(body), [narrower], each, CONTEXT) for each in told]
    found = added_up(len(told), [row for row in rows if row is not None])
    assert (found.events, found.matched, found.won, found.unusable) == (3, 2, 1, 1)
    assert (found.orders_by_means, found.later_by_means) == ({"street.sign": 1, "street.close": 1}, {"street.tow": 1})
    assert (found.orders, found.later, found.would_wait) == (2, 1, 1)
    assert [row.wins for row in found.rows] == [True, False]
    assert found.rows[1].because.facts["playbook"] == "narrower"


def test_a_point_on_the_map_is_found_in_every_kind_of_geometry() -> None:
    ring = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    hole = [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    assert point_of({"type": "LineString", "coordinates": [[0, 0], [1, 1], [2, 2]]}) == (1.0, 1.0)
    assert point_of({"type": "Polygon", "coordinates": [ring]}) == (4.0, 4.0)
    assert point_of(None) is None
    assert not inside({"type": "Polygon", "coordinates": [ring, hole]}, (2, 2))
    assert inside({"type": "MultiPolygon", "coordinates": [[hole], [ring]]}, (0.5, 0.5))
