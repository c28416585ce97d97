# SPDX-License-Identifier: Apache-2.0
"""What was not believed waits aside for a person, who lets it in or throws it away, once, in the audit."""

import asyncio
from datetime import datetime, timedelta

import pytest

from citybrain.doors.cap import quarantine, service
from citybrain.doors.cap import store as kept
from citybrain.doors.cap.model import Scope, Status
from citybrain.doors.cap.quarantine import Aside, Decided, NotKeptAside, State
from citybrain.doors.cap.tests.sample import plain
from citybrain.doors.cap.tests.signing import pair, signed, trusting
from citybrain.doors.cap.trust import SignatureRefused
from citybrain.kernel.audit.recording import Machine
from citybrain.kernel.store import Store

NOON = datetime.fromisoformat("2024-06-15T12:00:00+08:00")
LIN = Machine(account="lin", kind="staff")
WU = Machine(account="wu", kind="staff")
ONE, OTHER = pair("p256"), pair("p256", 1)


@pytest.fixture(autouse=True)
async def nothing_before(store: Store) -> None:
    """Each test begins with nothing aside and nothing in force."""
    await store.db.write("DELETE FROM cap_quarantine")
    await service.look(store, NOON + timedelta(days=900))


async def refused(city: Store, body: bytes, by: str = "centre") -> str:
    with pytest.raises(SignatureRefused) as refusal:
        await service.take(city, body, by=by, at=NOON, trust=trusting(ONE))
    return refusal.value.verdict


async def waiting(city: Store) -> list[Aside]:
    return await quarantine.listed(city.db, [State.WAITING])


async def in_force(city: Store) -> list[tuple[str, str]]:
    found = await kept.open_at(city.db, NOON, status=Status.ACTUAL, scopes=(Scope.PUBLIC,), limit=50)
    return sorted((each.identifier, each.signature) for each in found)


async def test_what_is_not_believed_waits_with_its_reason_and_raises_nothing(store: Store) -> None:
    unsigned, strange = plain(identifier="q1"), signed(plain(identifier="q2"), OTHER)
    changed = signed(plain(identifier="q3"), ONE).replace(b"Rain", b"Snow")
    verdicts = [await refused(store, body) for body in (unsigned, strange, changed)]
    assert verdicts == ["none", "unknown", "wrong"]
    found = [(each.identifier, each.verdict, each.posted_by, each.state) for each in await waiting(store)]
    assert found == [
        ("q3", "wrong", "centre", "waiting"),
        ("q2", "unknown", "centre", "waiting"),
        ("q1", "none", "centre", "waiting"),
    ]
    assert quarantine.shown((await waiting(store))[0])["code"] == "cap.signature_wrong"
    assert await in_force(store) == []


async def test_the_same_message_again_is_counted_and_not_kept_twice(store: Store) -> None:
    for _ in range(3):
        await refused(store, plain(identifier="q4"))
    assert [(each.identifier, each.times) for each in await waiting(store)] == [("q4", 3)]


async def test_a_person_lets_a_message_in_which_says_that_it_was_not_confirmed(store: Store) -> None:
    await refused(store, plain(identifier="q5"))
    (aside,) = await waiting(store)
    taken = await service.release(store, aside.number, by=LIN, note="called the centre", at=NOON)
    assert await in_force(store) == [("q5", "none")]
    (event,) = [each for each in await store.journal.events(limit=1000) if each.id == taken.kept.event_id]
    assert event.evidence["signature"] == "none"
    decided = await quarantine.find(store.db, aside.number)
    assert (decided.state, decided.decided_by, decided.note) == (State.RELEASED, "lin", "called the centre")
    assert await waiting(store) == []
    logged = "SELECT facts::jsonb ->> 'note' FROM audit_entry WHERE object = 'alert:q5' AND act = 'cap.release'"
    assert await store.db.read(logged, as_=str) == ["called the centre"]
    assert await store.db.read("SELECT actor FROM audit_entry WHERE object = 'alert:q5'", as_=str) == ["lin"]


async def test_what_was_changed_on_its_way_is_told_as_doubtful_when_it_is_let_in(store: Store) -> None:
    await refused(store, signed(plain(identifier="q6"), ONE).replace(b"Rain", b"Snow"))
    (aside,) = await waiting(store)
    taken = await service.release(store, aside.number, by=LIN, note="they say so too", at=NOON)
    (event,) = [each for each in await store.journal.events(limit=1000) if each.id == taken.kept.event_id]
    assert event.because.code == "cap.warned_doubtful"


async def test_what_is_thrown_away_stays_away_even_when_it_comes_again(store: Store) -> None:
    body = plain(identifier="q7")
    await refused(store, body)
    (aside,) = await waiting(store)
    await service.discard(store, aside.number, by=WU, note="a joke", at=NOON)
    await refused(store, body)
    assert await waiting(store) == []
    assert await in_force(store) == []
    (gone,) = await quarantine.listed(store.db, [State.DISCARDED])
    assert (gone.decided_by, gone.times) == ("wu", 2)
    logged = "SELECT actor FROM audit_entry WHERE object = 'alert:q7' AND act = 'cap.discard'"
    assert await store.db.read(logged, as_=str) == ["wu"]


async def test_of_two_who_decide_at_once_one_does(store: Store) -> None:
    await refused(store, plain(identifier="q8"))
    (aside,) = await waiting(store)
    both = await asyncio.gather(
        service.release(store, aside.number, by=LIN, note="in", at=NOON),
        service.discard(store, aside.number, by=WU, note="out", at=NOON),
        return_exceptions=True,
    )
    assert [isinstance(each, Decided) for each in both].count(True) == 1
    decided = await quarantine.find(store.db, aside.number)
    is_in = bool(await in_force(store))
    assert is_in == (decided.state is State.RELEASED)
    for again in (service.release, service.discard):
        with pytest.raises(Decided):
            await again(store, aside.number, by=LIN, note="again", at=NOON)
    with pytest.raises(NotKeptAside):
        await service.discard(store, 10**9, by=LIN, note="?", at=NOON)


async def test_one_who_floods_the_quarantine_fills_only_a_part_of_his_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MOST_OF_ONE", 3)
    for number in range(5):
        await refused(store, plain(identifier=f"flood{number}"), by="loud")
    await refused(store, plain(identifier="quiet"), by="quiet")
    assert sorted(each.identifier for each in await waiting(store)) == ["flood0", "flood1", "flood2", "quiet"]


async def test_after_its_time_it_is_forgotten(store: Store) -> None:
    await refused(store, plain(identifier="q9"))
    await service.look(store, NOON + quarantine.KEPT)
    assert len(await waiting(store)) == 1
    await service.look(store, NOON + quarantine.KEPT + timedelta(seconds=1))
    assert await waiting(store) == []
