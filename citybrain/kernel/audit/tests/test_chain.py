# SPDX-License-Identifier: Apache-2.0
"""What is done is kept, in order, and whoever changes the log afterwards is found."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.audit import (
    MACHINE,
    AuditQuery,
    Chain,
    Deed,
    Entry,
    Flaw,
    chaining,
    export,
    extend,
    record,
    record_all,
    seal,
    search,
    verify,
)
from citybrain.kernel.audit.chain import entry_bytes, link
from citybrain.kernel.crypto import AES, SM, KeyRing
from citybrain.kernel.db import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENTRY = Entry(
    id=1, at=NOW, actor="li", actor_kind="staff", on_behalf_of=None, act="case.move", object="case:1",
    department="roads", facts="{}",
)  # fmt: skip


class Clerk(msgspec.Struct, frozen=True):
    account: str = "li"
    kind: str = "staff"
    on_behalf_of: str | None = None


@pytest.fixture
async def log(db: Database) -> AsyncIterator[Database]:
    """A log with ten entries, chained, with seals at 4, 7 and 10; empty again afterwards."""
    await _tamper(db, "TRUNCATE audit_entry, audit_link, audit_waiting, audit_seal RESTART IDENTITY")
    yield db
    await _tamper(db, "TRUNCATE audit_entry, audit_link, audit_waiting, audit_seal RESTART IDENTITY")


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing.new(now=NOW)


async def _tamper(db: Database, *statements: str) -> None:
    """Change the log as only somebody can who may take its triggers away."""
    async with db.transaction() as transaction:
        await transaction.write("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await transaction.write(statement)


async def _act(db: Database, number: int) -> None:
    async with db.transaction() as transaction:
        await record(
            transaction, actor=Clerk(), act="case.move", object=f"case:{number}", facts={"to": "done", "n": 1.0}
        )


async def _fill(db: Database, keys: KeyRing, beside: Path | None = None) -> None:
    for number in range(1, 11):
        await _act(db, number)
        if number in (4, 7, 10):
            await seal(db, keys, now=NOW + timedelta(days=number), beside=beside)


async def test_a_log_as_it_was_written_is_whole(log: Database, keys: KeyRing) -> None:
    await _fill(log, keys)
    await _act(log, 11)
    report = await verify(log, keys)
    assert (report.whole, report.entries, report.waiting, report.seals, report.sealed) == (True, 11, 1, 3, 10)


async def test_what_is_rolled_back_was_never_recorded(log: Database, keys: KeyRing) -> None:
    with pytest.raises(RuntimeError):
        async with log.transaction() as transaction:
            await record(transaction, actor=Clerk(), act="case.move", object="case:1")
            raise RuntimeError
    await _act(log, 2)
    await extend(log, keys.family)
    report = await verify(log, keys)
    assert (report.whole, report.entries) == (True, 1)


@pytest.mark.parametrize("table", ["audit_entry", "audit_link", "audit_seal"])
@pytest.mark.parametrize("what", ["UPDATE {} SET position = 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_the_database_itself_refuses_to_change_the_log(
    log: Database, keys: KeyRing, table: str, what: str
) -> None:
    await _fill(log, keys)
    statement = what.format(table).replace("position = 1", "id = 1" if table == "audit_entry" else "position = 1")
    statement = statement.replace("SET id = 1", "SET actor = 'wang'")
    with pytest.raises(Exception, match="only ever added to"):
        await log.write(statement)
    assert (await verify(log, keys)).whole


# fmt: off
CRIMES: list[tuple[str, list[str], Flaw, int | None]] = [
    ("another actor", ["UPDATE audit_entry SET actor = 'wang' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another time", ["UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another kind", ["UPDATE audit_entry SET actor_kind = 'service' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another behalf", ["UPDATE audit_entry SET on_behalf_of = '' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another act", ["UPDATE audit_entry SET act = 'case.read' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another object", ["UPDATE audit_entry SET object = 'case:6' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another department", ["UPDATE audit_entry SET department = '' WHERE id = 5"], Flaw.CHANGED, 5),
    ("other facts", ["UPDATE audit_entry SET facts = '{\"n\":1}' WHERE id = 5"], Flaw.CHANGED, 5),
    ("another hash", ["UPDATE audit_link SET hash = sha256('x') WHERE position = 5"], Flaw.CHANGED, 5),
    ("an entry removed", ["DELETE FROM audit_entry WHERE id = 5"], Flaw.REMOVED_ENTRY, 5),
    ("a link removed", ["DELETE FROM audit_link WHERE position = 5"], Flaw.REMOVED_LINKS, 5),
    ("both removed", ["DELETE FROM audit_entry WHERE id = 5", "DELETE FROM audit_link WHERE position = 5"],
     Flaw.REMOVED_LINKS, 5),
    ("removed and closed up", ["DELETE FROM audit_entry WHERE id = 5", "DELETE FROM audit_link WHERE position = 5",
     "UPDATE audit_link SET position = -position WHERE position > 5",
     "UPDATE audit_link SET position = -position - 1 WHERE position < 0"], Flaw.CHANGED, 5),
    ("the end removed", ["DELETE FROM audit_entry WHERE id > 8", "DELETE FROM audit_link WHERE position > 8"],
     Flaw.END_REMOVED, 9),
    ("the beginning removed", ["DELETE FROM audit_entry WHERE id < 3", "DELETE FROM audit_link WHERE position < 3"],
     Flaw.REMOVED_LINKS, 1),
    ("an entry put in",
     ["INSERT INTO audit_entry (actor, actor_kind, act, object, facts) VALUES ('x', '', '', '', '')"],
     Flaw.INSERTED, None),
    ("one put between", ["UPDATE audit_link SET position = -position WHERE position > 5",
     "UPDATE audit_link SET position = -position + 1 WHERE position < 0",
     "INSERT INTO audit_entry (actor, actor_kind, act, object, facts) VALUES ('x', '', '', '', '')",
     "INSERT INTO audit_link SELECT 6, max(id), 'aes', sha256('x') FROM audit_entry"], Flaw.CHANGED, 6),
    ("two exchanged", ["UPDATE audit_link SET entry_id = 100 - entry_id WHERE position IN (5, 6)",
     "UPDATE audit_link SET entry_id = 106 - position - 95 WHERE position IN (5, 6)"], Flaw.CHANGED, 5),
    ("positions exchanged", ["UPDATE audit_link SET position = -position WHERE position IN (5, 6)",
     "UPDATE audit_link SET position = 11 + position WHERE position < 0"], Flaw.CHANGED, 5),
    ("a seal changed", ["UPDATE audit_seal SET at = at + interval '1 day' WHERE position = 7"], Flaw.SEAL_FORGED, 7),
    ("a seal of another", ["UPDATE audit_seal SET signature = sha512('x') WHERE position = 7"], Flaw.SEAL_FORGED, 7),
    ("a seal of another hash", ["UPDATE audit_seal SET hash = sha256('x') WHERE position = 7"], Flaw.SEAL_FORGED, 7),
    ("a seal by a key nobody has", ["UPDATE audit_seal SET key_number = 99 WHERE position = 7"], Flaw.SEAL_KEY_LOST, 7),
    ("a seal taken out of the middle", ["DELETE FROM audit_seal WHERE position = 7"], Flaw.SEAL_FORGED, 10),
]
# fmt: on


@pytest.mark.parametrize(("crime", "statements", "flaw", "position"), CRIMES, ids=[crime[0] for crime in CRIMES])
async def test_tampering_is_found_where_it_was_done(
    log: Database, keys: KeyRing, crime: str, statements: list[str], flaw: Flaw, position: int | None
) -> None:
    await _fill(log, keys)
    await _tamper(log, *statements)
    report = await verify(log, keys)
    assert not report.whole, crime
    assert report.first is not None
    assert (report.first.flaw, report.first.position) == (flaw, position)


async def test_a_chain_that_was_made_anew_after_a_change_does_not_fit_its_seals(log: Database, keys: KeyRing) -> None:
    await _fill(log, keys)
    await _tamper(
        log,
        "UPDATE audit_entry SET actor = 'wang' WHERE id = 5",
        "DELETE FROM audit_link",
        "INSERT INTO audit_waiting SELECT id FROM audit_entry",
    )
    await extend(log, keys.family)
    report = await verify(log, keys)
    assert [(each.flaw, each.position) for each in report.findings] == [
        (Flaw.SEAL_OF_OTHER_CHAIN, 7),
        (Flaw.SEAL_OF_OTHER_CHAIN, 10),
    ]


async def test_seals_made_anew_with_another_key_are_found(log: Database, keys: KeyRing) -> None:
    await _fill(log, keys)
    await _tamper(log, "DELETE FROM audit_seal")
    other = KeyRing.new(now=NOW)
    await seal(log, other, now=NOW)
    report = await verify(log, keys)
    assert report.first is not None
    assert report.first.flaw is Flaw.SEAL_FORGED


async def test_the_end_taken_out_with_its_seals_is_found_by_the_file_beside(
    log: Database, keys: KeyRing, tmp_path: Path
) -> None:
    beside = tmp_path / "seals.jsonl"
    await _fill(log, keys, beside)
    assert (await verify(log, keys, beside=beside)).whole
    await _tamper(
        log,
        "DELETE FROM audit_seal WHERE position > 7",
        "DELETE FROM audit_link WHERE position > 7",
        "DELETE FROM audit_entry WHERE id > 7",
    )
    report = await verify(log, keys, beside=beside)
    assert {each.flaw for each in report.findings} == {Flaw.SEAL_REMOVED, Flaw.END_REMOVED}


async def test_a_running_city_notices_that_the_end_of_its_chain_is_gone(log: Database, keys: KeyRing) -> None:
    await _act(log, 1)
    chain = Chain(log, keys.family)
    await chain.extend()
    assert (chain.head is not None, chain.lost) == (True, None)
    await _tamper(log, "DELETE FROM audit_link", "DELETE FROM audit_entry")
    await chain.extend()
    assert chain.lost is not None
    report = await verify(log, keys, remembered=[chain.lost])
    assert report.first is not None
    assert report.first.flaw is Flaw.END_REMOVED


async def test_acts_of_many_at_once_are_all_in_the_chain_once(log: Database, keys: KeyRing) -> None:
    async with chaining(log, keys):
        await asyncio.gather(*(_act(log, number) for number in range(40)), extend(log, keys.family))
    report = await verify(log, keys)
    assert (report.whole, report.entries, report.waiting) == (True, 40, 0)


async def test_one_act_on_many_objects_is_recorded_for_each(log: Database, keys: KeyRing) -> None:
    async with log.transaction() as transaction:
        await record_all(
            transaction, actor=MACHINE, act="case.open", deeds=[Deed(object=f"case:{n}") for n in range(3)]
        )
    async with log.transaction() as transaction:
        found = await search(transaction, AuditQuery(actor="brain"))
    assert [entry.object for entry in found] == ["case:2", "case:1", "case:0"]


async def test_a_chain_may_go_on_with_other_algorithms(log: Database, keys: KeyRing) -> None:
    await _act(log, 1)
    await extend(log, AES)
    await _act(log, 2)
    await extend(log, SM)
    assert (await verify(log, keys)).whole


async def test_nothing_new_needs_no_new_seal(log: Database, keys: KeyRing) -> None:
    assert await seal(log, keys, now=NOW) is None
    await _act(log, 1)
    assert await seal(log, keys, now=NOW) is not None
    assert await seal(log, keys, now=NOW) is None


# fmt: off
SEARCHES: list[tuple[AuditQuery, list[int], str]] = [
    (AuditQuery(), [3, 2, 1], "all, the newest first"),
    (AuditQuery(actor="li"), [3, 1], "by actor, also who acts for them"),
    (AuditQuery(act="case"), [2, 1], "a group of acts"),
    (AuditQuery(act="cas"), [], "but no part of a word"),
    (AuditQuery(object="case:7"), [1], "by object"),
    (AuditQuery(words="积水 ROADS"), [2], "all words, in any case"),
    (AuditQuery(words="100%"), [3], "a sign is a sign"),
    (AuditQuery(words="_"), [], "this one too"),
    (AuditQuery(before=3, limit=1), [2], "page by page"),
    (AuditQuery(since=datetime(2100, 1, 1, tzinfo=UTC)), [], "by time"),
    (AuditQuery(until=datetime(2100, 1, 1, tzinfo=UTC), department="roads"), [2], "by department"),
]
# fmt: on


async def test_entries_are_found_by_actor_act_object_time_and_words(log: Database) -> None:
    async with log.transaction() as transaction:
        await record(transaction, actor=Clerk(), act="case.move", object="case:7")
        await record(
            transaction, actor=Clerk("wu"), act="case.open", object="case:8", facts={"why": "积水", "to": "Roads"},
            department="roads",
        )  # fmt: skip
        await record(
            transaction, actor=Clerk("wu", "staff", "li"), act="privacy.reveal", object="x", facts={"a": "100%"}
        )
    async with log.transaction() as transaction:
        for query, ids, why in SEARCHES:
            assert [entry.id for entry in await search(transaction, query)] == ids, why


async def test_an_export_can_be_verified_by_whoever_knows_the_rule(log: Database, keys: KeyRing) -> None:
    await _fill(log, keys)
    lines = [msgspec.json.decode(line) for part in [p async for p in export(log)] for line in part.splitlines()]
    before = b""
    for number, line in enumerate(lines, start=1):
        entry = msgspec.convert({name: line[name] for name in Entry.__struct_fields__}, Entry)
        before = link(AES, before, number, entry)
        assert before.hex() == line["hash"]
    assert len(lines) == 10


def _with(change: Callable[[dict[str, Any]], None]) -> Entry:
    fields = msgspec.structs.asdict(ENTRY)
    change(fields)
    return Entry(**fields)


@given(
    st.sampled_from(["actor", "actor_kind", "act", "object", "facts"]),
    st.text(),
    st.text(),
)
def test_no_two_entries_look_the_same_to_the_hash(name: str, one: str, other: str) -> None:
    first, second = (_with(lambda fields, v=value: fields.update({name: v})) for value in (one, other))  # type: ignore[misc]
    assert (entry_bytes(first) == entry_bytes(second)) is (one == other)


@given(st.binary(max_size=32), st.binary(max_size=32), st.integers(1, 9), st.integers(1, 9))
def test_a_link_is_bound_to_its_place(before: bytes, other: bytes, position: int, elsewhere: int) -> None:
    same = (before, position) == (other, elsewhere)
    assert (link(AES, before, position, ENTRY) == link(AES, other, elsewhere, ENTRY)) is same
