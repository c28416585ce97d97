# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime
from typing import Any

import pytest

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.extent import LEAST_DEG, extent_of
from citybrain.kernel.entities.service import Desk, create
from citybrain.kernel.store import Store

AT = "2026-05-01T12:00:00Z"


def placed(id: str, geometry: dict[str, Any]) -> Document:
    where = Instance(type=AttributeType.GEO_PROPERTY, value=geometry)
    return Document(id=f"urn:ngsi-ld:Thing:{id}", types=("Thing",), attributes={"location": (where,)})


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


async def put(store: Store, tenant: str, *documents: Document) -> None:
    desk = Desk(documents=store.documents, tenant=tenant, at=datetime(2026, 5, 1, tzinfo=UTC))
    for document in documents:
        await create(desk, document)


async def test_a_city_where_nothing_is_placed_lies_nowhere(store: Store) -> None:
    assert await extent_of(store.documents, "empty") is None


async def test_one_place_is_shown_with_some_room_around_it(store: Store) -> None:
    await put(store, "one", placed("1", point(109.1, 21.5)))
    found = await extent_of(store.documents, "one")
    assert found == pytest.approx((109.1 - LEAST_DEG, 21.5 - LEAST_DEG, 109.1 + LEAST_DEG, 21.5 + LEAST_DEG))


async def test_lines_and_areas_count_with_all_of_themselves(store: Store) -> None:
    line = {"type": "LineString", "coordinates": [[109.0, 21.0], [110.0, 22.0]]}
    await put(store, "line", placed("1", line))
    west, south, east, north = await extent_of(store.documents, "line") or (0, 0, 0, 0)
    assert west < 109.0 < 110.0 < east
    assert south < 21.0 < 22.0 < north


async def test_among_many_one_wrong_place_does_not_count(store: Store) -> None:
    many = [placed(str(number), point(109 + number / 1000, 21.5)) for number in range(200)]
    await put(store, "many", *many, placed("wrong", point(0, 0)))
    west, _, _, _ = await extent_of(store.documents, "many") or (0, 0, 0, 0)
    assert west > 108.9
