# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of, to_us
from citybrain.kernel.models.model import models
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.pool.quality import Share, Yardstick, expected_attributes, measure, report, source_of
from citybrain.kernel.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AIR = "AirQualityObserved"
NOTHING = Share(good=0, all=0)


def station(number: int, *, at: datetime | None = NOON, place: float | None = None, **values: Any) -> Document:
    attributes: Attributes = {
        name: (Instance(type=AttributeType.PROPERTY, value=value, observed_at=text_of(at) if at else ""),)
        for name, value in values.items()
    }
    if place is not None:
        point = {"type": "Point", "coordinates": [place, 30.0]}
        attributes["location"] = (Instance(type=AttributeType.GEO_PROPERTY, value=point),)
    return Document(id=f"urn:ngsi-ld:{AIR}:{number}", types=(AIR,), attributes=attributes)


def figures(found: list[Document], *, every_s: float | None = 600, twice: Share = NOTHING) -> Any:
    yardstick = Yardstick(type=AIR, expected=expected_attributes(found, None), every_s=every_s, now=NOON)
    return measure(found, "", yardstick, twice=twice)


def test_what_four_of_five_have_is_expected_of_the_fifth() -> None:
    found = [station(n, pm25=1, no2=1) for n in range(4)] + [station(4, pm25=1)]
    assert figures(found).completeness == Share(good=9, all=10)
    rare = [station(0, pm25=1, o3=1), *(station(n, pm25=1) for n in range(1, 5))]
    assert figures(rare).completeness == Share(good=5, all=5), "what one has is not expected of all"


def test_what_the_model_requires_is_expected_though_nobody_has_it() -> None:
    assert models()[AIR].required
    assert expected_attributes([station(1, pm25=1)], models()[AIR]) >= set(models()[AIR].required)


# fmt: off
TIMES = [
    (NOON,                                         1, "observed just now"),
    (NOON - timedelta(seconds=1200),               1, "twice the interval is still in time"),
    (NOON - timedelta(seconds=1201),               0, "later is not"),
    (None,                                         0, "never observed"),
]
# fmt: on


@pytest.mark.parametrize(("at", "good", "why"), TIMES)
def test_an_entity_is_in_time_within_twice_its_promise(at: datetime | None, good: int, why: str) -> None:
    assert figures([station(1, at=at, pm25=1)]).timeliness == Share(good=good, all=1), why


def test_without_a_promise_nothing_is_late() -> None:
    assert figures([station(1, pm25=1)], every_s=None).timeliness is None


def test_values_are_measured_against_the_limits_of_the_model_only() -> None:
    found = [station(1, pm25=10, other=-5), station(2, pm25=-1), station(3, pm25="much")]
    assert figures(found).range == Share(good=1, all=2)


def test_two_at_one_place_with_one_name_are_doubles() -> None:
    found = [station(1, place=120, name="A"), station(2, place=120, name="A"), station(3, place=120, name="B")]
    assert figures(found).uniqueness == Share(good=2, all=3)
    assert figures([station(1), station(2)]).uniqueness == Share(good=2, all=2), "without a place nobody can tell"
    assert figures(found, twice=Share(good=5, all=7)).uniqueness == Share(good=7, all=10)


def test_the_source_is_who_the_entity_names() -> None:
    assert source_of(station(1, dataProvider="EPB", source="x")) == "EPB"
    assert source_of(station(1, source="sensor net")) == "sensor net"
    assert source_of(station(1)) == ""


async def test_a_report_tells_each_source_apart_and_finds_observations_that_came_twice(store: Store) -> None:
    desk = Desk(documents=store.documents, tenant="", at=NOON)
    found = [station(n, pm25=5, dataProvider="EPB" if n % 2 else "Campus") for n in range(10)]
    await service.create_many(desk, found)
    again = Observations(
        entity_ids=[found[1].id] * 3,
        attributes=["no2"] * 3,
        observed_us=np.array([to_us(NOON), to_us(NOON), to_us(NOON - timedelta(minutes=1))], np.int64),
        numbers=np.array([1.0, 1.0, 2.0]),
    )
    await observe_many(store.documents, "", again, type=AIR, at=NOON)
    told = await report(store.documents, store.db, "", AIR, every_s=60, now=NOON + timedelta(seconds=30))
    assert (told.total, told.looked_at) == (10, 10)
    by_source = {each.source: each for each in told.sources}
    assert set(by_source) == {"EPB", "Campus"}
    assert by_source["EPB"].timeliness == Share(good=5, all=5)
    epb, campus = by_source["EPB"].uniqueness, by_source["Campus"].uniqueness
    assert (epb.all - epb.good, campus.all - campus.good) == (1, 0)
