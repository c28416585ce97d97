# SPDX-License-Identifier: Apache-2.0
"""Single observations are found by number, read page by page in either order, counted, corrected and taken out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.pool.sensed import ALL, Bounds, Sensed, SensedHistory, Series, begin, mark_of
from citybrain.kernel.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES: list[Any] = [1, 2.5, "wet", True, {"deep": 3}, 4]
TWO = ("urn:ngsi-ld:Gauge:1", "urn:ngsi-ld:Gauge:2")


def reading(value: Any, minute: int) -> Document:
    at = text_of(NOON + timedelta(minutes=minute))
    held = Instance(type=AttributeType.PROPERTY, value=value, observed_at=at, created_at=at, modified_at=at)
    return Document(id="", types=("Gauge",), attributes={"level": (held,)})


@pytest.fixture(scope="module")
async def series(store: Store) -> Series:
    """Two gauges that saw the same values, the second half a minute later; then the first one lost its level."""
    desk = Desk(documents=store.documents, tenant="", at=NOON)
    for minute, value in enumerate(VALUES):
        for id in TWO:
            document = reading(value, minute)
            await service.upsert(desk, Document(id=id, types=document.types, attributes=document.attributes))
    await service.delete_attribute(desk, TWO[0], "level")
    numbers = [store.documents.number("", id) or 0 for id in TWO]
    return Series(numbers, [store.documents.names.number("level")] * 2)


@pytest.fixture
def history(store: Store, series: Series) -> SensedHistory:
    return SensedHistory(store.db)


def values(found: list[Sensed]) -> list[Any]:
    return [each.whole().value for each in found]


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_by_time_follow_one_another_until_all_was_seen(
    history: SensedHistory, series: Series, backward: bool
) -> None:
    seen: list[Sensed] = []
    mark = begin(backward=backward)
    while page := await history.by_time(series, ALL, mark, limit=5, backward=backward):
        seen += page
        mark = mark_of(page[-1])
    expected = [each for each in VALUES for _ in TWO]
    assert values(seen) == (expected[::-1] if backward else expected)


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_by_number_follow_one_another_too(history: SensedHistory, series: Series, backward: bool) -> None:
    seen: list[int] = []
    mark = begin(backward=backward)
    while page := await history.by_number(series.attributes[:1], ALL, mark, limit=5, backward=backward):
        seen += [each.instance for each in page]
        mark = mark_of(page[-1])
    assert seen == sorted(seen, reverse=backward)
    assert len(seen) == 2 * len(VALUES), "what says that the attribute went away is no observation"


async def test_the_newest_of_each_are_read_at_once(history: SensedHistory, series: Series) -> None:
    newest = await history.of_each(series, ALL, limit=2, backward=True)
    assert values(newest) == [4, 4, {"deep": 3}, {"deep": 3}]


# fmt: off
COUNTS = [
    (ALL,                                          12),
    (Bounds(low=2.5),                              4),
    (Bounds(low=1, high=1),                        2),
    (Bounds(since=NOON + timedelta(minutes=4)),    4),
    (Bounds(until=NOON + timedelta(minutes=4)),    8),
    (Bounds(part=b'"deep"'),                       2),
]
# fmt: on


@pytest.mark.parametrize(("bounds", "many"), COUNTS)
async def test_bounds_are_counted_where_true_is_no_number(
    history: SensedHistory, series: Series, bounds: Bounds, many: int
) -> None:
    assert await history.count(series, bounds) == many
    assert await history.count_all(series.attributes[:1], bounds) == many
    assert await history.count_all(series.attributes[:1], bounds, entities=series.entities[:1]) == many // 2


async def test_an_observation_is_found_corrected_and_taken_out_by_its_number(
    history: SensedHistory, series: Series, store: Store
) -> None:
    one = (await history.of_each(series, ALL, limit=1, backward=False))[0]
    later = NOON + timedelta(days=40)
    await history.correct(one, Instance(type=AttributeType.PROPERTY, value="mended"), at=later, now=later)
    found = await history.one(series.attributes[:1], one.instance)
    assert found is not None and (found.value, found.observed_at) == ("mended", later)
    await history.delete([found])
    assert await history.one(series.attributes[:1], one.instance) is None
    assert await history.one(series.attributes[:1], 2**70) is None
    await history.delete_series(Series(series.entities[1:], series.attributes[1:]))
    assert await history.count(Series(series.entities[1:], series.attributes[1:]), ALL) == 0
