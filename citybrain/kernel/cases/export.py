# SPDX-License-Identifier: Apache-2.0
"""Lists of cases to take along, with personal fields as who asks may see them; and what became of acts on many."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from citybrain.kernel.access.actor import Actor, Fields, Shown
from citybrain.kernel.access.policy import fields, require
from citybrain.kernel.audit import record
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.form_problems import label_at
from citybrain.kernel.cases.forms import fields_of
from citybrain.kernel.cases.query import CaseQuery
from citybrain.kernel.cases.rights import EXPORT, VIEW
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.showing import shown_value, sorts_of
from citybrain.kernel.cases.tables import Form, Row, TooManyRows, write_csv, write_xlsx
from citybrain.kernel.clock import TIMEZONE
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid, Refusal
from citybrain.kernel.i18n import Words
from citybrain.kernel.privacy import Sort
from citybrain.kernel.privacy.people import Asking, check_reason, note_looks
from citybrain.kernel.records import Facts, Json, Text

PAGE = 200
ROWS_AT_MOST = 200_000
COLUMNS_AT_MOST = 100
ZONE = ZoneInfo(TIMEZONE)
MANY = 500  # of one bulk act
MARKED_AT_MOST = 1_000

PLAIN = (
    *("number", "type", "state", "title", "department", "assignee", "priority", "channel", "category", "address"),
    *("longitude", "latitude", "created_at", "due_at", "closed_at", "changed_at", "reopened", "transfers"),
)


class ExportRefused(Invalid):
    """A column that there is not, or more than may be taken along at once."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: `name` of the case or `fields.…` of its form; `sort` where it is personal."""

    name: str
    label: Text
    sort: Sort | None = None


def columns_of(names: Sequence[str], type: CaseType | None, words: Words) -> list[Column]:
    """Columns by name, with what people call them. Fields of a form need its type; refuses `ExportRefused`."""
    if not 0 < len(names) <= COLUMNS_AT_MOST:
        raise ExportRefused("kernel.export_columns", {"limit": COLUMNS_AT_MOST})
    form = fields_of(type.form) if type else {}
    personal = sorts_of(type) if type else {}
    found: list[Column] = []
    for name in names:
        field = name.removeprefix("fields.")
        if name in PLAIN:
            label: Text = {lang: words.sentence(f"column.case.{name}", {}, lang) for lang in ("zh", "en")}
            found.append(Column(name=name, label=label))
        elif name.startswith("fields.") and field in form and type:
            found.append(Column(name=name, label=label_at(type.form, [field]), sort=personal.get(field)))
        else:
            raise ExportRefused("kernel.export_column_unknown", {"column": name[:80]})
    return found


def _cell(case: Case, column: Column, taking: "_Taking") -> Json:
    if column.name == "state":
        return taking.states.get((case.type, case.state), case.state)
    if not column.name.startswith("fields."):
        return getattr(case, column.name)
    field = column.name.removeprefix("fields.")
    value = dict(case.fields).get(field)
    return value if column.sort is None else shown_value(column.sort, value, taking.how(field))


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that somebody marked, in this order; with one type the columns of its form can be taken along."""

    ids: tuple[int, ...]
    types: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one of many: done, or refused with the code and facts of why."""

    id: int
    number: str = ""
    done: bool
    code: str = ""
    facts: Facts = {}


class Export:
    """Takes lists along. Files of Excel are made in `folder` before they are sent."""

    def __init__(self, db: Database, cases: Cases, words: Words, folder: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._db = db
        self._cases = cases
        self._words = words
        self._folder = folder

    async def write(
        self,
        actor: Actor,
        query: CaseQuery | Marked,
        columns: Sequence[str],
        *,
        form: Form,
        lang: str,
        reason: str = "",
    ) -> AsyncIterator[bytes]:
        """The cases of a question, or those that are marked, as many as the actor sees, in pieces as they come.

        It is written down before the first piece leaves: who, what was asked, which columns, which of them in clear.
        Columns of a form need a question about one type. Personal ones are masked unless the right shows them clear and
        a reason is given, which each person can read. Refuses `NotPermitted`, `ExportRefused`, `TooManyRows`.
        """
        require(actor, EXPORT)
        if reason:
            check_reason(reason)
        if isinstance(query, Marked) and len(query.ids) > MARKED_AT_MOST:
            raise ExportRefused("kernel.bulk_too_many", {"limit": MARKED_AT_MOST})
        now = self._clock()
        type = await self._cases.types.current(query.types[0], now) if len(query.types) == 1 else None
        chosen = columns_of(columns, type, self._words)
        taking = _Taking(columns=chosen, shown=fields(actor, VIEW), states=await self._states(lang), reason=reason)
        await self._note(actor, query, taking, form)
        heading = [column.label.get(lang, column.name) for column in chosen]
        return self._table(heading, self._rows(actor, query, taking), form)

    def results(self, results: Sequence[Done], form: Form, lang: str) -> AsyncIterator[bytes]:
        """What became of many, for those who look into it later."""
        words = self._words
        heading = [words.sentence(f"column.bulk.{name}", {}, lang) for name in ("number", "result", "why")]

        async def rows() -> AsyncIterator[Row]:
            for each in results:
                result = words.sentence("kernel.bulk_done" if each.done else "kernel.bulk_refused", {}, lang)
                yield [each.number or each.id, result, words.sentence(each.code, each.facts, lang) if each.code else ""]

        return self._table(heading, rows(), form)

    def _table(self, heading: Row, rows: AsyncIterator[Row], form: Form) -> AsyncIterator[bytes]:
        if form is Form.CSV:
            return write_csv(heading, rows, ZONE)
        self._folder.mkdir(parents=True, exist_ok=True)
        return write_xlsx(heading, rows, ZONE, into=self._folder / f"{token_hex(16)}.xlsx")

    async def _note(self, actor: Actor, query: CaseQuery | Marked, taking: "_Taking", form: Form) -> None:
        asked = {
            name: value
            for name, value in msgspec.to_builtins(query).items()
            if value and name not in {"after", "limit", "words", "identifier"}
        }
        facts: Facts = {
            "query": asked,
            "by_words": isinstance(query, CaseQuery) and bool(query.words),
            "columns": [each.name for each in taking.columns],
            "clear": taking.clear,
            "form": form,
        }
        async with self._db.transaction() as transaction:
            await record(transaction, actor=actor, act="case.export", object="cases", facts=facts)

    async def _states(self, lang: str) -> Mapping[tuple[str, str], str]:
        """What people call the states of all types that are valid now."""
        types = await self._cases.types.valid(self._clock())
        return {(type.id, name): state.words.get(lang, name) for type in types for name, state in type.states.items()}

    async def _rows(self, actor: Actor, query: CaseQuery | Marked, taking: "_Taking") -> AsyncIterator[Row]:
        """Page by page, so that no more than one is in memory."""
        count = 0
        async for page in self._marked(actor, query) if isinstance(query, Marked) else self._found(actor, query):
            opened = self._opened(actor, page, taking) if taking.clear else self._cases.covered(actor, *page)
            for case in await opened:
                count += 1
                if count > ROWS_AT_MOST:
                    raise TooManyRows("kernel.export_too_many_rows", {"limit": ROWS_AT_MOST})
                yield [_cell(case, column, taking) for column in taking.columns]

    async def _found(self, actor: Actor, query: CaseQuery) -> AsyncIterator[Sequence[Case]]:
        query = replace(query, limit=PAGE, after=None)
        marks = self._cases.hooks.sealing.marks(query.identifier)
        while True:
            page = await self._cases.finding.find(actor, query, marks)
            yield page.cases
            if page.next is None:
                return
            query = replace(query, after=page.next)

    async def _marked(self, actor: Actor, marked: Marked) -> AsyncIterator[Sequence[Case]]:
        chosen = list(dict.fromkeys(marked.ids))
        for start in range(0, len(chosen), PAGE):
            ids = chosen[start : start + PAGE]
            seen = await self._cases.finding.those(actor, ids)
            yield [seen[id] for id in ids if id in seen]

    async def _opened(self, actor: Actor, cases: Sequence[Case], taking: "_Taking") -> Sequence[Case]:
        """A page in clear; each person can read that it was taken along, and why."""
        sealing = self._cases.hooks.sealing
        secrets = await sealing.secrets(self._db, cases)
        persons: dict[int, list[bytes]] = {}
        for each in secrets.values():
            if each.mark and each.mark not in persons.setdefault(each.case_id, []):
                persons[each.case_id].append(each.mark)
        askings = [
            Asking(
                permission=EXPORT,
                purpose="export",
                reason=taking.reason,
                person=persons[case.id][0],
                also=tuple(persons[case.id][1:]),
                object=f"case:{case.id}",
                department=case.department,
            )
            for case in cases
            if persons.get(case.id)
        ]
        async with self._db.transaction() as transaction:
            await note_looks(transaction, actor, askings, [name.removeprefix("fields.") for name in taking.clear])
        return [replace(case, fields=sealing.clear(case.id, case.fields, secrets)) for case in cases]


class _Taking(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken along: columns, how personal ones are shown, what states are called, and why."""

    columns: Sequence[Column]
    shown: Fields
    states: Mapping[tuple[str, str], str]
    reason: str

    def how(self, field: str) -> Shown:
        """How a personal field is shown: in clear only to who may and says why."""
        shown = self.shown.of(field)
        return Shown.MASKED if shown is Shown.CLEAR and not self.reason else shown

    @property
    def clear(self) -> list[str]:
        """The columns that are taken along in clear."""
        personal = [each.name for each in self.columns if each.sort]
        return [name for name in personal if self.how(name.removeprefix("fields.")) is Shown.CLEAR]


async def on_many(ids: Sequence[int], act: Callable[[int], Awaitable[Case | None]]) -> list[Done]:
    """The same act on many cases, each for itself, in the order given: a refusal of one does not hold up the others."""
    chosen = list(dict.fromkeys(ids))
    if len(chosen) > MANY:
        raise ExportRefused("kernel.bulk_too_many", {"limit": MANY})
    found: list[Done] = []
    for id in chosen:
        try:
            case = await act(id)
        except Refusal as refusal:
            number = str(refusal.facts.get("number", ""))
            found.append(Done(id=id, number=number, done=False, code=refusal.code, facts=refusal.facts))
        else:
            found.append(Done(id=id, number=case.number if case else "", done=True))
    return found
