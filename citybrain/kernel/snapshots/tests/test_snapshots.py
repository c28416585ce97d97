# SPDX-License-Identifier: Apache-2.0
"""Snapshots are kept with what they hold, and one that was never finished says so."""

from datetime import UTC, datetime

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import Document
from citybrain.kernel.snapshots.snapshots import AlreadyExists, ResourceNotFound, Snapshot, Snapshots, Status

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROAD = Document(id="urn:road:1", types=("Road",))


def snapshot(id: str, status: Status = Status.SUCCESS, expires_at: str = "") -> Snapshot:
    return Snapshot(id=id, tenant="t", queries=({"type": "Query"},), status=status, expires_at=expires_at)


async def test_a_snapshot_and_its_entities_outlive_a_restart(db: Database) -> None:
    snapshots = await Snapshots.open(db)
    await snapshots.create(snapshot("urn:s:1"), (ROAD,), NOON)
    with pytest.raises(AlreadyExists):
        await snapshots.create(snapshot("urn:s:1"), (), NOON)
    again = await Snapshots.open(db)
    assert again.get("t", "urn:s:1", NOON).status is Status.SUCCESS
    assert await again.documents("t", "urn:s:1") == {ROAD.id: ROAD}
    with pytest.raises(ResourceNotFound):
        again.get("another", "urn:s:1", NOON)


async def test_one_that_was_being_made_when_the_city_stopped_has_failed(db: Database) -> None:
    snapshots = await Snapshots.open(db)
    await snapshots.create(snapshot("urn:s:2", Status.PREPARING), (), NOON)
    assert (await Snapshots.open(db)).get("t", "urn:s:2", NOON).status is Status.FAILED


async def test_one_that_was_deleted_while_it_was_made_stays_deleted(db: Database) -> None:
    snapshots = await Snapshots.open(db)
    begun = snapshot("urn:s:3", Status.PREPARING)
    await snapshots.create(begun, (), NOON)
    await snapshots.delete("t", "urn:s:3")
    await snapshots.fill(begun, (ROAD,), NOON)
    for each in (snapshots, await Snapshots.open(db)):
        with pytest.raises(ResourceNotFound):
            each.get("t", "urn:s:3", NOON)


async def test_an_expired_snapshot_is_not_there(db: Database) -> None:
    snapshots = await Snapshots.open(db)
    await snapshots.create(snapshot("urn:s:4", expires_at="2026-11-25T11:00:00Z"), (), NOON)
    with pytest.raises(ResourceNotFound):
        snapshots.get("t", "urn:s:4", NOON)
