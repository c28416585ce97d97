# SPDX-License-Identifier: Apache-2.0
"""What people once noted on events is how they are handled now, and no words are lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from citybrain.kernel.handling import Alarms
from citybrain.kernel.migrate import migrate
from citybrain.kernel.tests.older import database_before

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.fixture
async def older(server: embedded.Postgres, tmp_path: Path) -> AsyncIterator[Database]:
    """A database from before events were handled, with notes in it, then brought up to date."""
    async with database_before("0021", server, tmp_path) as db:
        for id in ("noted", "silent"):
            await db.write(
                "INSERT INTO event (id, kind, severity, at, entity_id, because, evidence)"
                " VALUES (%(id)s, 'road.slow', 'II', '2026-06-01T08:00Z', 'urn:1', '{\"code\": \"x\"}', '{}')",
                {"id": id},
            )
        for by, words in (("lin", "patrol sent"), ("wu", "seen"), ("lin", "all clear")):
            await db.write(
                "INSERT INTO event_note (event_id, by, at, note)"
                " VALUES ('noted', %(by)s, '2026-06-01T08:01Z', %(note)s)",
                {"by": by, "note": words},
            )
        assert "kernel/0021_handling.sql" in await migrate(db, {})
        yield db


async def test_notes_are_acts_and_the_first_one_acknowledged_the_event(older: Database) -> None:
    alarms = Alarms(older, lambda _: None, lambda _: None)
    story = await alarms.story("noted", now=NOW)
    assert [(act.act, act.by, act.note) for act in story.acts] == [
        ("acknowledge", "lin", "patrol sent"),
        ("comment", "wu", "seen"),
        ("comment", "lin", "all clear"),
    ]
    handling = story.handling
    assert (handling.state, handling.acknowledged_by, handling.note, handling.comments, handling.version) == (
        "acknowledged",
        "lin",
        "all clear",
        3,
        3,
    )
    assert (await alarms.one("silent", now=NOW)).handling.state == "new"
