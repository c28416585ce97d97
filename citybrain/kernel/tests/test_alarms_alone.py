# SPDX-License-Identifier: Apache-2.0
"""Alarms with nothing but a pool and a journal beside them."""

from datetime import UTC, datetime

from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.db import Database
from citybrain.kernel.handling import Act, Alarms, Wish
from citybrain.kernel.journal import Journal
from citybrain.kernel.naming import place_name
from citybrain.kernel.tests.scene import ROADS, SIGNALS, after, jam, registered

NOW = datetime(2126, 7, 1, 9, tzinfo=UTC)
LIN = Actor(name="Lin", account="lin", kind=Kind.STAFF)


async def test_an_alarm_is_called_by_its_thing_or_by_the_road_on_which_it_is(db: Database) -> None:
    pool = await registered(db)
    placed = {"place": {"road": ROADS[1], "offset_m": 12}}
    named = [
        place_name(entity_id, evidence, pool.entity)
        for entity_id, evidence in ((ROADS[0], placed), (SIGNALS[0], placed), (SIGNALS[0], {}), ("urn:none", {}))
    ]
    assert named == [{"en": "a"}, {"en": "b"}, {}, {}]


async def test_an_act_is_committed_although_nobody_can_be_told_of_it_any_more(db: Database) -> None:
    pool = await registered(db)
    journal = await Journal.open(db, pool)
    await journal.tell([jam("last", after(0))])
    await journal.close()
    alarms = Alarms(db, pool.entity, journal.retell)
    assert (await alarms.act(LIN, "last", Wish(act=Act.TAKE), now=NOW)).handling.taken_by == "lin"
