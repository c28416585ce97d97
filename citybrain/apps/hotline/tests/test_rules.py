# SPDX-License-Identifier: Apache-2.0
"""Routing, figures, bursts, hot spots and drift as tables and properties."""

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from citybrain.apps.hotline.choice import Matter, Rule, RuleUnusable, check, dry_run, route
from citybrain.apps.hotline.detect import bursts, drift, hotspots
from citybrain.apps.hotline.measure import promises, report
from citybrain.apps.hotline.measure.promises import CallFigures
from citybrain.apps.hotline.measure.rates import Rate, is_late, rates, rows_behind
from citybrain.apps.hotline.model import (
    Category,
    Ticket,
    Tree,
    TreeUnusable,
    Urgency,
)
from citybrain.kernel.cases.satisfaction import GOOD, NATIONAL, ZHEJIANG, Satisfaction

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # noon in the city, a Monday
NIGHT = datetime(2026, 3, 2, 15, tzinfo=UTC)
SQUARE = ((116.0, 39.0), (117.0, 39.0), (117.0, 40.0), (116.0, 40.0))
NAME = {"zh": "供水", "en": "Water"}
TREE = Tree(
    [
        Category(id="water", name=NAME, department="water", urgency=Urgency.UTILITIES),
        Category(id="water.supply", name=NAME),
        Category(id="water.supply.outage", name=NAME, urgency=Urgency.EMERGENCY),
    ]
)
RULES = (
    Rule(number=12, department="night", category="water", area=SQUARE, from_=time(18), until=time(8)),
    Rule(number=3, department="district", category="water", area=SQUARE),
    Rule(number=2, department="pipes", category="water.supply"),
    Rule(number=1, department="all_water", category="water"),
    Rule(number=9, department="fire", words=("着火",)),
    Rule(number=20, department="nowhere", category="water", active=False, channels=("web",), urgencies=("general",)),
)

# fmt: off
ROUTES = [
    ("water",               "停水",   NIGHT, (116.5, 39.5), "night",     12,   "category, place and night beat all"),
    ("water",               "停水",   NOON,  (116.5, 39.5), "district",  3,    "by day the district"),
    ("water",               "停水",   NOON,  (118.0, 39.5), "all_water", 1,    "outside the district the plain rule"),
    ("water.supply.outage", "停水",   NOON,  None,          "pipes",     2,    "the narrower category"),
    ("water.supply.outage", "停水",   NOON,  (116.5, 39.5), "pipes",     2,    "of equals the narrower category"),
    ("",                    "着火了", NOON,  None,          "fire",      9,    "words alone"),
    ("unknown",             "你好",   NOON,  None,          "hotline",   None, "nothing said: a person decides"),
]
# fmt: on


def matter(category: str, text: str, at: datetime, place: tuple[float, float] | None) -> Matter:
    longitude, latitude = place or (None, None)
    return Matter(
        category=category,
        channel="phone",
        urgency="general",
        text=text,
        at=at,
        longitude=longitude,
        latitude=latitude,
    )


Route = tuple[str, str, datetime, tuple[float, float] | None, str, int | None, str]


@pytest.mark.parametrize("row", ROUTES, ids=[row[-1] for row in ROUTES])
def test_the_most_specific_rule_that_fits_decides(row: Route) -> None:
    category, text, at, place, department, rule, _ = row
    found = route(RULES, TREE, matter(category, text, at, place))
    assert (found.department, found.rule) == (department, rule)


def test_a_choice_says_the_rule_and_its_conditions() -> None:
    because = route(RULES, TREE, matter("water", "", NIGHT, (116.5, 39.5))).because
    assert because.code == "hotline.because_rule"
    assert because.facts["rule"] == 12
    assert "18:00–08:00" in str(because.facts["conditions"])


@given(some.permutations(RULES))
def test_the_order_of_rules_does_not_matter(rules: list[Rule]) -> None:
    for category, text, at, place, department, *_ in ROUTES:
        assert route(rules, TREE, matter(category, text, at, place)).department == department


# fmt: off
BAD_RULES = [
    ([Rule(number=1, department="a"), Rule(number=1, department="b")], "one number twice"),
    ([Rule(number=1, department="")],                                  "no department"),
    ([Rule(number=1, department="a", area=SQUARE[:2])],                "an area that is a line"),
    ([Rule(number=1, department="a", from_=time(8))],                  "half a time of day"),
    ([Rule(number=1, department="a", days="sometimes")],               "days there are not"),
]
# fmt: on


@pytest.mark.parametrize(("rules", "why"), BAD_RULES)
def test_a_rule_that_cannot_work_is_refused(rules: list[Rule], why: str) -> None:
    with pytest.raises(RuleUnusable):
        check(rules)


def ticket(id: int = 1, **more: object) -> Ticket:
    given = {
        "case_id": id,
        "number": f"HT{id}",
        "category": "water.supply",
        "department": "water",
        "channel": "phone",
        "urgency": "utilities",
        "state": "working",
        "phase": "open",
        "text": "停水",
        "created_at": NOON,
        "changed_at": NOON,
    }
    return msgspec.convert({**given, **more}, Ticket)


def test_a_dry_run_tells_each_ticket_that_would_go_elsewhere() -> None:
    after = (*RULES, Rule(number=30, department="new", category="water.supply", channels=("phone",)))
    diff = dry_run(RULES, after, TREE, [ticket(1), ticket(2, channel="web"), ticket(3, category="")])
    assert (diff.looked, [each.case_id for each in diff.moved]) == (3, [1])
    assert diff.flows == (("pipes", "new", 1),)


def test_a_category_takes_from_above_what_it_does_not_say() -> None:
    assert TREE.department("water.supply.outage") == "water"
    assert TREE.urgency("water.supply") == Urgency.UTILITIES
    assert TREE.urgency("water.supply.outage") == Urgency.EMERGENCY


# fmt: off
BAD_TREES = [
    ("lost.child",  {"zh": "a", "en": "a"}, "a parent that is missing"),
    ("a.b.c.d",     {"zh": "a", "en": "a"}, "a fourth level"),
    ("other",       {"zh": "a", "en": "a"}, "no department"),
    ("water.empty", {"zh": "a"},            "a language that is missing"),
]
# fmt: on


@pytest.mark.parametrize(("id", "name", "why"), BAD_TREES)
def test_categories_that_make_no_tree_are_refused(id: str, name: dict[str, str], why: str) -> None:
    with pytest.raises(TreeUnusable):
        Tree([*TREE.categories.values(), Category(id=id, name=name)]).check()


def test_the_two_codings_of_ratings_are_opposite_and_both_are_whole() -> None:
    assert (NATIONAL.write(Satisfaction.VERY_SATISFIED), ZHEJIANG.write(Satisfaction.VERY_SATISFIED)) == ("1", "5")
    assert all(int(NATIONAL.write(each)) + int(ZHEJIANG.write(each)) == 6 for each in Satisfaction)
    assert Satisfaction.FAIRLY_SATISFIED in GOOD


@pytest.mark.parametrize(
    ("extras", "within_s", "share"),
    [
        ({"answer_within_s": 20, "connect_share": 0.9}, 20, 0.9),
        ({}, 15, 0.95),
        ({"answer_within_s": "soon", "connect_share": None, "other": 1}, 15, 0.95),
    ],
)
def test_what_callers_are_promised_is_what_the_type_of_case_says(
    extras: dict[str, object], within_s: float, share: float
) -> None:
    promised = promises.promises_of(extras)
    assert (promised.answer_within_s, promised.connect_share) == (within_s, share)


def test_calls_are_told_against_the_promises() -> None:
    promised = promises.Promises(answer_within_s=20, connect_share=0.9)
    calls = promises.kept(CallFigures(calls=200, answered=190, in_time=171), promised)
    assert (calls.connected, calls.in_time_share) == (0.95, 0.9)
    assert promises.told(calls)["report_calls_connected"] == "95.0 % (≥ 90 %)"
    assert promises.told(calls)["report_calls_in_time"] == "171 (≤ 20 s, 90.0 %)"
    nobody = promises.kept(CallFigures(calls=0, answered=0, in_time=0), promised)
    assert (nobody.connected, nobody.in_time_share) == (None, None)
    assert promises.told(nobody)["report_calls_connected"] == "—"


DUE = NOON + timedelta(hours=24)
# fmt: off
RESPONSES = [
    ({"answered_at": DUE},                        True,  "the limit itself is in time"),
    ({"answered_at": DUE + timedelta(seconds=1)}, False, "one second after it is not"),
    ({},                                          False, "past the limit without an answer"),
    ({"due_at": NOON + timedelta(days=9)},        None,  "still running: it does not count"),
]
# fmt: on


@pytest.mark.parametrize(("more", "good", "why"), RESPONSES)
def test_response_counts_what_was_answered_or_is_late(more: dict[str, object], good: bool | None, why: str) -> None:
    row = ticket(1, **{"due_at": DUE, **more})
    now = DUE + timedelta(days=1)
    for asked in (True, False):
        assert bool(rows_behind([row], Rate.RESPONSE, good=asked, now=now)) is (good is asked), why


tickets = some.lists(
    some.builds(
        ticket,
        some.integers(1, 10**6),
        department=some.sampled_from(["water", "roads"]),
        resolved=some.sampled_from([None, True, False]),
        satisfaction=some.sampled_from(["", *Satisfaction]),
        due_at=some.sampled_from([None, DUE]),
        answered_at=some.sampled_from([None, NOON, DUE + timedelta(hours=1)]),
        phase=some.sampled_from(["open", "closed"]),
    ),
    max_size=30,
)


@given(tickets)
def test_every_figure_has_exactly_its_rows_behind_it(found: list[Ticket]) -> None:
    now = DUE + timedelta(days=1)
    for department in rates(found, now):
        own = [each for each in found if department.department in ("", each.department)]
        assert department.tickets == len(own)
        assert department.late == sum(is_late(each, now) for each in own)
        for rate in Rate:
            share = department.shares[rate]
            assert share.good == len(rows_behind(own, rate, good=True, now=now))
            assert share.of == len(rows_behind(own, rate, good=None, now=now))


def test_a_rate_that_the_city_does_not_promise_is_not_shown() -> None:
    stayed = ticket(1, first_department="roads")
    shown = promises.rates_of(promises.promises_of({}))
    assert set(rates([stayed], NOON, shown)[-1].shares) == set(Rate)
    shown = promises.rates_of(promises.promises_of({"first_receiver": False}))
    departments = rates([stayed], NOON, shown)
    assert all(set(each.shares) == {*Rate} - {Rate.FIRST_RECEIVER} for each in departments)
    month = report.Month(
        label="2026-03",
        since=NOON,
        until=NOON + timedelta(days=31),
        tickets=[stayed],
        departments=departments,
        calls={},
        lang="zh",
    )
    text = report.page(month, str, str)
    assert "rate_satisfaction" in text
    assert "first_receiver" not in text


def flood(count: int, *, at: datetime = NOON, first: int = 1) -> list[Ticket]:
    return [
        ticket(first + i, longitude=116.4 + i * 1e-4, latitude=39.9, created_at=at - timedelta(minutes=i), text="积水")
        for i in range(count)
    ]


def test_a_cluster_of_flood_calls_is_one_event_with_its_tickets() -> None:
    found = bursts.bursts(flood(8), NOON)
    events = bursts.events(found)
    assert len(events) == 1
    assert events[0].kind == "hotline.burst"
    assert sorted(events[0].evidence["case_ids"]) == list(range(1, 9))


def test_a_burst_that_goes_on_over_midnight_stays_one_event() -> None:
    midnight = NOON.replace(hour=0)
    calls = flood(8, at=midnight - timedelta(minutes=1))
    before, after = (bursts.events(bursts.bursts(calls, midnight + timedelta(seconds=s))) for s in (-30, 30))
    assert [each.id for each in before] == [each.id for each in after]


def test_what_comes_every_day_is_no_burst() -> None:
    daily = [each for day in range(28) for each in flood(8, at=NOON - timedelta(days=day), first=100 * day + 1)]
    assert bursts.bursts(daily, NOON) == []


def test_few_calls_or_calls_far_apart_are_no_burst() -> None:
    assert bursts.bursts(flood(4), NOON) == []
    spread = [ticket(i, longitude=116 + i / 10, latitude=39.9) for i in range(1, 9)]
    assert bursts.bursts(spread, NOON) == []


@given(some.integers(0, 60), some.floats(0.01, 20))
def test_the_tail_of_a_poisson_is_a_chance_that_falls_with_the_count(count: int, expected: float) -> None:
    here, further = bursts.tail(count, expected), bursts.tail(count + 1, expected)
    assert 0 <= further <= here <= 1 + 1e-9


def test_a_hot_spot_lies_where_tickets_are_and_the_density_adds_up() -> None:
    box = (116.38, 39.88, 116.42, 39.92)
    found = hotspots.density(flood(10), box)
    assert abs(found.spots[0].longitude - 116.4005) < 0.002
    assert len(found.spots[0].case_ids) == 10
    cell_km2 = 0.04 / 64 * 111.195 * (0.04 / 64 * 111.195 * 0.7672)
    assert sum(found.per_km2) * cell_km2 == pytest.approx(10, rel=0.05)


def test_drift_is_told_when_shares_shift_or_it_abstains_more() -> None:
    then = {"a": 0.5, "b": 0.5}
    calm = [("a", False), ("b", False)] * 200
    assert not drift.drift(then, calm, abstained_then=0.05).is_great
    assert drift.drift(then, [("a", False)] * 400, abstained_then=0.05).is_great
    assert drift.drift(then, [("a", True), ("b", False)] * 200, abstained_then=0.05).is_great
    assert not drift.drift(then, [("a", True)] * 10, abstained_then=0.05).is_great


def test_a_report_escapes_what_people_wrote_and_its_numbers_open_rows() -> None:
    evil = ticket(1, category="<b>", channel="<script>alert(1)</script>")
    month = report.Month(
        label="2026-03",
        since=NOON,
        until=NOON + timedelta(days=31),
        tickets=[evil],
        departments=rates([evil], NOON),
        calls={"calls": "1"},
        lang="zh",
    )
    text = report.page(month, str, str)
    assert "<script>" not in text
    assert 'href="/api/hotline/rows?' in text
    assert "<script>" not in report.rows_page("<script>", [evil], str, str, "zh")
