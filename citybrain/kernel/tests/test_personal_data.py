# SPDX-License-Identifier: Apache-2.0
"""Nobody sees personal data without right, purpose and reason; the person sees who did, and has the last word."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from citybrain.kernel.access import Actor, Fields, Kind, Right, Shown
from citybrain.kernel.access.actor import EVERYTHING
from citybrain.kernel.audit import AuditQuery, search
from citybrain.kernel.crypto import KeyLost, KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.privacy import Basis, PersonalField, Retention, Sort
from citybrain.kernel.privacy.keeping import Sealed, agree_on_keys, encrypt_anew, give_up
from citybrain.kernel.privacy.people import (
    Asking,
    ConsentMissing,
    Gone,
    Holder,
    People,
    PurposeUnknown,
    ReasonMissing,
    RevealRefused,
    Wanted,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
YEAR = Retention(keep=timedelta(days=365))
PHONE = PersonalField(name="phone", purpose="answer", legal_basis=Basis.DUTY, retention=YEAR, sort=Sort.PHONE)
EMAIL = PersonalField(name="email", purpose="news", legal_basis=Basis.CONSENT, retention=YEAR, sort=Sort.EMAIL)
FACE = PersonalField(name="face", purpose="news", legal_basis=Basis.CONSENT, retention=YEAR, sensitive=True)
NUMBER = "13800131234"
PLACE = Place("case_person", "phone", 1)


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing.new(now=NOW)


@pytest.fixture
def people(db: Database, keys: KeyRing) -> People:
    return People(db, keys)


def clerk(shown: Mapping[str, Shown]) -> Actor:
    right = Right(reach=EVERYTHING, fields=Fields(named=shown, otherwise=Shown.MASKED))
    return Actor(name="Li", account="li", kind=Kind.STAFF, rights={"case.work": right})


def asking(people: People, **change: Any) -> Asking:
    usual = Asking(
        permission="case.work", purpose="answer", reason="call back about case 1", person=people.mark("phone", NUMBER),
        object="case:1", department="roads",
    )  # fmt: skip
    return msgspec.structs.replace(usual, **change)


async def _reveal(db: Database, people: People, keys: KeyRing, actor: Actor, ask: Asking) -> dict[str, str]:
    wanted = [Wanted(field=PHONE, sealed=keys.encrypt(NUMBER, PLACE), place=PLACE)]
    async with db.transaction() as transaction:
        return await people.reveal(transaction, actor, ask, wanted)


async def test_a_look_is_shown_to_the_person_and_to_the_audit(db: Database, people: People, keys: KeyRing) -> None:
    seen = await _reveal(db, people, keys, clerk({"phone": Shown.CLEAR}), asking(people))
    assert seen == {"phone": NUMBER}
    look = (await people.looks(people.marks("phone", "+86 138 0013 1234")))[0]
    assert (look.account, look.fields, look.purpose, look.reason) == (
        "li", ("phone",), "answer", "call back about case 1"
    )  # fmt: skip
    async with db.transaction() as transaction:
        entry = (await search(transaction, AuditQuery(act="privacy.reveal")))[0]
    assert (entry.actor, entry.object, entry.department) == ("li", "case:1", "roads")
    assert NUMBER not in entry.facts


# fmt: off
REFUSED: list[tuple[dict[str, Shown], dict[str, str], type[Exception], str]] = [
    ({}, {}, RevealRefused, "masked fields are not shown"),
    ({"phone": Shown.HIDDEN}, {}, RevealRefused, "hidden ones even less"),
    ({"phone": Shown.CLEAR}, {"permission": "case.view"}, RevealRefused, "a permission that was not given"),
    ({"phone": Shown.CLEAR}, {"purpose": "news"}, PurposeUnknown, "not what it was collected for"),
    ({"phone": Shown.CLEAR}, {"reason": "   x  "}, ReasonMissing, "no reason"),
]
# fmt: on


@pytest.mark.parametrize(("shown", "change", "refusal", "why"), REFUSED)
async def test_without_right_purpose_and_reason_nothing_is_seen(
    people: People, keys: KeyRing, shown: dict[str, Shown], change: dict[str, str], refusal: type[Exception], why: str
) -> None:
    db = people.db
    before = len(await people.looks(people.marks("phone", NUMBER)))
    with pytest.raises(refusal):
        await _reveal(db, people, keys, clerk(shown), asking(people, **change))
    assert len(await people.looks(people.marks("phone", NUMBER))) == before, why


async def test_consent_is_asked_for_given_and_taken_back(db: Database, people: People) -> None:
    person = people.marks("email", "li@example.cn")
    async with db.transaction() as transaction:
        await people.require_consent(transaction, person, [PHONE])  # a duty asks for none
        with pytest.raises(ConsentMissing):
            await people.require_consent(transaction, person, [EMAIL])
        await people.agree(transaction, person[0], [EMAIL, FACE], words="news-2", via="web", now=NOW)
        await people.require_consent(transaction, person, [EMAIL, FACE])
        assert await people.revoke(transaction, person, "news", now=NOW) == 2
        with pytest.raises(ConsentMissing):
            await people.require_consent(transaction, person, [EMAIL])
    found = await people.consents(person)
    assert [(each.fields, each.separate, each.revoked_at) for each in found] == [
        (("email",), False, NOW),
        (("face",), True, NOW),
    ]


async def test_a_general_consent_does_not_cover_what_is_sensitive(db: Database, people: People) -> None:
    person = people.marks("email", "wu@example.cn")
    async with db.transaction() as transaction:
        unseparated = msgspec.structs.replace(FACE, sensitive=False)
        await people.agree(transaction, person[0], [unseparated], words="news-2", via="web", now=NOW)
        with pytest.raises(ConsentMissing):
            await people.require_consent(transaction, person, [FACE])


async def test_a_person_takes_their_data_out_and_has_it_erased(db: Database, people: People) -> None:
    asked: list[Sequence[bytes]] = []

    async def take_out(transaction: Transaction, marks: Sequence[bytes]) -> Any:
        asked.append(marks)
        return [{"number": "C-1"}]

    async def erase(transaction: Transaction, marks: Sequence[bytes]) -> Gone:
        asked.append(marks)
        return Gone(erased=3, kept=1, laws=("档案法 article 29",))

    async def forget_due(transaction: Transaction, now: datetime) -> Gone:
        return Gone(anonymised=2) if now == NOW else Gone()

    people.holders.append(Holder(name="cases", take_out=take_out, erase=erase, forget_due=forget_due))
    marks = people.marks("phone", "13900000000")
    citizen = Actor(name="Wang", account="wang", kind=Kind.CITIZEN)
    assert (await people.take_out(citizen, marks))["parts"] == {"cases": [{"number": "C-1"}]}
    gone = await people.erase(citizen, marks, why="asked for it", now=NOW)
    assert gone["cases"].laws == ("档案法 article 29",)
    assert asked == [marks, marks]
    assert (await people.forget_due(NOW))["cases"].anonymised == 2
    assert await people.forget_due(NOW + timedelta(days=1)) == {}
    rows = await db.rows("SELECT holder, by, why, erased, anonymised, kept FROM privacy_erasure ORDER BY id")
    assert rows == [("cases", "wang", "asked for it", 3, 0, 1), ("cases", "brain", "due", 0, 2, 0)]


async def test_a_database_says_at_once_that_its_keys_are_not_there(db: Database, keys: KeyRing) -> None:
    await agree_on_keys(db, keys)
    await agree_on_keys(db, keys)
    keys.rotate(now=NOW)
    await agree_on_keys(db, keys)
    with pytest.raises(KeyLost) as refusal:
        await agree_on_keys(db, KeyRing.new(now=NOW))
    assert refusal.value.facts["numbers"] == [1, 2, 3, 4, 5]
    await give_up(db, [1, 2, 3, 4, 5], now=NOW)
    await agree_on_keys(db, KeyRing.new(now=NOW, first=6))


async def test_values_are_encrypted_anew_after_a_rotation(db: Database, keys: KeyRing) -> None:
    kept = {row: Sealed(Place("t", "c", row), keys.encrypt(f"value {row}", Place("t", "c", row))) for row in range(5)}
    keys.rotate(now=NOW)
    kept[4] = Sealed(kept[4].place, keys.encrypt("value 4", kept[4].place))

    async def old() -> AsyncIterator[list[Sealed]]:
        for row in range(5):
            yield [kept[row]]

    async def store(transaction: Transaction, anew: Sequence[Sealed]) -> None:
        kept.update({int(each.place.row): each for each in anew})

    assert await encrypt_anew(db, keys, old, store) == 4
    assert all(keys.is_current(each.value) for each in kept.values())
    assert [keys.decrypt(each.value, each.place) for each in kept.values()] == [f"value {row}" for row in range(5)]
