# SPDX-License-Identifier: Apache-2.0
"""Whoever orders people without naming any gets those who are there first, as dispatch ranks them."""

import pytest

from citybrain.apps.operations.service.carrying.works import MACHINE
from citybrain.apps.operations.tests.test_dispatching import ROADS, _road, vehicle
from tests.means.town import Town


@pytest.fixture(scope="module")
async def town(bare: Town) -> Town:
    await bare.store.pool.register([_road(number) for number in range(6)])
    teams = [vehicle("near", 0.035), vehicle("far", 0.005), vehicle("off", 0.045, status="off")]
    await bare.store.pool.register(teams)
    return bare


async def test_the_nearest_are_asked_with_the_time_they_need(town: Town) -> None:
    order = await town.done("people.send_tow", {"number": 2}, on=ROADS[5])
    assert order.outcome is not None
    assert order.outcome.code == "operations.unit_asked"
    near, far = (f"urn:ngsi-ld:Vehicle:{name}" for name in ("near", "far"))
    assert order.outcome.facts["units"] == [near, far]
    assert order.outcome.facts["eta_s"] > 300
    case = await town.store.cases.get(MACHINE, order.outcome.facts["case"])
    assert case.fields["unit"] == f"{near} {far}"


async def test_whoever_was_named_is_sent_although_others_are_nearer(town: Town) -> None:
    far = "urn:ngsi-ld:Vehicle:far"
    order = await town.done("people.send_tow", {"unit": far}, on=ROADS[5])
    assert order.outcome is not None
    assert order.outcome.code == "operations.case_opened"
    case = await town.store.cases.get(MACHINE, order.outcome.facts["case"])
    assert case.fields["unit"] == far


async def test_where_the_pool_knows_nobody_the_department_chooses(town: Town) -> None:
    order = await town.done("people.send_crane", {"tonnes": 40}, on=ROADS[5])
    assert order.outcome is not None
    assert order.outcome.code == "operations.case_opened"
    case = await town.store.cases.get(MACHINE, order.outcome.facts["case"])
    assert "unit" not in case.fields
