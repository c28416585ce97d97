# SPDX-License-Identifier: Apache-2.0
"""Which incidents were commanded at a past time, at which level, and what stores and shelters had left then."""

from datetime import UTC, datetime, timedelta

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.choice import SAID, TYPES, nearest
from citybrain.apps.emergency.model import Act, Level, State
from citybrain.apps.emergency.service.desk import EmergencyDesk
from citybrain.apps.emergency.tests.test_incidents import ANN, BOB, NOW, act, begun, desk, store
from citybrain.kernel.records import Entity

__all__ = ["desk", "store"]

SHELTER = "urn:ngsi-ld:EmergencyShelter:gym"


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


async def commanded(desk: EmergencyDesk, minutes: int) -> list[tuple[Level, State]]:
    return [(each.level, each.state) for each in await kept.incidents_at(desk.db, at(minutes), 10)]


async def test_an_incident_is_commanded_from_its_declaration_to_its_end_at_the_level_of_then(
    desk: EmergencyDesk,
) -> None:
    id = await begun(desk, Level.IV)
    await act(desk, ANN, id, Act.RAISE, 10, Level.III)
    assert await commanded(desk, -1) == []
    assert await commanded(desk, 5) == [(Level.IV, State.ACTIVE)]
    assert await commanded(desk, 15) == [(Level.III, State.ACTIVE)]
    await act(desk, ANN, id, Act.RAISE, 20, Level.II)
    assert await commanded(desk, 25) == [(Level.III, State.ACTIVE)], "one person only proposes that level"
    await act(desk, BOB, id, Act.CONFIRM, 22)
    assert await commanded(desk, 25) == [(Level.II, State.ACTIVE)]
    await act(desk, ANN, id, Act.STAND_DOWN, 30)
    await act(desk, BOB, id, Act.CONFIRM, 31)
    assert (await kept.incident(desk.db, id)).state is State.ENDED
    assert await commanded(desk, 25) == [(Level.II, State.ACTIVE)], "its end was not known then"
    assert await commanded(desk, 35) == []


async def test_a_shelter_had_as_much_room_as_it_had_then(desk: EmergencyDesk) -> None:
    pool = desk.store.pool
    for minute, used in ((0, 10), (10, 90)):
        place = {"type": "Point", "coordinates": [120.0, 30.0]}
        facts = {"capacity": 100, "used": used}
        told_at = datetime(2026, 7, 1, 8, minute, tzinfo=UTC)
        await pool.register(
            [Entity(id=SHELTER, type=TYPES[0], source="t", observed_at=told_at, geometry=place, attributes=facts)]
        )
    free = [
        nearest([one.entity() for one in await pool.past.at(TYPES, SAID, at(minutes))], at=None)[0].free
        for minutes in (5, 15)
    ]
    assert free == [90, 10]
