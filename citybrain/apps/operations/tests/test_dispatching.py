# SPDX-License-Identifier: Apache-2.0
"""Dispatch on a real pool: the teams that it knows, the roads as they are, and where those who were sent are."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from citybrain.apps.operations.choice.sending import NobodyFree, NobodyHasSkill
from citybrain.apps.operations.service.dispatching import Dispatching, NoPlace, Sent, Standing, Wanted
from citybrain.apps.operations.tests.playing import AT, event
from citybrain.kernel.app import Attribute, EntityType
from citybrain.kernel.records import Batch, Column, Entity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

ROADS = tuple(f"urn:ngsi-ld:RoadSegment:{number}" for number in range(6))
SKILLS = {"near": "tow", "far": "tow", "loaded": "tow", "off": "tow", "pump": "pump"}


def _road(number: int) -> Entity:
    return Entity(
        id=ROADS[number],
        type="RoadSegment",
        source="test",
        observed_at=AT,
        geometry={"type": "LineString", "coordinates": [[number * 0.01, 0.0], [(number + 1) * 0.01, 0.0]]},
        attributes={"length": 1110.0, "maximumAllowedSpeed": 50.0, "leadsTo": list(ROADS[number + 1 : number + 2])},
    )


def vehicle(name: str, lon: float, **more: object) -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:Vehicle:{name}",
        type="Vehicle",
        source="test",
        observed_at=AT,
        name={"zh": name, "en": name},
        geometry={"type": "Point", "coordinates": [lon, 0.0001]},
        attributes={"skill": SKILLS[name], "status": "free", **more},
    )


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    types = (EntityType(name="RoadSegment", attributes=(Attribute(name="averageVehicleSpeed"),)),)
    settings = Settings(data=open_folder / "dispatch", database_url=database_url)
    async with open_store(settings, types=types) as found:
        await found.pool.register([_road(number) for number in range(6)])
        await found.pool.register(
            [
                vehicle("near", 0.035),
                vehicle("far", 0.005),
                vehicle("loaded", 0.045, load=1, capacity=2),
                vehicle("off", 0.045, status="off"),
                vehicle("pump", 0.015),
            ]
        )
        yield found


def names(found: list[str]) -> list[str]:
    return [each.rpartition(":")[2] for each in found]


async def test_candidates_are_ranked_by_time_and_load_and_have_an_hour(store: Store) -> None:
    dispatching = Dispatching(store)
    found = dispatching.ranked("tow", ROADS[5])
    assert names([each.team for each in found]) == ["near", "loaded", "far"]
    near = dispatching.view(found[0], Wanted(what="tow", entity_id=ROADS[5]), AT)
    assert near.name == {"zh": "near", "en": "near"}
    assert near.eta_at - AT == timedelta(seconds=near.eta_s)
    # Three roads of 80 s at the limit, of which nothing is known: at 0.7 of it.
    assert near.eta_s == pytest.approx(3 * 1110 / (50 / 3.6) / 0.7 + 4, rel=0.01)
    assert dispatching.nearest("tow", event(entity_id=ROADS[5])) == found[0].team


async def test_a_jam_on_the_way_lets_somebody_else_go(store: Store) -> None:
    dispatching = Dispatching(store)
    values = np.full(6, 50.0)
    values[3] = 1.0
    column = Column(attribute="averageVehicleSpeed", entity_ids=ROADS, values=values)
    store.pool.observe(Batch(id="jam", source="test", observed_at=AT, received_at=AT, columns=(column,)))
    assert names([each.team for each in dispatching.ranked("tow", ROADS[5])])[0] == "loaded"
    store.pool.observe(
        Batch(
            id="over",
            source="test",
            observed_at=AT,
            received_at=AT,
            columns=(Column(attribute="averageVehicleSpeed", entity_ids=ROADS, values=np.full(6, 50.0)),),
        )
    )


async def test_several_tasks_are_dealt_out_together(store: Store) -> None:
    dispatching = Dispatching(store)
    wanted = [Wanted(what="tow", entity_id=ROADS[5]), Wanted(what="tow", entity_id=ROADS[1])]
    chosen = dispatching.together([*wanted, Wanted(what="pump", entity_id=ROADS[2])])
    dealt = {int(each.task): names([each.team])[0] for each in chosen}
    assert dealt[1] == "far", "only it gets there"
    assert dealt[0] in ("near", "loaded")
    assert dealt[2] == "pump"


async def test_when_nobody_can_go_it_is_said_why(store: Store) -> None:
    dispatching = Dispatching(store)
    with pytest.raises(NobodyHasSkill):
        dispatching.ranked("crane", ROADS[5])
    with pytest.raises(NoPlace):
        dispatching.ranked("tow", "urn:ngsi-ld:Nothing:1")
    assert dispatching.nearest("crane", event(entity_id=ROADS[5])) is None


async def test_whoever_was_sent_is_under_way_late_arrived_or_lost(store: Store) -> None:
    dispatching = Dispatching(store)

    def sent(name: str, road: int, due_s: float = 600.0) -> Sent:
        due = AT + timedelta(seconds=due_s)
        return Sent(team=f"urn:ngsi-ld:Vehicle:{name}", what="tow", entity_id=ROADS[road], due_at=due)

    found = dispatching.whereabouts([sent("near", 5), sent("far", 0), sent("unknown", 5)], AT)
    assert [each.state for each in found] == [Standing.UNDER_WAY, Standing.ARRIVED, Standing.LOST]
    assert found[0].eta_s is not None
    (late,) = dispatching.whereabouts([sent("far", 5, due_s=-600.0)], AT)
    assert late.state is Standing.LATE
    assert late.instead is not None, "somebody much nearer is free"
    assert names([late.instead.team]) == ["near"]
    assert late.instead.sooner_s > 120


async def test_all_who_could_go_are_busy(store: Store) -> None:
    await store.pool.register([vehicle("pump", 0.015, load=1)])
    with pytest.raises(NobodyFree):
        Dispatching(store).ranked("pump", ROADS[5])
