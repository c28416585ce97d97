# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import to_us
from citybrain.kernel.models.policies import DoesNotFit, Policies, Policy, TypePolicy
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPE = "WeatherObserved"


def weather(id: str, **values: Any) -> Document:
    attributes: Attributes = {
        name: (Instance(type=AttributeType.PROPERTY, value=value),) for name, value in values.items()
    }
    return Document(id=f"urn:ngsi-ld:{TYPE}:{id}", types=(TYPE,), attributes=attributes)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    yield Desk(documents=store.documents, tenant="", at=NOON)
    await use(store, Policy.OFF)


async def use(city: Store, policy: Policy) -> None:
    await city.policies.set(TypePolicy(type=TYPE, policy=policy, every_s=None, changed_by="steward", changed_at=NOON))


async def marks(city: Store, id: str) -> set[str]:
    found = await city.policies.findings("", entity_id=f"urn:ngsi-ld:{TYPE}:{id}")
    return {each.attribute for each in found if each.code == "kernel.model_range"}


async def test_without_a_policy_nothing_is_looked_at(store: Store, desk: Desk) -> None:
    await service.create(desk, weather("off", temperature=999))
    assert await marks(store, "off") == set()


async def test_to_warn_keeps_the_entity_and_marks_what_does_not_fit_until_it_does(store: Store, desk: Desk) -> None:
    await use(store, Policy.WARN)
    await service.create(desk, weather("warn", temperature=999, relativeHumidity=2))
    assert store.documents.get("", f"urn:ngsi-ld:{TYPE}:warn") is not None
    assert await marks(store, "warn") == {"temperature", "relativeHumidity"}
    await service.upsert(desk, weather("warn", temperature=20))
    assert await marks(store, "warn") == {"relativeHumidity"}, "one was mended"
    await service.delete(desk, f"urn:ngsi-ld:{TYPE}:warn")
    assert await marks(store, "warn") == set()


async def test_a_mark_keeps_the_time_since_when_it_holds(store: Store, desk: Desk) -> None:
    await use(store, Policy.WARN)
    await service.create(desk, weather("since", temperature=999))
    later = Desk(documents=store.documents, tenant="", at=NOON + timedelta(hours=1))
    await service.upsert(later, weather("since", temperature=998))
    found = await store.policies.findings("", entity_id=f"urn:ngsi-ld:{TYPE}:since")
    assert {(each.since, each.facts["value"]) for each in found if each.attribute == "temperature"} == {(NOON, 998)}


async def test_to_refuse_says_what_does_not_fit_and_keeps_nothing(store: Store, desk: Desk) -> None:
    await use(store, Policy.REFUSE)
    with pytest.raises(DoesNotFit) as refusal:
        await service.create(desk, weather("refuse", temperature=999))
    assert refusal.value.code in ("kernel.model_missing", "kernel.model_range")
    assert store.documents.get("", f"urn:ngsi-ld:{TYPE}:refuse") is None


async def test_in_a_batch_only_those_are_refused_that_do_not_fit(store: Store, desk: Desk) -> None:
    await use(store, Policy.REFUSE)
    place = (Instance(type=AttributeType.GEO_PROPERTY, value={"type": "Point", "coordinates": [120, 30]}),)
    good = weather("good", temperature=20, dateObserved="2026-03-01T12:00:00Z")
    good.attributes["location"] = place
    outcome = await service.create_many(desk, [good, weather("bad", temperature=999)])
    assert outcome.created == (good.id,)
    assert [id for id, _ in outcome.refused] == [f"urn:ngsi-ld:{TYPE}:bad"]


async def test_observations_in_bulk_are_asked_too(store: Store, desk: Desk) -> None:
    await use(store, Policy.REFUSE)
    wild = Observations(
        entity_ids=[f"urn:ngsi-ld:{TYPE}:bulk"],
        attributes=["temperature"],
        observed_us=np.array([to_us(NOON)], np.int64),
        numbers=np.array([999.0]),
    )
    with pytest.raises(DoesNotFit):
        await observe_many(store.documents, "", wild, type=TYPE, at=NOON)
    assert desk.documents.get("", f"urn:ngsi-ld:{TYPE}:bulk") is None


async def test_policies_outlive_a_restart(store: Store, desk: Desk) -> None:
    await use(store, Policy.WARN)
    assert (await Policies.open(store.db)).of(TYPE) is Policy.WARN
    assert desk.tenant == ""
