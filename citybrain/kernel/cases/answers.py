# SPDX-License-Identifier: Apache-2.0
"""Answers that are given often: written once with slots, found while typing, filled in from the case."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.rights import ASSIGN, WORK
from citybrain.kernel.cases.words import asked, text_words, tsquery
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.records import Json

TITLE_LENGTH = 200
BODY_LENGTH = 8_000
SLOT = re.compile(r"\{([a-z_]+(?:\.[\w]+)?)\}")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    answer_insert: str
    answer_update: str
    answer_retire: str
    answer_used: str
    answer_get: str
    answer_search: str


SQL = sql.load(Path(__file__).with_name("queries_answers.sql"), Sql)


class NoSuchAnswer(NotFound):
    """There is no such template, or it was retired."""


class AnswerChanged(Conflict):
    """Somebody else changed the template; the facts hold the newer version."""


class AnswerUnusable(Invalid):
    """A template without title or body, or too long."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A template: `{number}`, `{title}`, `{address}`, `{fields.cause}` stand for what a case has.

    `department` None: for everybody. `category` empty: for all; else also for those below it.
    """

    title: str
    body: str
    category: str = ""
    department: str | None = None
    id: int = 0
    used: int = 0
    version: int = 1
    changed_by: str = ""
    changed_at: datetime | None = None


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A template filled in from a case, and the slots of which nothing is known: the clerk fills those."""

    text: str
    open_slots: tuple[str, ...]


# What of a case a slot may name. Who has a case inside the house is nobody's business outside it.
SLOTS = ("number", "title", "address", "created_at", "due_at")


class Answers:
    """The templates of one city."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, actor: Actor, answer: Answer, *, now: datetime) -> Answer:
        """Write a template, or a new version of one with an `id`; refuses `AnswerChanged` when it is not the newest.

        Those of a department are written by whoever assigns its cases, those for everybody by whoever does so in all.
        """
        self._check_may(actor, answer)
        if not answer.title.strip() or not answer.body.strip():
            raise AnswerUnusable("kernel.answer_empty", {})
        if len(answer.title) > TITLE_LENGTH or len(answer.body) > BODY_LENGTH:
            raise AnswerUnusable("kernel.answer_too_long", {"title": TITLE_LENGTH, "body": BODY_LENGTH})
        words = text_words([answer.title, answer.body, answer.category])
        params = {**msgspec.structs.asdict(answer), "words": words, "by": actor.account, "at": now}
        if not answer.id:
            id = (await self._db.read(SQL.answer_insert, params, as_=int))[0]
            return await self.get(id)
        self._check_may(actor, await self.get(answer.id))
        if not await self._db.write(SQL.answer_update, params):
            raise await self._changed(answer.id)
        return await self.get(answer.id)

    async def retire(self, actor: Actor, id: int, *, version: int, now: datetime) -> None:
        """Offer a template no longer; what was answered with it stays as it is."""
        self._check_may(actor, await self.get(id))
        params = {"id": id, "version": version, "by": actor.account, "at": now}
        if not await self._db.write(SQL.answer_retire, params):
            raise await self._changed(id)

    def may_change(self, actor: Actor, answer: Answer) -> bool:
        """Whether a template is the actor's to change and to retire."""
        reached = reach(actor, ASSIGN)
        return reached.all if answer.department is None else reached.covers(answer.department)

    def _check_may(self, actor: Actor, answer: Answer) -> None:
        require(actor, ASSIGN, department=answer.department)
        if answer.department is None and not reach(actor, ASSIGN).all:
            raise AnswerUnusable("kernel.answer_needs_department", {})

    async def _changed(self, id: int) -> AnswerChanged:
        newer = await self.get(id)
        facts = {"id": id, "version": newer.version, "by": newer.changed_by}
        return AnswerChanged("kernel.answer_changed", facts)

    async def get(self, id: int) -> Answer:
        """One template; refuses `NoSuchAnswer`."""
        found = await self._db.read_one(SQL.answer_get, {"id": id}, as_=Answer)
        if found is None:
            raise NoSuchAnswer("kernel.no_such_answer", {"id": id})
        return found

    async def seen(self, actor: Actor, id: int) -> Answer:
        """One template of the actor's departments or of all; refuses `NoSuchAnswer`."""
        answer = await self.get(id)
        if answer.department is not None and not reach(actor, WORK).covers(answer.department):
            raise NoSuchAnswer("kernel.no_such_answer", {"id": id})
        return answer

    async def search(self, actor: Actor, text: str, *, category: str = "", limit: int = 20) -> list[Answer]:
        """Templates that have all that was typed, those of the category first; of the actor's departments and of all.

        Found by pieces of Chinese text, by initials of pinyin and by words.
        """
        require(actor, WORK)
        found = reach(actor, WORK)
        parts = category.split(".")
        above = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
        params = {
            "question": tsquery(asked(text)) if text.strip() else "",
            "departments": None if found.all else sorted(found.departments),
            "categories": [*above, ""],
            "limit": limit,
        }
        return await self._db.read(SQL.answer_search, params, as_=Answer)

    async def use(self, actor: Actor, id: int, case: Case) -> Filled:
        """A template that the actor has, filled in from a case; what is used most is offered first the next time."""
        answer = await self.seen(actor, id)
        await self._db.write(SQL.answer_used, {"id": id})
        return fill_answer(answer.body, case)


def fill_answer(body: str, case: Case) -> Filled:
    """Slots filled from a case. One of which nothing is known stays and is told."""
    left: list[str] = []

    def said(slot: re.Match[str]) -> str:
        value = _known(slot[1], case)
        if value in (None, ""):
            left.append(slot[1])
            return slot[0]
        return value.strftime("%Y-%m-%d") if isinstance(value, datetime) else str(value)

    return Filled(text=SLOT.sub(said, body), open_slots=tuple(dict.fromkeys(left)))


def _known(slot: str, case: Case) -> Json:
    name, _, field = slot.partition(".")
    if name == "fields" and field:
        value = dict(case.fields).get(field)
        return None if isinstance(value, Mapping | list) else value
    return getattr(case, name) if name in SLOTS else None
