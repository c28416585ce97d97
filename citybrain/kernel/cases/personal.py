# SPDX-License-Identifier: Apache-2.0
"""Personal data of cases: seen in clear with a reason, taken out, erased, forgotten in time, encrypted anew."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.access.actor import Actor, Fields, Right, Shown
from citybrain.kernel.access.policy import NotPermitted, reach
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.rights import REVEAL, seen, works_on
from citybrain.kernel.cases.sealing import SQL, Sealing, Secret, place_of
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.showing import personal_fields
from citybrain.kernel.cases.work import one_case
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Invalid
from citybrain.kernel.privacy import AtEnd, Gone, Holder, Kept, PersonalField, Wanted, kept_rows, mask
from citybrain.kernel.privacy.people import Asking, People
from citybrain.kernel.records import Facts, Json

NAME = "cases"
PORTION = 500
# 个人信息保护法 47: what is still needed for the purpose it was given for need not be erased yet.
STILL_NEEDED = "个人信息保护法 47 (1)"


class NotPersonal(Invalid):
    """The type of the case declares no such personal field, or nothing of it is kept."""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    number: str
    type: str
    type_version: int
    title: str
    state: str
    phase: Phase
    address: str
    fields: Facts
    created_at: datetime
    closed_at: datetime | None


class Personal:
    """The personal data of all cases of a city."""

    def __init__(self, db: Database, keys: KeyRing, cases: Cases) -> None:
        self._db = db
        self._keys = keys
        self._cases = cases
        self._sealing = Sealing(keys)

    async def reveal(self, people: People, actor: Actor, id: int, names: Sequence[str], reason: str) -> dict[str, Json]:
        """Personal fields of a case in clear, by name. The look stands in the audit and in the person's own list.

        Needs `case.reveal` for the case, which is there for nothing else: a field is refused only where the role says
        that it stays masked or hidden. Refuses `NoSuchCase`, `NotPermitted`, `NotPersonal`, and without a reason.
        """
        case = await self._stored(actor, id)
        if not works_on(actor, REVEAL, case):
            facts = {"permission": REVEAL, "name": actor.name, "department": case.department}
            raise NotPermitted("kernel.not_permitted", facts)
        type = await self._cases.types.get(case.type, case.type_version)
        secrets = await self._sealing.secrets(self._db, [case])
        wanted = {name: self._wanted(case, type, name, list(secrets.values())) for name in dict.fromkeys(names)}
        if not wanted:
            raise NotPersonal("kernel.case_field_not_personal", {"number": case.number, "field": ""})
        marks = await self._db.read(SQL.marks_of_case, {"id": id}, as_=bytes)
        acting = msgspec.structs.replace(actor, rights={**actor.rights, REVEAL: _clear(actor)})
        found: dict[str, str] = {}
        async with self._db.transaction() as transaction:
            for purpose in sorted({each.field.purpose for each in wanted.values()}):
                asking = Asking(
                    permission=REVEAL,
                    purpose=purpose,
                    reason=reason,
                    person=marks[0] if marks else b"",
                    also=tuple(marks[1:]),
                    object=f"case:{id}",
                    department=case.department,
                )
                asked = [each for each in wanted.values() if each.field.purpose == purpose]
                found |= await people.reveal(transaction, acting, asking, asked)
        return {name: msgspec.json.decode(value) for name, value in found.items()}

    async def _stored(self, actor: Actor, id: int) -> Case:
        sight = seen(actor)
        found = await self._db.read_one(one_case(sight.condition), {"id": id, **sight.params}, as_=Case)
        if found is None:
            raise NoSuchCase("kernel.no_such_case", {"id": id})
        return found

    def _wanted(self, case: Case, type: CaseType, name: str, secrets: Sequence[Secret]) -> Wanted:
        field = next((each for each in personal_fields(type) if each.name == name), None)
        word = case.fields.get(name)
        secret = next((each for each in secrets if each.field == name and each.word == word), None)
        if field is None or secret is None or not secret.value:
            raise NotPersonal("kernel.case_field_not_personal", {"number": case.number, "field": name[:80]})
        return Wanted(field=field, sealed=secret.value, place=secret.place)

    def holder(self) -> Holder:
        """Cases as a part of the city that holds personal data."""
        return Holder(name=NAME, take_out=self._take_out, erase=self._erase, forget_due=self._forget_due)

    def kept(self) -> Kept:
        """Cases as a part of the city whose encrypted values follow the newest key."""
        stale, renew = SQL.secrets_stale, SQL.secret_renew
        return kept_rows(NAME, self._db, self._keys, stale=stale, renew=renew, place=lambda key: place_of(*key))

    async def _take_out(self, transaction: Transaction, marks: Sequence[bytes]) -> Json:
        """The person's cases with what they told of themselves, in clear."""
        ids = await transaction.read(SQL.cases_of_marks, {"marks": list(marks)}, as_=int)
        found = await transaction.read(SQL.cases_told, {"ids": ids}, as_=_Told)
        secrets = await transaction.read(SQL.secrets_of, {"ids": ids}, as_=Secret)
        kept = {(each.case_id, each.field, each.number): each for each in secrets}
        return [
            {
                "number": each.number,
                "type": each.type,
                "title": each.title,
                "state": each.state,
                "address": each.address,
                "at": each.created_at,
                "fields": self._sealing.clear(each.id, each.fields, kept),
            }
            for each in found
        ]

    async def _erase(self, transaction: Transaction, marks: Sequence[bytes]) -> Gone:
        """Of closed cases what no law keeps; of those that are under way nothing yet."""
        ids = await transaction.read(SQL.cases_of_marks, {"marks": list(marks)}, as_=int)
        found = {each.id: each for each in await transaction.read(SQL.cases_told, {"ids": ids}, as_=_Told)}
        gone = Gone()
        for secret in await transaction.read(SQL.secrets_of, {"ids": ids}, as_=Secret):
            case = found[secret.case_id]
            field = await self._field(transaction, case.type, case.type_version, secret.field)
            if case.phase is not Phase.CLOSED:
                gone = _sum(gone, Gone(kept=1, laws=(STILL_NEEDED,)))
            elif field is not None and field.retention.then is AtEnd.KEEP_BY_LAW:
                gone = _sum(gone, Gone(kept=1, laws=(field.retention.law,)))
            else:
                gone = _sum(gone, await self._settle(transaction, secret, field, None))
        return gone

    async def _forget_due(self, transaction: Transaction, now: datetime) -> Gone:
        """What was kept for its time after the case was closed."""
        gone = Gone()
        for id, version in await transaction.rows(SQL.types_with_personal):
            type = await self._cases.types.get(id, version, within=transaction)
            for field in personal_fields(type):
                if field.retention.then is AtEnd.KEEP_BY_LAW:
                    continue
                params = {"type": id, "version": version, "field": field.name, "limit": PORTION}
                before = {"closed_before": now - field.retention.keep}
                while due := await transaction.read(SQL.cases_due, {**params, **before}, as_=Secret):
                    for secret in due:
                        gone = _sum(gone, await self._settle(transaction, secret, field, now))
        return gone

    async def _settle(
        self, transaction: Transaction, secret: Secret, field: PersonalField | None, now: datetime | None
    ) -> Gone:
        """Let a value go, or keep of it what tells of nobody."""
        anonymise = field is not None and field.retention.then is AtEnd.ANONYMISE and secret.value
        value = b""
        if anonymise:
            plain = self._sealing.value_of(secret)
            less = mask(secret.sort, plain if isinstance(plain, str) else str(plain))
            value = self._keys.encrypt(msgspec.json.encode(less), secret.place)
        key = {"case_id": secret.case_id, "field": secret.field, "number": secret.number}
        done = await transaction.write(SQL.secret_settle, {**key, "value": value, "now": now})
        return Gone(anonymised=done) if anonymise else Gone(erased=done)

    async def _field(self, transaction: Transaction, type: str, version: int, name: str) -> PersonalField | None:
        found = await self._cases.types.get(type, version, within=transaction)
        return next((each for each in personal_fields(found) if each.name == name), None)


def _clear(actor: Actor) -> Right:
    """The right to reveal shows what its role does not say to be masked or hidden."""
    named = actor.rights[REVEAL].fields.named
    return Right(reach=reach(actor, REVEAL), fields=Fields(named=named, otherwise=Shown.CLEAR))


def _sum(one: Gone, other: Gone) -> Gone:
    return Gone(
        erased=one.erased + other.erased,
        anonymised=one.anonymised + other.anonymised,
        kept=one.kept + other.kept,
        laws=tuple(dict.fromkeys((*one.laws, *(each for each in other.laws if each)))),
    )
