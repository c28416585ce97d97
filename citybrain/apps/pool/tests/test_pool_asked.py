# SPDX-License-Identifier: Apache-2.0
"""The routes of the pool explorer, on a real store."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.testing import AsyncTestClient

from citybrain.apps.pool.api import ROUTES
from citybrain.apps.pool.store import period_of
from citybrain.kernel.access import Person
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.service import Desk, create
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.store import Store

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
AT = "2026-05-01T08:00:00Z"
AIR, LAMP = "AirQualityObserved", "Streetlight"
SEVEN = f"urn:ngsi-ld:{AIR}:7"


def air(number: int, **attributes: Any) -> dict[str, Any]:
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [109 + number / 100, 21.5]}}
    pm25 = {"type": "Property", "value": number, "unitCode": "GQ", "observedAt": AT}
    return {"id": f"urn:ngsi-ld:{AIR}:{number}", "type": AIR, "location": place, "pm25": pm25, **attributes}


@pytest.fixture(scope="module")
async def filled(store: Store) -> Store:
    """Twenty stations, one of which has a name, and a lamp without a place."""
    payloads: list[dict[str, Any]] = [air(number) for number in range(20)]
    payloads[7]["name"] = {"type": "Property", "value": "银滩 Silver Beach"}
    payloads.append({"id": f"urn:ngsi-ld:{LAMP}:1", "type": LAMP, "powerState": {"type": "Property", "value": "on"}})
    for payload in payloads:
        await create(Desk(documents=store.documents, tenant="", at=NOW), read_entity(payload, CORE, AT))
    observations = Observations(
        entity_ids=[SEVEN] * 3,
        attributes=["pm25"] * 3,
        observed_us=np.array([int((NOW + timedelta(hours=hour)).timestamp() * 1e6) for hour in (1, 2, 3)], np.int64),
        numbers=np.array([10.0, 20.0, 30.0]),
    )
    await observe_many(store.documents, "", observations, type=AIR, at=NOW)
    return store


@pytest.fixture
async def asked(filled: Store) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """The routes alone, asked by a steward."""

    def by_a_steward(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        connection.state.person = Person(name="lin", roles=("operator",))

    app = Litestar(route_handlers=ROUTES, state=State({"store": filled}), guards=[by_a_steward], openapi_config=None)
    async with AsyncTestClient(app) as client:
        yield client


Client = AsyncTestClient[Litestar]


async def get(client: Client, path: str, **params: Any) -> Any:
    answer = await client.get(f"/api/pool/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_types_are_counted(asked: Client) -> None:
    found = await get(asked, "types")
    assert found["entities"] == 21
    by_type = {each["type"]: each for each in found["types"]}
    assert by_type[AIR]["count"] == 20
    assert by_type[AIR]["model"]
    assert by_type[LAMP]["policy"] == "off"


async def test_a_page_begins_where_the_last_one_ended(asked: Client) -> None:
    found = await get(asked, "entities", type=AIR, offset=18)
    assert [row["id"][-2:] for row in found["rows"]] == ["18", "19"]
    assert found["total"] == 20


async def test_words_find_an_entity_by_its_name_and_by_its_id(asked: Client) -> None:
    for words in ("银滩", "silver", f"{AIR}:7".lower()):
        found = await get(asked, "entities", type=AIR, words=words)
        assert [row["id"] for row in found["rows"]] == [SEVEN], words
    assert (found["total"], found["looked"], found["there"]) == (1, 20, 20)


async def test_an_entity_is_told_with_unit_age_and_json(asked: Client) -> None:
    found = await get(asked, "entity", id=SEVEN)
    pm25 = next(each for each in found["values"] if each["name"] == "pm25")
    assert (pm25["value"], pm25["observed_at"]) == (30, "2026-05-01T11:00:00Z")
    assert found["json"]["id"] == SEVEN
    assert found["geometry"]["type"] == "Point"


async def test_an_unknown_entity_is_refused(asked: Client) -> None:
    answer = await asked.get("/api/pool/entity", params={"id": "urn:ngsi-ld:Nothing:1"})
    assert answer.status_code >= 400


async def test_the_map_shows_what_lies_in_a_box_and_says_how_much_there_is(asked: Client) -> None:
    found = await get(asked, "map", type=AIR, bbox="108.995,21,109.045,22")
    assert (found["shown"], found["total"]) == (5, 5)
    assert (await get(asked, "map"))["total"] == 20


async def test_the_past_of_a_value_is_told_oldest_first(asked: Client) -> None:
    found = await get(asked, "history", id=SEVEN, attribute="pm25")
    assert [point[1] if isinstance(point, list) else point["value"] for point in found["points"]][-3:] == [10, 20, 30]


async def test_a_long_time_is_told_in_periods(asked: Client) -> None:
    found = await get(asked, "history", id=SEVEN, attribute="pm25", since="2026-04-01T00:00:00Z")
    assert found["points"] == []
    assert sum(period["count"] for period in found["periods"]) == 4
    assert max(period["high"] for period in found["periods"]) == 30


async def test_a_past_is_exported_as_a_table(asked: Client) -> None:
    answer = await asked.get("/api/pool/history/export", params={"id": SEVEN, "attribute": "pm25"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "time,value"
    assert lines[-1].endswith("30")


async def test_a_policy_to_warn_marks_the_next_change(asked: Client, filled: Store) -> None:
    body = {"type": AIR, "policy": "warn", "every_s": 600}
    answer = await asked.put("/api/pool/policies", json=body)
    assert (answer.status_code, answer.json()["changed_by"]) == (200, "lin")
    wrong = read_entity(air(99, pm25={"type": "Property", "value": "much", "observedAt": AT}), CORE, AT)
    await create(Desk(documents=filled.documents, tenant="", at=NOW), wrong)
    found = await get(asked, "findings", type=AIR)
    assert any(row["entity_id"].endswith(":99") for row in found["rows"])
    assert (await get(asked, "entity", id=f"urn:ngsi-ld:{AIR}:99"))["every_s"] == 600
    checked = await get(asked, "check", type=AIR)
    assert checked["looked"] == 21
    assert checked["misfits"] == sum(checked["by_code"].values()) > 0


async def test_how_good_a_type_is_is_told_by_source(asked: Client) -> None:
    found = await get(asked, "quality", type=LAMP)
    (source,) = found["sources"]
    assert (found["total"], source["entities"], source["timeliness"]) == (1, 1, None)
    assert source["uniqueness"]["good"] == source["uniqueness"]["all"]


async def test_a_promise_of_nothing_is_refused(asked: Client) -> None:
    answer = await asked.put("/api/pool/policies", json={"type": AIR, "policy": "warn", "every_s": 0})
    assert answer.status_code >= 400


async def test_nobody_is_told_where_nobody_subscribed(asked: Client) -> None:
    assert await get(asked, "subscriptions") == []


# fmt: off
SPANS = [
    (timedelta(hours=1),  timedelta(minutes=1), "never finer than a minute"),
    (timedelta(days=7),   timedelta(hours=1),   "a week by the hour"),
    (timedelta(days=365), timedelta(days=1),    "never coarser than a day"),
]
# fmt: on


@pytest.mark.parametrize(("span", "expected", "why"), SPANS)
def test_periods_are_as_long_as_people_count(span: timedelta, expected: timedelta, why: str) -> None:
    assert period_of(span) == expected, why
