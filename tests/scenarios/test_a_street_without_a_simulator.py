# SPDX-License-Identifier: Apache-2.0
"""The real street: what doors observed in the pool becomes a batch per second, and the brain thinks of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.times import to_us
from citybrain.kernel.executing import Executing
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.records import Because, Column, Entity, Facts, Json, Order, Outcome, OutcomeState
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import contributions, scenarios
from citybrain.serve.city import City
from citybrain.serve.street import Street


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    """An open city with the types of all its parts."""
    settings = Settings(data=open_folder / "street", database_url=database_url)
    async with open_store(settings, types=contributions.entity_types()) as opened:
        yield opened


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def signal_of(name: str) -> str:
    return f"urn:ngsi-ld:TrafficSignalController:{name}"


class Controller:
    """A machine outside."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signal = signal_of(name)
        self.claims = frozenset({self.signal})
        self.said: Facts = {"stages": ["Gr", "rG"], "min_green_s": [5.0, 5.0], "yellow_s": 3.0, "all_red_s": 1.0}
        self.got: list[Order] = []
        self.means: frozenset[str] = frozenset()

    def lacks(self, means: str) -> Because | None:
        return None

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        self.got += orders
        return [Outcome(order_id=each.id, state=OutcomeState.EXECUTED, at=at) for each in orders]

    def facts(self) -> Mapping[str, Facts]:
        return {self.signal: self.said}

    def columns(self) -> Sequence[Column]:
        ids = (self.signal,)
        return (
            Column(attribute="signalState", entity_ids=ids, values=("Gr",)),
            Column(attribute="controlMode", entity_ids=ids, values=("plan",)),
        )


def entity(kind: str, name: str, **attributes: Json) -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:{kind}:{name}",
        type=kind,
        source="survey",
        observed_at=NOON,
        name={"zh": name, "en": name},
        attributes=attributes,
    )


def detector(name: str, role: str, lane: str) -> Entity:
    return entity(
        "TrafficDetector",
        f"{name}:{role}:{lane}",
        controller=signal_of(name),
        role=role,
        lane=lane,
        range_m=100.0,
        length_m=200.0,
        speed_limit_mps=13.9,
    )


def crossing(name: str, **more: Json) -> list[Entity]:
    """Two approaches that cross, each with an exit."""
    links = [{"index": at, "approach": f"in{at}", "exit": f"out{at}"} for at in range(2)]
    signal = entity("TrafficSignalController", name, links=links, **more)
    return [signal, *_detectors(name)]


def _detectors(name: str) -> list[Entity]:
    return [
        detector(name, role, f"{lane}{at}") for at in range(2) for role, lane in (("approach", "in"), ("exit", "out"))
    ]


async def observed(store: Store, of: str, at: datetime, **values: float) -> None:
    """Every detector reported."""
    names = [(each.id, name, value) for each in _detectors(of) for name, value in values.items()]
    observations = Observations(
        entity_ids=[id for id, _, _ in names],
        attributes=[name for _, name, _ in names],
        observed_us=np.array([to_us(at)] * len(names), np.int64),
        numbers=np.array([value for _, _, value in names]),
        words=None,
    )
    await observe_many(store.documents, DEFAULT_TENANT, observations, type="TrafficDetector", at=at)


def of(frame: Any, name: str) -> list[float]:
    (column,) = [each for each in frame.batch.columns if each.attribute == name]
    return list(column.values)


async def test_what_doors_observed_is_a_batch_per_second_and_a_count_counts_once(store: Store) -> None:
    now = NOON
    await store.pool.register(crossing("a"))
    street = Street(store.pool, Executing([Controller("a")]), clock=lambda: now)
    assert await street.start() == (), "nothing was observed there yet"
    await observed(store, "a", NOON, vehicleCount=3.0, occupancy=0.5)
    assert street.has_news
    entities = await street.start()
    assert [each.type for each in entities].count("TrafficDetector") == 4
    first = await street.step(())
    now += timedelta(seconds=1)
    second = await street.step(())
    now += timedelta(seconds=1)
    await observed(store, "a", now, vehicleCount=2.0)
    third = await street.step(())
    assert [of(frame, "vehicleCount")[0] for frame in (first, second, third)] == [3.0, 0.0, 2.0]
    assert [of(frame, "occupancy")[0] for frame in (first, second, third)] == [0.5, 0.5, 0.5]
    now += timedelta(minutes=2)
    assert isnan(of(await street.step(()), "occupancy")[0]), "nobody has heard of it for long"
    assert not street.has_news


async def test_a_signal_of_which_too_little_is_known_takes_no_part(store: Store) -> None:
    await store.pool.register(crossing("b")[:-1])
    await observed(store, "b", NOON, occupancy=0.1)
    street = Street(store.pool, Executing([Controller("b")]), clock=lambda: NOON)
    assert await street.start() == (), "one lane has no detector"


async def test_an_order_that_no_machine_takes_is_refused(store: Store) -> None:
    street = Street(store.pool, Executing(), clock=lambda: NOON)
    await street.start()
    order = Order(id="1", means="traffic.set_stage", entity_id=signal_of("c"), at=NOON, because=Because(code="c"))
    (outcome,) = (await street.step([order])).outcomes
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "serve.nobody_in_the_street")


def road(name: str) -> Entity:
    return entity("RoadSegment", name, length=100.0, maximumAllowedSpeed=50.0, totalLaneNumber=1)


async def drove(store: Store, name: str, at: datetime, kmh: float) -> None:
    """A source says how fast a road is."""
    observations = Observations(
        entity_ids=[f"urn:ngsi-ld:RoadSegment:{name}"],
        attributes=["averageVehicleSpeed"],
        observed_us=np.array([to_us(at)], np.int64),
        numbers=np.array([kmh]),
        words=None,
    )
    await observe_many(store.documents, DEFAULT_TENANT, observations, type="RoadSegment", at=at)


async def test_what_screens_draw_is_in_the_present_as_soon_as_it_comes_and_not_with_the_next_second(
    store: Store,
) -> None:
    now = NOON
    street = Street(store.pool, Executing(), clock=lambda: now)
    await store.pool.register([road("quick"), road("other")])
    await drove(store, "quick", now, 30.0)
    await drove(store, "other", now, 31.0)
    await street.start()
    await street.step(())
    ids = ("urn:ngsi-ld:RoadSegment:quick", "urn:ngsi-ld:RoadSegment:other")
    heard = street.heard
    now += timedelta(milliseconds=300)
    await drove(store, "quick", now, 40.0)
    assert store.pool.values("averageVehicleSpeed", ids)[0] == 40.0
    assert street.heard == heard + 1
    await drove(store, "quick", now - timedelta(minutes=5), 50.0)
    assert store.pool.values("averageVehicleSpeed", ids)[0] == 40.0, "late: it replaces nothing"
    now += timedelta(milliseconds=700)
    frame = await street.step(())
    (column,) = [each for each in frame.batch.columns if each.attribute == "averageVehicleSpeed"]
    assert 40.0 in list(column.values)
    store.pool.observe(frame.batch)
    assert store.pool.values("averageVehicleSpeed", ids)[0] == 40.0


async def test_a_word_where_a_number_belongs_stops_no_source_and_is_not_drawn(store: Store) -> None:
    street = Street(store.pool, Executing(), clock=lambda: NOON)
    await store.pool.register([road("said"), road("told")])
    await drove(store, "said", NOON, 30.0)
    await drove(store, "told", NOON, 31.0)
    await street.start()
    store.pool.observe((await street.step(())).batch)
    ids = ("urn:ngsi-ld:RoadSegment:said", "urn:ngsi-ld:RoadSegment:told")
    both = Observations(
        entity_ids=ids,
        attributes=["averageVehicleSpeed"] * 2,
        observed_us=np.array([to_us(NOON) + 1] * 2, np.int64),
        numbers=np.array([40.0, 0.0]),
        words=[None, "fast"],
    )
    await observe_many(store.documents, DEFAULT_TENANT, both, type="RoadSegment", at=NOON)
    assert store.pool.values("averageVehicleSpeed", ids) == [40.0, 31.0]
    store.pool.observe((await street.step(())).batch)
    assert store.pool.values("averageVehicleSpeed", ids) == [40.0, None], "what it says is no speed"


async def lived(store: Store, folder: Path, controller: Controller, *, until: Any) -> City:
    """A city without a simulator, until something holds of it."""
    city = City(scenarios.find("none"), store, folder, speed=10.0)
    city.executing = Executing([controller])
    living = asyncio.create_task(city.live())
    async with asyncio.timeout(30):
        while not until(city):
            await asyncio.sleep(0.1)
            await observed(store, controller.name, utc_now(), vehicleCount=1.0, occupancy=0.2)
            assert not living.done() or living.result()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living
    return city


def shown(store: Store, controller: Controller) -> list[Any]:
    """What its lamps show, by the pool."""
    return list(store.pool.values("signalState", (controller.signal,)))


async def test_a_new_junction_is_thought_of_in_the_shadow_and_not_commanded(store: Store, tmp_path: Path) -> None:
    controller = Controller("d")
    await store.pool.register(crossing("d"))
    # Roads that are there already may live a second before the junction is known well enough.
    city = await lived(store, tmp_path, controller, until=lambda _: shown(store, controller) == ["Gr"])
    assert city.last is not None
    assert city.arms == ("brain",)
    assert not controller.got
    known = store.pool.entity(controller.signal)
    assert known is not None
    assert known.attributes["stages"] == ["Gr", "rG"], "from the controller's own tables"


async def test_a_junction_that_is_trusted_is_driven(store: Store, tmp_path: Path) -> None:
    controller = Controller("e")
    await store.pool.register(crossing("e", controlDefault="brain"))
    await lived(store, tmp_path, controller, until=lambda city: controller.got)
    assert {order.means for order in controller.got} == {"traffic.set_stage"}
