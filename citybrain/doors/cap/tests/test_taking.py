# SPDX-License-Identifier: Apache-2.0
"""Messages in a real database: taken once, closed by what replaces them, run out, told to the journal, let out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from citybrain.doors.cap import service
from citybrain.doors.cap import store as kept
from citybrain.doors.cap.model import Scope, Status
from citybrain.doors.cap.problems import RulesBroken
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import plain, whole
from citybrain.doors.cap.tests.signing import pair, signed, trusting
from citybrain.doors.cap.trust import NOBODY, SignatureRefused, Signatures, Trust
from citybrain.kernel.audit.recording import Machine
from citybrain.kernel.errors import Invalid
from citybrain.kernel.journal_records import EventView
from citybrain.kernel.records import Severity
from citybrain.kernel.store import Store

SENT = datetime.fromisoformat("2024-06-15T08:00:00+08:00")
OFFICER = Machine(account="officer", kind="staff")
NOON = datetime.fromisoformat("2024-06-15T12:00:00+08:00")


@pytest.fixture(autouse=True)
async def nothing_before(store: Store) -> AsyncIterator[None]:
    """Each test begins without warnings in force."""
    yield
    await service.look(store, NOON + timedelta(days=900))


def refers(*identifiers: str, sender: str = "s@x") -> str:
    """The element that names earlier messages."""
    return f"<references>{' '.join(f'{sender},{each},2024-06-15T08:00:00+08:00' for each in identifiers)}</references>"


async def take(
    city: Store, body: bytes, *, by: str = "centre", at: datetime = NOON, trust: Trust = NOBODY
) -> service.Taken:
    return await service.take(city, body, by=by, at=at, trust=trust)


async def in_force(city: Store, at: datetime = NOON, status: Status = Status.ACTUAL) -> list[str]:
    found = await kept.open_at(city.db, at, status=status, scopes=(Scope.PUBLIC,), limit=50)
    return sorted(each.identifier for each in found)


async def event_of(city: Store, taken: service.Taken) -> EventView:
    found = [each for each in await city.journal.events(limit=1000) if each.id == taken.kept.event_id]
    assert len(found) == 1
    return found[0]


async def test_a_message_is_taken_once_however_often_and_how_many_bring_it(store: Store) -> None:
    body = plain(identifier="once")
    taken = await asyncio.gather(*(take(store, body) for _ in range(5)))
    assert sorted(each.is_new for each in taken) == [False] * 4 + [True]
    assert len({each.kept.number for each in taken}) == 1
    assert await in_force(store) == ["once"]
    assert len([each for each in await store.journal.events(open_only=True) if each.kind == service.KIND]) == 1


async def test_the_same_name_for_other_words_is_refused_and_another_layout_is_not(store: Store) -> None:
    body = plain(identifier="same")
    await take(store, body)
    assert not (await take(store, body.replace(b"\n", b"\n\n"))).is_new
    with pytest.raises(service.Differs):
        await take(store, plain(identifier="same", severity="Minor"))


async def test_a_broken_message_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(RulesBroken):
        await take(store, plain(identifier="broken", severity="Bad"))
    assert await in_force(store) == []


async def test_an_event_says_what_a_person_needs_in_both_languages(store: Store) -> None:
    body = whole(identifier="said", msgType="Alert", scope="Public", expires="2024-06-16T11:00:00+08:00")
    event = await event_of(store, await take(store, body))
    assert (event.kind, event.severity, event.ended_at) == ("cap.alert", Severity.I, None)
    assert event.because.facts["event"] == {"zh": "暴雨红色预警", "en": "Red rainstorm warning"}
    assert event.evidence["headline"] == {"zh": "暴雨 & 雷电", "en": "暴雨 & 雷电"}
    assert event.geometry["type"] == "Polygon"
    assert event.entity_id == "urn:cap:weather@city.example,said"


async def test_a_cancel_closes_what_it_names_and_ends_its_event(store: Store) -> None:
    first = await take(store, plain(identifier="c1"))
    other = await take(store, plain(identifier="c2"))
    taken = await take(store, plain(identifier="c3", type="Cancel", head=refers("c1")))
    assert taken.closed == 1
    assert await in_force(store) == ["c2"]
    assert (await event_of(store, first)).ended_at is not None
    assert (await event_of(store, other)).ended_at is None


async def test_an_update_goes_on_with_the_event_and_ends_those_it_joins(store: Store) -> None:
    first, second = await take(store, plain(identifier="u1")), await take(store, plain(identifier="u2"))
    update = await take(store, plain(identifier="u3", type="Update", severity="Extreme", head=refers("u1", "u2")))
    assert update.kept.event_id == first.kept.event_id
    assert await in_force(store) == ["u3"]
    event = await event_of(store, update)
    assert (event.severity, event.ended_at) == (Severity.I, None)
    assert (await event_of(store, second)).ended_at is not None


async def test_a_cancel_that_is_faster_than_its_alert_still_counts(store: Store) -> None:
    await take(store, plain(identifier="late2", type="Cancel", head=refers("late1")))
    late = await take(store, plain(identifier="late1"))
    assert late.kept.closed_because == "Cancel"
    assert await in_force(store) == []
    assert late.kept.event_id not in {each.id for each in await store.journal.events(limit=1000)}


async def test_nobody_closes_what_somebody_else_said(store: Store) -> None:
    await take(store, plain(identifier="mine"))
    strange = plain(identifier="theirs", sender="other@x", type="Cancel", head=refers("mine"))
    assert (await take(store, strange, by="stranger")).closed == 0
    test = plain(identifier="trial", status="Test", type="Cancel", head=refers("mine"))
    assert (await take(store, test)).closed == 0
    assert await in_force(store) == ["mine"]
    assert (await take(store, strange.replace(b"theirs", b"handed-on"), by="centre")).closed == 1


async def test_tests_and_acknowledgements_are_kept_and_tell_nobody(store: Store) -> None:
    for number, (status, type) in enumerate((("Test", "Alert"), ("Exercise", "Alert"), ("Actual", "Ack"))):
        head = refers("x") if type == "Ack" else ""
        await take(store, plain(identifier=f"quiet{number}", status=status, type=type, head=head))
    assert await in_force(store) == []
    assert await in_force(store, status=Status.TEST) == ["quiet0"]
    assert [each for each in await store.journal.events(open_only=True) if each.kind == service.KIND] == []


async def test_a_warning_runs_out_when_it_says_so_or_after_a_day(store: Store) -> None:
    ending = await take(store, plain(identifier="e1", info="<expires>2024-06-15T13:00:00+08:00</expires>"))
    await take(store, plain(identifier="e2"))
    assert await in_force(store, NOON + timedelta(hours=1)) == ["e2"]
    await service.look(store, NOON + timedelta(hours=2))
    assert (await event_of(store, ending)).ended_at == NOON + timedelta(hours=1)
    assert await in_force(store, SENT + timedelta(hours=23)) == ["e2"]
    assert await in_force(store, SENT + timedelta(hours=24)) == []


async def test_what_is_over_when_it_comes_is_kept_and_tells_nobody(store: Store) -> None:
    taken = await take(store, plain(identifier="old"), at=NOON + timedelta(days=30))
    assert taken.kept.closed_because == "expired"
    assert taken.kept.event_id not in {each.id for each in await store.journal.events(limit=1000)}


async def test_a_city_cut_off_before_telling_tells_later_and_once(store: Store) -> None:
    body = plain(identifier="cut")
    cut = await service._keep(store, service.Incoming(read(body), body), by="centre", at=NOON)
    assert cut.kept.event_id not in {each.id for each in await store.journal.events(limit=1000)}
    await service.look(store, NOON)
    await service.look(store, NOON)
    assert (await event_of(store, cut)).ended_at is None


async def test_a_warning_stays_open_when_a_field_begins_anew(store: Store) -> None:
    taken = await take(store, plain(identifier="stays"))
    await store.journal.end_open_events(at=NOON)
    assert (await event_of(store, taken)).ended_at is not None
    await service.look(store, NOON)
    assert (await event_of(store, taken)).ended_at is None


async def test_messages_are_forgotten_a_year_after_their_end(store: Store) -> None:
    await take(store, plain(identifier="forgotten"))
    await service.look(store, NOON + timedelta(days=300))
    assert await kept.find(store.db, "forgotten", sender=None, scopes=tuple(Scope)) is not None
    await service.look(store, NOON + timedelta(days=400))
    assert await kept.find(store.db, "forgotten", sender=None, scopes=tuple(Scope)) is None


async def test_what_the_city_lets_out_is_in_force_and_raises_no_event(store: Store) -> None:
    alert = read(plain(identifier="ours")).alert
    issued = await service.issue(store, alert, by=OFFICER, at=NOON)
    assert issued.kept.is_ours
    assert read(issued.kept.body).alert == alert
    assert await in_force(store) == ["ours"]
    assert [each for each in await store.journal.events(open_only=True) if each.kind == service.KIND] == []


async def test_the_city_lets_nothing_out_that_others_could_not_read(store: Store) -> None:
    alert = read(plain(identifier="bad")).alert
    half = replace(alert.infos[0], headline="half \ud83c")
    control = replace(alert.infos[0], headline="bell \x07")
    changes: list[dict[str, Any]] = [
        {"infos": (half,)},
        {"infos": (control,)},
        {"scope": Scope.PRIVATE},
        {"identifier": "a b"},
    ]
    for change in changes:
        with pytest.raises(Invalid):
            await service.issue(store, replace(alert, **change), by=OFFICER, at=NOON)
    assert await in_force(store) == []


async def test_what_is_not_signed_as_it_must_be_leaves_nothing_behind(store: Store) -> None:
    trust = trusting(pair("p256"))
    changed = signed(plain(identifier="forged"), pair("p256")).replace(b"Rain", b"Snow")
    for body in (plain(identifier="forged"), signed(plain(identifier="forged"), pair("p256", 1)), changed):
        with pytest.raises(SignatureRefused):
            await take(store, body, trust=trust)
    assert await in_force(store) == []


async def test_a_warning_and_its_event_say_how_it_is_signed(store: Store) -> None:
    certificate = pair("p256").certificate
    true = await take(store, signed(plain(identifier="true"), pair("p256")), trust=trusting(pair("p256")))
    event = await event_of(store, true)
    assert event.because.code == "cap.warned_signed"
    assert (event.evidence["signature"], event.evidence["signed_by"]) == ("valid", certificate.fingerprint)
    assert service.shown(true.kept)["signature"] == "valid"
    checked = trusting(pair("p256"), asked=Signatures.CHECKED)
    strange = await take(store, signed(plain(identifier="strange"), pair("p256", 1)), trust=checked)
    assert [each.code for each in strange.remarks][:1] == ["cap.signature_unknown"]
    assert (await event_of(store, strange)).because.code == "cap.warned_doubtful"
    bare = await take(store, plain(identifier="bare"), trust=checked)
    assert [each.code for each in bare.remarks][:1] == ["cap.signature_none"]
    assert (await event_of(store, bare)).because.code == "cap.warned"


async def test_a_message_that_comes_again_with_a_signature_is_kept_with_it(store: Store) -> None:
    trust = trusting(pair("p256"), asked=Signatures.CHECKED)
    bare = plain(identifier="again")
    await take(store, bare, trust=trust)
    body = signed(bare, pair("p256"))
    taken = await take(store, body, trust=trust)
    assert (taken.is_new, taken.kept.signature, taken.kept.body) == (False, "valid", body)
    taken = await take(store, bare, trust=trust)
    assert (taken.kept.signature, taken.kept.body) == ("valid", body)


async def test_what_another_sender_signed_is_not_closed_by_who_does_not_sign(store: Store) -> None:
    trust = trusting(pair("p256"))
    await take(store, signed(plain(identifier="strong"), pair("p256")), trust=trust)
    cancel = plain(identifier="weak", sender="other@x", type="Cancel", head=refers("strong"))
    assert (await take(store, cancel, trust=trust)).closed == 0
    assert await in_force(store) == ["strong"]
    true = signed(plain(identifier="over", type="Cancel", head=refers("strong")), pair("p256"))
    assert (await take(store, true, trust=trust)).closed == 1


async def test_what_the_city_lets_out_is_signed_with_its_key(store: Store) -> None:
    alert = read(plain(identifier="ours-signed")).alert
    trust = Trust(signer=pair("p384").signer)
    issued = await service.issue(store, alert, by=OFFICER, at=NOON, trust=trust)
    assert read(issued.kept.body).alert == alert
    others = trusting(pair("p384"), sender=alert.sender)
    assert others.judge(read(issued.kept.body), issued.kept.body, NOON).state == "valid"
    assert (issued.kept.signature, issued.kept.signed_by) == ("valid", pair("p384").certificate.fingerprint)
