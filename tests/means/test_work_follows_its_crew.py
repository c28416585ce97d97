# SPDX-License-Identifier: Apache-2.0
"""What a crew says of itself moves its case, and tells at once whether a promise was kept."""

from datetime import timedelta

import msgspec
import pytest

from citybrain.apps.operations.control.means.acts import PROGRESS
from citybrain.apps.operations.service import checking
from citybrain.apps.operations.service.carrying.works import MACHINE
from citybrain.apps.operations.service.following import FLEET, follow
from citybrain.apps.operations.service.open_runs import OpenRuns
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.store import figures, runs
from citybrain.apps.operations.store.runs import Check
from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.orders import StandingOrder
from citybrain.kernel.records import Batch, Column, Entity
from tests.means.town import PLACE, Town, put

FLEET_ID = f"urn:ngsi-ld:{FLEET}:test"


@pytest.fixture(scope="module")
async def town(bare: Town) -> Town:
    await put(bare.store, PLACE, "RoadSegment")
    name = {"zh": "车辆", "en": "Vehicles"}
    fleet = Entity(id=FLEET_ID, type=FLEET, source="test", observed_at=utc_now(), name=name)
    await bare.store.pool.register([fleet])
    return bare


async def say(town: Town, under_way: OpenRuns, order: StandingOrder, state: str) -> None:
    """The crew of an order reports."""
    report = {"order": order.id, "vehicle": "urn:ngsi-ld:Vehicle:tow-1", "state": state}
    column = Column(attribute="crews", entity_ids=(FLEET_ID,), values=([report],))
    now = utc_now()
    town.store.pool.observe(Batch(id=new_id(), source="test", observed_at=now, received_at=now, columns=(column,)))
    await follow(under_way)


async def case_of(town: Town, order: StandingOrder) -> Case:
    assert order.outcome is not None
    return await town.store.cases.get(MACHINE, order.outcome.facts["case"])


async def asked(town: Town, name: str) -> tuple[StandingOrder, OpenRuns]:
    """An order that was carried out, with what it promises written down."""
    order, under_way = await town.done(name, {}), OpenRuns(Operations(town.store))
    await checking.note(under_way, order)
    return order, under_way


async def verdict(under_way: OpenRuns, order: StandingOrder) -> str:
    """What was found of an order's promise by now."""
    await checking.look(under_way, utc_now())
    assert order.outcome is not None
    at = order.outcome.at
    found = await figures.checks_between(under_way.db, at, at + timedelta(days=1))
    return next(each.state for each in found if each.order_id == order.id)


async def test_a_case_goes_as_far_as_its_crew_says(town: Town) -> None:
    order, under_way = await asked(town, "people.send_tow")
    await say(town, under_way, order, "under_way")
    assert (await case_of(town, order)).state == "ordered"
    await say(town, under_way, order, "at_work")
    assert (await case_of(town, order)).state == "on_site"
    await say(town, under_way, order, "cleared")
    assert (await case_of(town, order)).state == "done"


async def test_what_was_called_off_stays_so_whatever_the_crew_says(town: Town) -> None:
    order, under_way = await asked(town, "people.send_tow")
    case = await case_of(town, order)
    await town.store.cases.move(MACHINE, case.id, "recall", MoveFacts(reason="test"))
    await say(town, under_way, order, "cleared")
    assert (await case_of(town, order)).state == "recalled"


async def test_what_a_crew_said_while_the_database_was_away_is_followed_afterwards(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, under_way = await asked(town, "people.send_tow")

    async def lost(*_: object) -> None:
        raise Unavailable("kernel.database_lost", {"why": "test"})

    with monkeypatch.context() as away:
        away.setattr(Cases, "move", lost)
        with pytest.raises(Unavailable):
            await say(town, under_way, order, "at_work")
    assert (await case_of(town, order)).state == "ordered"
    await follow(under_way)
    assert (await case_of(town, order)).state == "on_site"


async def test_a_promise_of_people_is_kept_as_soon_as_they_are_there(town: Town) -> None:
    order, under_way = await asked(town, "people.send_tow")
    await say(town, under_way, order, "under_way")
    assert await verdict(under_way, order) == "waiting"
    await say(town, under_way, order, "at_work")
    assert await verdict(under_way, order) == "helped"


@pytest.mark.parametrize(("ends", "found"), [("cleared", "helped"), ("nothing", "missed")])
async def test_who_clears_says_itself_whether_there_was_anything(town: Town, ends: str, found: str) -> None:
    under_way = OpenRuns(Operations(town.store))
    order = await town.done("people.send_tow", {})
    assert order.outcome is not None
    effect = town.store.orders.trade.means["street.clear_obstacle"].effect
    assert effect is not None
    check = Check(
        order_id=new_id(),
        means="street.clear_obstacle",
        entity_id=PLACE,
        event_id=None,
        run_id=None,
        line=None,
        part=None,
        before=None,
        attribute=effect.attribute,
        of_entity=PLACE,
        becomes=effect.becomes,
        value=effect.value,
        parameters={},
        executed_at=order.outcome.at,
        due_at=order.outcome.at + effect.within,
    )
    assert effect.attribute == PROGRESS
    async with under_way.db.transaction() as transaction:
        await runs.add_checks(transaction, [check])
    cleared = msgspec.structs.replace(order, id=check.order_id)
    await say(town, under_way, cleared, "at_work")
    assert await verdict(under_way, cleared) == "waiting", "its promise is that something is cleared"
    await say(town, under_way, cleared, ends)
    assert await verdict(under_way, cleared) == found
