# SPDX-License-Identifier: Apache-2.0
"""Runs of playbooks, their lines, and whether orders helped."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.apps.operations.control.means.acts import PROGRESS
from citybrain.apps.operations.decide.lines import Run, RunLine
from citybrain.apps.operations.decide.planning import UNIT
from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.records import Facts, Json

ALL = 1_000_000


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    position_read: str
    position_write: str
    run_add: str
    run_write: str
    line_write: str
    runs: str
    run_events: str
    run_groups: str
    done_lately: str
    run_counts: str
    check_add: str
    checks_due: str
    check_write: str
    check_now: str
    check_settled: str
    checks_of: str
    check_next: str


SQL = sql.load(Path(__file__).with_name("queries_runs.sql"), Sql)


class Done(msgspec.Struct, frozen=True):
    """A means that was used on an entity, with its parameters as JSON, for a kind of event at a place."""

    kind: str
    place: str
    means: str
    entity_id: str
    parameters: bytes

    @classmethod
    def of(cls, kind: str, place: str, means: str, entity_id: str, parameters: Facts) -> "Done":
        """With the parameters in one form, whatever their order and whoever is sent."""
        said = {name: value for name, value in parameters.items() if name != UNIT}
        return cls(kind, place, means, entity_id, msgspec.json.encode(said, order="deterministic"))


class _DoneRow(msgspec.Struct, frozen=True):
    kind: str
    place: str
    means: str
    entity_id: str
    parameters: Facts


class Count(msgspec.Struct, frozen=True):
    """How many runs a playbook had, and how many are open."""

    playbook: str
    open: int
    all: int


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What an order that was carried out promises, to be looked at when it is due. Times are the city's."""

    order_id: str
    means: str
    entity_id: str
    event_id: str | None
    run_id: str | None
    line: int | None
    part: int | None
    attribute: str
    of_entity: str
    becomes: str
    value: Json
    parameters: Facts
    before: Json
    executed_at: datetime
    due_at: datetime


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, with the values before and after; `waiting` while it is not due."""

    order_id: str
    line: int
    part: int
    attribute: str
    of_entity: str
    becomes: str
    value: Json
    before: Json
    after: Json
    executed_at: datetime
    due_at: datetime
    state: str
    checked_at: datetime | None


async def position(db: Database) -> int | None:
    """How far the committed events were dealt with; None in a city that never did."""
    return await db.read_one(SQL.position_read, as_=int)


async def move_on(where: Database | Transaction, outbox_id: int) -> None:
    """Remember how far the committed events were dealt with."""
    await where.write(SQL.position_write, {"outbox_id": outbox_id})


async def add(transaction: Transaction, runs: Sequence[Run]) -> None:
    """Write new runs with their lines."""
    await transaction.write_many(SQL.run_add, [_row(run) for run in runs])
    await write_lines(transaction, [(run.id, line) for run in runs for line in run.lines])


async def write(transaction: Transaction, runs: Iterable[Run]) -> None:
    """Write what changes of a run itself."""
    await transaction.write_many(SQL.run_write, [_row(run) for run in runs])


async def write_lines(transaction: Transaction, lines: Iterable[tuple[str, RunLine]]) -> None:
    """Write lines, new or changed."""
    rows = [{**msgspec.structs.asdict(line), "run_id": run, "means": line.spec.means} for run, line in lines]
    await transaction.write_many(SQL.line_write, rows)


async def find(
    where: Database | Transaction,
    *,
    id: str | None = None,
    event_id: str | None = None,
    state: str | None = None,
    playbook: str | None = None,
    limit: int = ALL,
) -> Sequence[Run]:
    """Runs with their lines, the newest first."""
    asked = {"id": id, "event_id": event_id, "state": state, "playbook": playbook, "order_id": None}
    return await where.read(SQL.runs, {**asked, "limit": limit}, as_=Run)


async def of_order(db: Database, order_id: str) -> Run | None:
    """The run of which a line gave this order."""
    asked = {"id": None, "event_id": None, "state": None, "playbook": None, "order_id": order_id, "limit": 1}
    return await db.read_one(SQL.runs, asked, as_=Run)


async def known(db: Database, event_ids: Collection[str]) -> set[tuple[str, str]]:
    """The events among these that have runs, each with the playbook."""
    found = await db.read(SQL.run_events, {"ids": list(event_ids)}, as_=str)
    return {(event, playbook) for event, _, playbook in (each.rpartition(" ") for each in found)}


async def groups(db: Database, among: Collection[str]) -> frozenset[str]:
    """The storms among these that have a run."""
    return frozenset(await db.read(SQL.run_groups, {"groups": list(among)}, as_=str)) if among else frozenset()


async def done_lately(db: Database, places: Collection[str], since: datetime) -> set[Done]:
    """What was ordered for events at these places that began since a time, and still holds."""
    found = await db.read(SQL.done_lately, {"places": list(places), "since": since}, as_=_DoneRow)
    return {Done.of(row.kind, row.place, row.means, row.entity_id, row.parameters) for row in found}


async def counts(db: Database) -> Mapping[str, Count]:
    """How many runs each playbook had."""
    return {each.playbook: each for each in await db.read(SQL.run_counts, as_=Count)}


async def add_checks(transaction: Transaction, checks: Iterable[Check]) -> None:
    """Write what is to be looked at later; an order is looked at once."""
    rows: list[dict[str, Any]] = []
    for check in checks:
        row = msgspec.structs.asdict(check)
        rows.append({**row, "value": _json(check.value), "before": _json(check.before)})
    await transaction.write_many(SQL.check_add, rows)


async def due(db: Database, city_at: datetime) -> Sequence[Check]:
    """What is to be looked at by a time of the city."""
    return await db.read(SQL.checks_due, {"city_at": city_at}, as_=Check)


async def next_due(db: Database) -> datetime | None:
    """When something is to be looked at next; None when nothing is."""
    return await db.read_one(SQL.check_next, as_=datetime)


async def write_check(transaction: Transaction, order_id: str, *, state: str, after: Json, at: datetime) -> None:
    """Write what was found."""
    await transaction.write(SQL.check_write, {"order_id": order_id, "state": state, "after": _json(after), "at": at})


async def check_now(db: Database, order_id: str, *, at: datetime) -> bool:
    """Look at a promise now rather than when it is due; answers with whether there was one to look at."""
    return await db.write(SQL.check_now, {"order_id": order_id, "at": at}) > 0


async def check_settled(db: Database, order_id: str, progress: float, *, at: datetime) -> bool:
    """Look now at a promise of work that has come as far as it was to, or that will never."""
    asked = {"order_id": order_id, "attribute": PROGRESS, "progress": progress, "at": at}
    return await db.write(SQL.check_settled, asked) > 0


async def checks_of(db: Database, run_id: str) -> Sequence[Checked]:
    """What was found of the orders of a run."""
    return await db.read(SQL.checks_of, {"run_id": run_id}, as_=Checked)


def _row(run: Run) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(run).items() if name != "lines"}


def _json(value: Json) -> str | None:
    return None if value is None else to_json(value).decode()
