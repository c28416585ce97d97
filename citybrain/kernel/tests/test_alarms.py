# SPDX-License-Identifier: Apache-2.0
"""Alarms of a city that is open: acts are kept and told, two officers do not overrun each other, shelves empty."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.clock import utc_now
from citybrain.kernel.handling import Act, Alarm, AlarmChanged, AlarmTaken, Asked, Sort, State, Which, Wish
from citybrain.kernel.handling.finding import PlaceUnusable
from citybrain.kernel.handling.handling import NoSuchAlarm
from citybrain.kernel.journal_records import EventView
from citybrain.kernel.records import Because, Event, Order, Severity
from citybrain.kernel.store import Store
from citybrain.kernel.tests.scene import after, batch, jam

# Long after the clock of whoever runs this, so that no shelf of these tests empties itself.
NOW = datetime(2126, 7, 1, 9, tzinfo=UTC)
LIN = Actor(name="Lin", account="lin", kind=Kind.STAFF)
WU = Actor(name="Wu", account="wu", kind=Kind.STAFF)


def event(id: str, at: float, severity: Severity = Severity.III, **more: object) -> Event:
    return msgspec.structs.replace(jam(id, after(at)), severity=severity, entity_id=f"urn:{id}", **more)


async def test_acts_are_kept_in_order_with_their_words_and_in_the_audit_log(store: Store) -> None:
    await store.journal.tell([event("a1", 0)])
    await store.alarms.act(LIN, "a1", Wish(act=Act.TAKE, note="on my way"), now=NOW)
    alarm = await store.alarms.act(LIN, "a1", Wish(act=Act.CLEAR), now=NOW + timedelta(minutes=5))
    assert (alarm.handling.state, alarm.handling.version, alarm.ended_at) == (State.CLEARED, 2, None)
    story = await store.alarms.story("a1", now=NOW)
    assert [(act.act, act.by, act.note, act.facts) for act in story.acts] == [
        ("take", "lin", "on my way", {}),
        ("clear", "lin", "", {"open": True, "severity": "III"}),
    ]
    logged = "SELECT act FROM audit_entry WHERE object = 'event:a1' ORDER BY id"
    assert await store.db.read(logged, as_=str) == ["event.take", "event.clear"]


async def test_of_two_officers_at_once_one_gets_it_and_the_other_learns_who(store: Store) -> None:
    await store.journal.tell([event(f"b{number}", number) for number in range(20)])
    for number in range(20):
        both = await asyncio.gather(
            *(store.alarms.act(who, f"b{number}", Wish(act=Act.TAKE), now=NOW) for who in (LIN, WU)),
            return_exceptions=True,
        )
        (lost,) = [each for each in both if isinstance(each, AlarmTaken)]
        (won,) = [each for each in both if not isinstance(each, BaseException)]
        assert lost.code == "kernel.alarm_taken"
        assert lost.facts["by"] == won.handling.taken_by


async def test_what_changed_since_it_was_read_is_refused(store: Store) -> None:
    await store.journal.tell([event("c1", 0)])
    seen = await store.alarms.one("c1", now=NOW)
    await store.alarms.act(WU, "c1", Wish(act=Act.COMMENT, note="hm"), now=NOW)
    with pytest.raises(AlarmChanged):
        await store.alarms.act(LIN, "c1", Wish(act=Act.CLEAR, version=seen.handling.version), now=NOW)
    with pytest.raises(NoSuchAlarm):
        await store.alarms.act(LIN, "none", Wish(act=Act.CLEAR), now=NOW)


async def test_several_are_handled_together_and_each_that_is_not_says_why(store: Store) -> None:
    await store.journal.tell([event(f"d{number}", number) for number in range(5)])
    await store.alarms.act(WU, "d1", Wish(act=Act.TAKE), now=NOW)
    ids = ["d3", "d1", "d0", "gone", "d3"]
    together = await store.alarms.act_together(LIN, ids, Wish(act=Act.ACKNOWLEDGE, note="known"), now=NOW)
    assert together.done == ["d3", "d0"]
    assert [(each.id, each.code) for each in together.refused] == [
        ("d1", "kernel.alarm_taken"),
        ("gone", "kernel.no_such_event"),
    ]
    assert (await store.alarms.one("d3", now=NOW)).handling.acknowledged_by == "lin"


async def test_the_shelf_empties_itself_and_says_so(store: Store) -> None:
    await store.journal.tell([event("e1", 0)])
    until = NOW + timedelta(hours=1)
    await store.alarms.act(LIN, "e1", Wish(act=Act.SHELVE, until=until), now=NOW)
    assert (await store.alarms.one("e1", now=until)).handling.state is State.NEW, "even before anybody wrote that"
    shelved = Asked(states=(State.SHELVED,))
    assert [alarm.id for alarm in (await store.alarms.find(shelved, now=NOW)).rows] == ["e1"]
    assert (await store.alarms.find(shelved, now=until)).total == 0
    assert await store.alarms.expire(until) == 1
    assert [act.act for act in (await store.alarms.story("e1", now=NOW)).acts] == ["shelve", "expire"]


async def test_an_act_is_told_to_whoever_reads_the_outbox(store: Store) -> None:
    await store.journal.tell([event("f1", 0)])
    before = await store.outbox.last_id()
    await store.alarms.act(LIN, "f1", Wish(act=Act.ACKNOWLEDGE, note="patrol sent"), now=NOW)
    await store.journal.tell([])
    told = await store.outbox.since(before, topics=("event", "alarm"))
    views = [msgspec.json.decode(each.payload, type=EventView) for each in told if each.topic == "event"]
    assert [(view.acknowledged_by, view.note) for view in views] == [("lin", "patrol sent")]
    assert [msgspec.json.decode(each.payload) for each in told if each.topic == "alarm"] == [{"id": "f1"}]


async def test_acts_of_which_nobody_was_told_are_told_when_the_city_opens_again(store: Store) -> None:
    await store.journal.tell([event("g1", 0)])
    await store.db.write(
        "INSERT INTO event_act (event_id, act, by, at, note, facts) VALUES ('g1', 'take', 'lin', now(), '', '{}')"
    )
    before = await store.outbox.last_id()
    await store.alarms.tell_again(utc_now())
    await store.journal.tell([])
    told = await store.outbox.since(before, topic="alarm")
    assert {"id": "g1"} in [msgspec.json.decode(each.payload) for each in told]


async def test_how_an_event_is_handled_does_not_change_when_the_event_does(store: Store) -> None:
    alone = event("h1", 0, kind="road.alone")
    await store.journal.tell([alone])
    await store.alarms.act(LIN, "h1", Wish(act=Act.TAKE), now=NOW)
    worse = msgspec.structs.replace(alone, severity=Severity.I, group="h1")
    await store.journal.tell([worse, msgspec.structs.replace(worse, ended_at=after(9), group=None)])
    alarm = await store.alarms.one("h1", now=NOW)
    assert (alarm.handling.taken_by, alarm.severity, alarm.ended_at) == ("lin", Severity.I, after(9))
    assert alarm.group == "h1", "an event stays in its group"


async def test_a_story_has_the_signs_and_the_orders_of_an_event(store: Store) -> None:
    head = event("i1", 100, evidence={"signs": [{"kind": "road.slow", "entity_id": "urn:x", "at": after(90)}]})
    sign = event("i2", 95, ended_at=after(100), evidence={"merged_into": "i1"})
    order = Order(
        id="o-i1", means="road.close", entity_id="urn:i1", at=after(101), because=Because(code="x", event_id="i1")
    )
    await (await store.journal.append(batch(after(9101)), events=[head, sign], orders=[order]))
    story = await store.alarms.story("i1", now=NOW)
    assert [(each.kind, each.event_id) for each in story.signs] == [("road.slow", None), ("traffic.congestion", "i2")]
    assert [each.id for each in story.orders] == ["o-i1"]
    listed = await store.alarms.find(Asked(which=Which.ALL, limit=500), now=NOW)
    assert "i2" not in [alarm.id for alarm in listed.rows]
    assert (await store.alarms.one("i2", now=NOW)).merged_into == "i1", "it is still found"


async def test_a_group_counts_what_its_list_shows(store: Store) -> None:
    waves = [event(f"wave{n}", n, group="wave0") for n in range(3)]
    await store.journal.tell(waves)
    await store.journal.tell([msgspec.structs.replace(waves[2], evidence={"merged_into": "wave1"})])
    page = await store.alarms.find(Asked(group="wave0"), now=NOW)
    assert (page.total, {alarm.group_size for alarm in page.rows}) == (2, {2})


@pytest.mark.parametrize("sort", list(Sort))
async def test_a_list_is_read_page_by_page_without_gap_or_repetition(store: Store, sort: Sort) -> None:
    group = f"page-{sort}"
    severities = list(Severity)
    await store.journal.tell([event(f"{group}-{n:03}", n // 7, severities[n % 4], group=group) for n in range(95)])
    asked = Asked(group=group, sort=sort, limit=20)
    seen: list[Alarm] = []
    while True:
        page = await store.alarms.find(asked, now=NOW)
        seen += page.rows
        assert (page.total, page.rows[0].group_size) == (95, 95)
        if page.next is None:
            break
        asked = msgspec.structs.replace(asked, after=page.next)

    def key(alarm: Alarm) -> tuple[int, float]:
        at = alarm.at.timestamp()
        worst = severities.index(alarm.severity) if sort is Sort.SEVERITY else 0
        return worst, at if sort is Sort.OLDEST else -at

    assert len({alarm.id for alarm in seen}) == 95
    assert [key(alarm) for alarm in seen] == sorted(key(alarm) for alarm in seen)


async def test_a_whole_list_is_read_in_pages_up_to_as_many_as_are_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.journal.tell([event(f"whole-{n:02}", n, Severity.II, group="whole") for n in range(25)])
    monkeypatch.setattr("citybrain.kernel.handling.alarms.LIMIT_MOST", 10)
    asked = Asked(group="whole", sort=Sort.OLDEST)
    for most, number in ((25, 25), (100, 25), (20, 20), (7, 7)):
        found = await store.alarms.all(asked, most=most, now=NOW)
        assert [alarm.id for alarm in found] == [f"whole-{n:02}" for n in range(number)]


async def test_counts_say_what_the_other_filters_leave(store: Store) -> None:
    await store.journal.tell(
        [
            event(f"k{n}", n, (Severity.I, Severity.II)[n % 2], group="k", ended_at=after(50) if n > 7 else None)
            for n in range(10)
        ]
    )
    await store.alarms.act_together(LIN, ["k0", "k1", "k2"], Wish(act=Act.TAKE), now=NOW)
    page = await store.alarms.find(Asked(group="k", severities=(Severity.I,), states=(State.TAKEN,)), now=NOW)
    assert [alarm.id for alarm in page.rows] == ["k2", "k0"]
    assert (page.total, page.counts.severity, page.counts.handling) == (2, {"I": 2, "II": 1}, {"new": 2, "taken": 2})
    mine = await store.alarms.find(Asked(which=Which.ALL, group="k", taken_by="lin"), now=NOW)
    assert mine.total == 3
    assert (await store.alarms.find(Asked(which=Which.ENDED, group="k"), now=NOW)).total == 2
    since = Asked(which=Which.ALL, group="k", since=after(3), until=after(5))
    assert (await store.alarms.find(since, now=NOW)).total == 3


async def test_words_are_found_in_ids_and_notes_and_signs_of_patterns_mean_themselves(store: Store) -> None:
    await store.journal.tell([event("m-100%", 0), event("m-1000", 0)])
    await store.alarms.act(LIN, "m-1000", Wish(act=Act.COMMENT, note="Bus 7 steht quer"), now=NOW)

    async def found(words: str, *kinds: str) -> list[str]:
        page = await store.alarms.find(Asked(words=words, kinds_meant=kinds, sort=Sort.OLDEST), now=NOW)
        return [alarm.id for alarm in page.rows]

    assert await found("M-100%") == ["m-100%"]
    assert await found("steht quer") == ["m-1000"]
    assert "m-1000" in await found("拥堵", "traffic.congestion")
    with pytest.raises(PlaceUnusable):
        await store.alarms.find(Asked(after="nowhere"), now=NOW)


async def test_what_was_put_away_comes_back_when_it_is_worse_than_it_was_then(store: Store) -> None:
    await store.journal.tell([event(id, 0) for id in ("w-cleared", "w-shelved", "w-same")])
    await store.alarms.act(LIN, "w-shelved", Wish(act=Act.TAKE), now=NOW)
    shelf = Wish(act=Act.SHELVE, until=NOW + timedelta(hours=1))
    await store.alarms.act(LIN, "w-shelved", shelf, now=NOW)
    await store.alarms.act_together(LIN, ["w-cleared", "w-same"], Wish(act=Act.CLEAR), now=NOW)
    await store.journal.tell([event("w-same", 0, Severity.III), event("w-same", 0, Severity.IV)])
    worse = [event("w-cleared", 0, Severity.II), event("w-shelved", 0, Severity.I)]
    await store.journal.tell(worse)
    cleared, shelved, same = [await store.alarms.story(id, now=NOW) for id in ("w-cleared", "w-shelved", "w-same")]
    assert (cleared.handling.state, shelved.handling.state, same.handling.state) == ("new", "taken", "cleared")
    assert (cleared.acts[-1].act, cleared.acts[-1].facts) == (
        "return",
        {"from": "cleared", "severity": "II", "was": "III"},
    )
    await store.alarms.act(LIN, "w-cleared", Wish(act=Act.CLEAR), now=NOW)
    await store.journal.tell(worse)
    assert (await store.alarms.one("w-cleared", now=NOW)).handling.state is State.CLEARED, "that bad it was already"


async def test_who_has_taken_a_sign_has_the_event_that_is_behind_it(store: Store) -> None:
    signs = [event(f"x-sign{number}", number) for number in range(3)]
    await store.journal.tell(signs)
    await store.alarms.act(WU, "x-sign1", Wish(act=Act.TAKE), now=NOW)
    await store.alarms.act(LIN, "x-sign2", Wish(act=Act.TAKE), now=NOW + timedelta(minutes=1))
    merged = [msgspec.structs.replace(sign, ended_at=after(9), evidence={"merged_into": "x-head"}) for sign in signs]
    await store.journal.tell([event("x-head", 9, Severity.II), *merged])
    story = await store.alarms.story("x-head", now=NOW)
    assert (story.handling.state, story.handling.taken_by, story.handling.version) == (State.TAKEN, "wu", 1)
    assert [(act.act, act.by, act.facts) for act in story.acts] == [
        ("inherit", "", {"by": "wu", "from": "x-sign1"}),
    ]
    await store.journal.tell(merged)
    assert len((await store.alarms.story("x-head", now=NOW)).acts) == 1, "it is told again and inherited once"
