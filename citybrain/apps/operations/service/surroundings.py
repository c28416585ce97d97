# SPDX-License-Identifier: Apache-2.0
"""What planning and checking ask of the city: the network around an event, names, and the newest values."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from citybrain.apps.operations.control.means.acts import PROGRESS, TAKEN
from citybrain.apps.operations.decide.conditions import HOPS, Room, room_of
from citybrain.apps.operations.decide.lines import Run
from citybrain.apps.operations.decide.network import SIGNAL, Network
from citybrain.apps.operations.decide.planning import Context, Nearest, nobody
from citybrain.apps.operations.service.carrying.desk import NAME as DESK
from citybrain.kernel.app import Where
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.records import Json
from citybrain.kernel.routing import LANE, ROAD
from citybrain.kernel.store import Store

# Streets change seldom; when they do, so much later is soon enough.
READ_AGAIN_S = 60.0
SPEED, FRESH = "averageVehicleSpeed", timedelta(minutes=5)
"""What was observed longer ago says nothing of the room on a road."""
OF_ORDER = (PROGRESS, TAKEN)
SAMPLES_AT_MOST = 2_000
TYPES = (ROAD, LANE, SIGNAL, "TrafficDetector")


class OfOrders(Protocol):
    """Knows what became of the work and the messages of orders."""

    async def observed(self, order_id: str, attribute: str) -> float | None:
        """How far the work is, or how many took the message; None where there is neither."""
        ...


class Surroundings:
    """The city around events. `nearest` finds who is near, where somebody can tell."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._network = Network()
        self._read_s = -READ_AGAIN_S
        self.nearest: Nearest = nobody

    def context(self) -> Context:
        """What planning knows of the city now."""
        trade = self._store.orders.trade
        return Context(
            means=trade.means,
            executed=trade.executed,
            network=self.network,
            types=self.types,
            names=self.name,
            nearest=self.nearest,
            zone=ZoneInfo(self._store.timezone),
        )

    @property
    def network(self) -> Network:
        """Roads and signals, read again once in a while."""
        if monotonic_s() - self._read_s >= READ_AGAIN_S:
            self._read_s = monotonic_s()
            pool = self._store.pool
            self._network = Network([entity for type in TYPES for entity in pool.entities(type)])
        return self._network

    @property
    def city_now(self) -> datetime:
        """The city's time, as its loop said last; the clock's where nothing runs."""
        return self._store.orders.delivery.at or utc_now()

    def types(self, entity_id: str) -> Sequence[str]:
        """The types of an entity."""
        return self._store.documents.types(DEFAULT_TENANT, entity_id)

    def name(self, entity_id: str, lang: str) -> str:
        """What people call an entity, in another language where this one has no name for it; its id where none has."""
        entity = self._store.pool.entity(entity_id)
        named = dict(entity.name) if entity else {}
        return str(named.get(lang) or named.get("zh") or named.get("en") or entity_id)

    def entity_of(self, entity_id: str, on: Where) -> str | None:
        """The entity itself, its road, or the signal there."""
        if on == "entity":
            return entity_id
        return self.network.road_of(entity_id) if on == "road" else self.network.junction_of(entity_id)

    def seen(self, entity_id: str | None, attribute: str) -> tuple[Json, datetime | None]:
        """The newest value of an attribute, and when it was observed; None where it is not known."""
        if not entity_id:
            return None, None
        newest = self._store.pool.now(entity_id).get(attribute)
        if newest is not None:
            return newest.value, newest.observed_at
        document = self._store.documents.get(DEFAULT_TENANT, entity_id)
        instances = document.attributes.get(attribute, ()) if document else ()
        if not instances:
            return None, None
        at = instances[0].observed_at or instances[0].modified_at
        return instances[0].value, datetime.fromisoformat(at) if at else None

    async def promised(self, order_id: str, entity_id: str | None, attribute: str) -> tuple[Json, datetime | None]:
        """The same of what an order promises: how far its work is, and who took its message, is of the order itself."""
        if attribute in OF_ORDER:
            desk: OfOrders | None = self._store.of_apps.get(DESK)
            return (await desk.observed(order_id, attribute) if desk else None), None
        return self.seen(entity_id, attribute)

    def room_at(self, run: Run) -> Room | None:
        """The room on the roads around a run's event; None where its road is not known."""
        network = self.network
        road = network.road_of(run.entity_id)
        if road is None:
            return None
        return room_of((self._speed(one), network.limit_kmh.get(one)) for one in network.around(road, HOPS))

    def _speed(self, road: str) -> float | None:
        value, at = self.seen(road, SPEED)
        is_fresh = at is not None and self.city_now - at <= FRESH
        return float(value) if is_fresh and isinstance(value, int | float) else None

    async def mean(self, entity_id: str, attribute: str, *, since: datetime, until: datetime) -> float | None:
        """The mean of what was observed in a time; None where nothing was kept."""
        kept = await self._store.pool.history(entity_id, attribute, since=since, until=until, limit=SAMPLES_AT_MOST)
        numbers = [float(value) for _, value in kept if isinstance(value, int | float) and value == value]
        return sum(numbers) / len(numbers) if numbers else None

    def value_at(self, run: Run, attribute: str, on: Where) -> Json:
        """The newest value at the place of a run's event."""
        return self.seen(self.entity_of(run.entity_id, on), attribute)[0]
