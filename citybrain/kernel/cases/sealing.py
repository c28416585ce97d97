# SPDX-License-Identifier: Apache-2.0
"""Personal fields of cases: encrypted apart from the case, which keeps a word for each; opened only where needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Fields, Shown
from citybrain.kernel.cases.case import Case, CaseEvent, Opening
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.showing import sorts_of
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Params, Transaction
from citybrain.kernel.privacy import Sort, mask, normalise
from citybrain.kernel.records import Facts, Json

WORD = "sealed:"
IDENTIFIERS = (Sort.PHONE, Sort.ID_NUMBER, Sort.EMAIL)
"""The sorts by which a person is found."""

T = TypeVar("T")
Key = tuple[int, str, int]  # case, field, number


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module and of those that keep personal data of cases."""

    secret_add: str
    secrets_of: str
    marks_of_case: str
    cases_of_marks: str
    cases_told: str
    cases_due: str
    secret_settle: str
    types_with_personal: str
    secrets_stale: str
    secret_renew: str


SQL = sql.load(Path(__file__).with_name("queries_secrets.sql"), Sql)


class Reader(Protocol):
    """A database or a transaction of it."""

    async def read(self, query: str, params: Params | None = None, *, as_: type[T]) -> list[T]: ...


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A personal value where it lies; `value` is empty once it was erased."""

    case_id: int
    field: str
    number: int
    sort: Sort
    value: bytes
    mark: bytes | None = None

    @property
    def word(self) -> str:
        """What stands for it in the case and its history."""
        return f"{WORD}{self.number}"

    @property
    def place(self) -> Place:
        """It opens in this case, field and number alone."""
        return place_of(self.case_id, self.field, self.number)


Secrets = Mapping[Key, Secret]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a case as they are stored, and in clear."""

    stored: Facts
    clear: Facts


class Sealing:
    """Seals and opens the personal fields of cases with the keys of a city. Without keys they lie in the case."""

    def __init__(self, keys: KeyRing | None) -> None:
        self._keys = keys
        self._sorts: dict[tuple[str, int], Mapping[str, Sort]] = {}

    def sorts(self, type: CaseType) -> Mapping[str, Sort]:
        """The personal fields of a published version, which never changes."""
        if self._keys is None:
            return {}
        known = self._sorts.get((type.id, type.version))
        if known is None:
            known = self._sorts[type.id, type.version] = sorts_of(type)
        return known

    def seal(self, after: Case, type: CaseType, opened: Opened) -> tuple[Facts, list[Secret]]:
        """The fields of a case as they are to be stored, and what is new to be kept apart.

        What is as it was keeps its word, also when the masked value came back from a page.
        """
        sorts = self.sorts(type)
        fields, secrets = dict(after.fields), list[Secret]()
        for name, value in after.fields.items():
            word, before = opened.stored.get(name), opened.clear.get(name)
            sort = sorts.get(name, Sort.OTHER)
            was_sealed = _number(word) is not None
            if was_sealed and value in (word, before, _masked(sort, before)):
                fields[name] = word
            elif value not in (None, "") and (was_sealed or name in sorts):
                came_back = word is not None and value == _masked(sort, before)
                secret = self._secret(after, name, sort, before if came_back else value)
                fields[name] = secret.word
                secrets.append(secret)
        return fields, secrets

    def _secret(self, case: Case, field: str, sort: Sort, value: Json) -> Secret:
        sealed = self._ring.encrypt(msgspec.json.encode(value), place_of(case.id, field, case.version))
        mark = self._ring.mark(sort, normalise(sort, str(value))) if sort in IDENTIFIERS else None
        return Secret(case_id=case.id, field=field, number=case.version, sort=sort, value=sealed, mark=mark)

    async def secrets(self, reader: Reader, cases: Iterable[Case]) -> Secrets:
        """All that is kept apart for some cases; those that have nothing sealed are not asked for."""
        ids = [case.id for case in cases if has_words(case.fields)]
        if not ids or self._keys is None:
            return {}
        found = await reader.read(SQL.secrets_of, {"ids": ids}, as_=Secret)
        return {(each.case_id, each.field, each.number): each for each in found}

    def clear(self, case_id: int, fields: Facts, secrets: Secrets) -> Facts:
        """Fields in clear; what was erased is empty."""
        return self._each(case_id, fields, secrets, lambda _secret, value: value)

    def masked(self, case_id: int, fields: Facts, secrets: Secrets, shown: Fields) -> Facts:
        """Fields as they are shown before anybody gave a reason: masked also to those who may see them in clear."""

        def cover(secret: Secret, value: Json) -> Json:
            return "" if shown.of(secret.field) is Shown.HIDDEN else _masked(secret.sort, value)

        return self._each(case_id, fields, secrets, cover)

    def _each(
        self, case_id: int, fields: Facts, secrets: Secrets, make: Callable[[Secret, Json], Json]
    ) -> dict[str, Json]:
        found = dict(fields)
        for name, value in fields.items():
            number = _number(value)
            secret = None if number is None else secrets.get((case_id, name, number))
            if secret is not None:
                found[name] = make(secret, self.value_of(secret))
        return found

    def value_of(self, secret: Secret) -> Json:
        """One value in clear."""
        return msgspec.json.decode(self._ring.decrypt_bytes(secret.value, secret.place)) if secret.value else ""

    @property
    def _ring(self) -> KeyRing:
        assert self._keys is not None, "a city without keys seals nothing"
        return self._keys

    async def of_part(self, reader: Reader, whole: Case, part: Opening) -> Opening:
        """A part of a case: what came back masked from a page is what the whole case has, in one of its own type."""
        if part.type != whole.type:
            return part
        secrets = await self.secrets(reader, [whole])
        clear = self.clear(whole.id, whole.fields, secrets)
        masked = self._each(whole.id, whole.fields, secrets, lambda secret, value: _masked(secret.sort, value))
        back = {name: clear[name] for name, value in part.fields.items() if name in masked and value == masked[name]}
        return replace(part, fields={**part.fields, **back})

    async def open(self, reader: Reader, case: Case) -> Opened:
        """The fields of a case in clear, for the engine's own rules."""
        secrets = await self.secrets(reader, [case])
        return Opened(stored=case.fields, clear=self.clear(case.id, case.fields, secrets))

    async def cover(self, reader: Reader, cases: Sequence[Case], shown: Fields) -> tuple[Case, ...]:
        """Cases as they are shown."""
        secrets = await self.secrets(reader, cases)
        if not secrets:
            return tuple(cases)
        return tuple(replace(each, fields=self.masked(each.id, each.fields, secrets, shown)) for each in cases)

    async def cover_events(self, reader: Reader, events: Sequence[CaseEvent], shown: Fields) -> tuple[CaseEvent, ...]:
        """Acts as they are shown: what they changed is not told by another way."""
        ids = {each.case_id for each in events if has_words(_changed(each))}
        if not ids or self._keys is None:
            return tuple(events)
        found = await reader.read(SQL.secrets_of, {"ids": sorted(ids)}, as_=Secret)
        secrets = {(each.case_id, each.field, each.number): each for each in found}
        return tuple(self._covered(each, secrets, shown) for each in events)

    def _covered(self, event: CaseEvent, secrets: Secrets, shown: Fields) -> CaseEvent:
        if "fields" not in event.changes:
            return event
        fields = self.masked(event.case_id, _changed(event), secrets, shown)
        return replace(event, changes={**event.changes, "fields": fields})

    def marks(self, identifier: str) -> list[bytes]:
        """Under what somebody with this phone number, id number or e-mail address may be kept."""
        if self._keys is None or not identifier:
            return []
        return [mark for sort in IDENTIFIERS for mark in self._keys.marks(sort, normalise(sort, identifier))]


async def keep(transaction: Transaction, secrets: Sequence[Secret]) -> None:
    """Write down what is kept apart."""
    await transaction.write_many(SQL.secret_add, [msgspec.structs.asdict(each) for each in secrets])


def place_of(case_id: int, field: str, number: int) -> Place:
    """Where a personal value of a case lies."""
    return Place("case_secret", "value", f"{case_id}/{number}/{field}")


def has_words(fields: Facts) -> bool:
    """Whether some of these fields may stand for what is kept apart."""
    return any(isinstance(value, str) and value.startswith(WORD) for value in fields.values())


def _changed(event: CaseEvent) -> Facts:
    fields = event.changes.get("fields")
    return fields if isinstance(fields, dict) else {}


def _number(value: Json) -> int | None:
    """The number in a word, None for any other value."""
    if not isinstance(value, str) or not value.startswith(WORD):
        return None
    number = value[len(WORD) :]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _masked(sort: Sort, value: Json) -> Json:
    return value if value in (None, "") else mask(sort, value if isinstance(value, str) else str(value))
