# SPDX-License-Identifier: Apache-2.0
"""A street without a simulator: what doors brought into the pool, as one batch per second."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from citybrain.kernel.app import Frame
from citybrain.kernel.clock import Clock, new_id, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document, EntityChange, Instance
from citybrain.kernel.entities.times import us_of
from citybrain.kernel.errors import Conflict
from citybrain.kernel.executing import Executing
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Batch, Column, Entity, Facts, Json, Order, Outcome, OutcomeState

SOURCE = "street"

ROAD, LANE, JUNCTION = "RoadSegment", "RoadLane", "RoadJunction"
SIGNAL, DETECTOR = "TrafficSignalController", "TrafficDetector"

ALIVE = timedelta(seconds=90)
"""What was observed longer ago is not known any more: loops report every minute, or more often."""

NEEDED: Mapping[str, frozenset[str]] = {
    ROAD: frozenset({"length", "maximumAllowedSpeed"}),
    SIGNAL: frozenset({"links", "stages", "min_green_s", "yellow_s", "all_red_s"}),
    DETECTOR: frozenset({"controller", "role", "lane", "length_m", "speed_limit_mps"}),
}
"""What must be known of a thing before the apps can think of it."""

CONSIDERED = frozenset({*(name for names in NEEDED.values() for name in names), "plan", "road", "controlDefault"})

COUNTS = frozenset({"vehicleCount", "advanceCount"})
"""Of detectors: what passed since the last report. It counts in the second in which it came, and no second time."""

NUMBERS: Mapping[str, tuple[str, ...]] = {
    ROAD: ("averageVehicleSpeed", "vehicleCount"),
    DETECTOR: (
        "vehicleCount",
        "averageVehicleSpeed",
        "occupancy",
        "queueLength",
        "advanceCount",
        "advanceOccupancy",
    ),
}

STATE = "signalState"

SHOWN: Mapping[str, frozenset[str]] = {ROAD: frozenset(NUMBERS[ROAD]), SIGNAL: frozenset({STATE})}
"""What screens draw: it is in the present as soon as it comes, and not only with the next second."""

GREEN_S = 30.0
"""How long a stage is green in the plan of a signal of which no plan is known."""


class NotSimulated(Conflict):
    """A real street has no state that could be saved."""


class _Value(msgspec.Struct, frozen=True):
    value: float | str
    observed_us: int


class Street:
    """A hosted field. Its entities are those that were ever observed, or that a machine outside is, and of which enough
    is known; a signal has detectors at all its lanes. Orders that no executor took are refused: nobody is there.
    """

    def __init__(self, pool: Pool, executing: Executing, *, clock: Clock = utc_now) -> None:
        self._pool = pool
        self._executing = executing
        self._clock = clock
        self._entities: tuple[Entity, ...] = ()
        self._ids: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, tuple[bytes, dict[str, _Value]]] = {}
        self._counted_us: dict[tuple[str, str], int] = {}
        self._shown: Mapping[str, frozenset[str]] = {}
        self._batch_id = ""
        self.heard = 0
        pool.documents.hooks.append(self._hear)

    @property
    def has_news(self) -> bool:
        """The pool has other things, or says something else of them, than when it was started."""
        return [_said(each) for each in self._found()] != [_said(each) for each in self._entities]

    async def start(self) -> Sequence[Entity]:
        """What there is now."""
        self._entities = self._found()
        self._ids = {
            kind: tuple(each.id for each in self._entities if each.type == kind) for kind in (ROAD, SIGNAL, DETECTOR)
        }
        self._pool.admit(each.id for each in self._entities)
        self._shown = {id: names for kind, names in SHOWN.items() for id in self._ids[kind]}
        return self._entities

    async def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame:
        """What is known in this second."""
        at = self._clock()
        columns = [
            Column(attribute=name, entity_ids=self._ids[kind], values=self._numbers(kind, name, at))
            for kind, names in NUMBERS.items()
            for name in names
            if self._ids[kind] and name in self._pool.declared(kind)
        ]
        self._batch_id = new_id()
        batch = Batch(
            id=self._batch_id, source=SOURCE, observed_at=at, received_at=at, columns=(*columns, *self._states(at))
        )
        return Frame(batch=batch, outcomes=tuple(_nobody(order, at) for order in orders))

    def _hear(self, changes: Sequence[EntityChange]) -> None:
        """Put what screens draw into the present. `heard` counts how often there was such."""
        at = self._clock()
        found: dict[str, dict[str, float | str]] = {}
        for change in changes:
            names = self._shown.get(change.id) if change.tenant == DEFAULT_TENANT else None
            for each in change.attributes if names else ():
                value = _value(each.after) if names and each.name in names else None
                if value is not None and _is_drawn(each.name, value) and _is_alive(value, at):
                    found.setdefault(each.name, {})[change.id] = value.value
        for name, values in found.items():
            self._pool.hear(name, values, batch_id=self._batch_id, at=at)
        self.heard += bool(found)

    async def save(self, path: str) -> None:
        """There is nothing to save."""
        raise NotSimulated("serve.street_not_simulated", {"path": path})

    async def summary(self) -> Facts:
        """Nobody judges a real street."""
        return {}

    async def close(self) -> None:
        """Nothing to let go of."""
        await asyncio.sleep(0)

    def _found(self) -> tuple[Entity, ...]:
        """All things that take part, each with what its machine says of itself."""
        given = [entity for kind in (ROAD, SIGNAL, DETECTOR) for entity in self._pool.entities(kind)]
        seen = [entity for entity in given if self._observed(entity.id) or self._executing.has(entity.id)]
        return complete(self._executing.adopted(seen), self._pool.entities(LANE), self._pool.entities(JUNCTION))

    def _observed(self, entity_id: str) -> Mapping[str, _Value]:
        """The observed values of an entity, decoded only when it changed."""
        body = self._pool.documents.kept(DEFAULT_TENANT, entity_id)
        known = self._known.get(entity_id)
        if known is not None and known[0] is body:
            return known[1]
        document = self._pool.documents.stored(DEFAULT_TENANT, entity_id)
        if body is None or document is None:
            return {}
        values = _values(document)
        self._known[entity_id] = (body, values)
        return values

    def _numbers(self, kind: str, name: str, at: datetime) -> np.ndarray:
        counts = kind == DETECTOR and name in COUNTS
        return np.array([self._number(entity_id, name, at, counts=counts) for entity_id in self._ids[kind]])

    def _number(self, entity_id: str, name: str, at: datetime, *, counts: bool) -> float:
        found = self._observed(entity_id).get(name)
        if found is None or isinstance(found.value, str) or not _is_alive(found, at):
            return math.nan
        if not counts:
            return found.value
        was_us = self._counted_us.get((entity_id, name), 0)
        self._counted_us[entity_id, name] = found.observed_us
        return found.value if found.observed_us > was_us else 0.0

    def _states(self, at: datetime) -> Iterable[Column]:
        """Lamps that doors observed; those that executors see come from them."""
        shown = [
            (entity_id, found.value)
            for entity_id in self._ids[SIGNAL]
            if (found := self._observed(entity_id).get(STATE)) and isinstance(found.value, str) and _is_alive(found, at)
        ]
        if shown:
            ids, words = zip(*shown, strict=True)
            yield Column(attribute=STATE, entity_ids=ids, values=words)


def complete(
    things: Sequence[Entity], lanes: Sequence[Entity] = (), boxes: Sequence[Entity] = ()
) -> tuple[Entity, ...]:
    """Those of which enough is known: signals that have detectors at all their lanes, detectors of such signals."""
    enough = [each for each in things if NEEDED[each.type] <= each.attributes.keys() and _is_drawn_well(each)]
    watched = {
        (each.attributes["controller"], each.attributes["role"], each.attributes["lane"])
        for each in enough
        if each.type == DETECTOR
    }
    signals = {each.id: _planned(each) for each in enough if each.type == SIGNAL and _is_watched(each, watched)}
    roads = [each for each in enough if each.type == ROAD]
    detectors = [each for each in enough if each.type == DETECTOR and each.attributes["controller"] in signals]
    if not roads and not signals:
        return ()
    return (*roads, *lanes, *boxes, *signals.values(), *detectors)


def _is_drawn_well(entity: Entity) -> bool:
    """A road is a line, if anybody drew it; who drew it otherwise meant something else."""
    return entity.type != ROAD or not entity.geometry or entity.geometry.get("type") == "LineString"


def _said(entity: Entity) -> tuple[str, Facts]:
    """What the apps begin on; what else is known of it may change every second."""
    return entity.id, {name: value for name, value in entity.attributes.items() if name in CONSIDERED}


def _is_watched(signal: Entity, watched: set[tuple[Json, Json, Json]]) -> bool:
    links: Sequence[Mapping[str, Json]] = signal.attributes["links"]
    return bool(links) and all(
        (signal.id, "approach", link["approach"]) in watched and (signal.id, "exit", link["exit"]) in watched
        for link in links
    )


def _planned(signal: Entity) -> Entity:
    """A signal with a plan, and with ways that say which they cross: its stages in their order where none is known."""
    facts = signal.attributes
    links = [{"crosses": [], "via": "", **link} for link in facts["links"]]
    plan = [{"state": stage, "duration_s": GREEN_S, "shortest_s": 0.0} for stage in facts["stages"]]
    return msgspec.structs.replace(signal, attributes={"plan": plan, "heads": [], **facts, "links": links})


def _values(document: Document) -> dict[str, _Value]:
    found = {name: _value(each) for name, instances in document.attributes.items() for each in instances[:1]}
    return {name: value for name, value in found.items() if value is not None}


def _value(instance: Instance | None) -> _Value | None:
    """What was observed as a number or a word."""
    if instance is None or not instance.observed_at or not isinstance(instance.value, int | float | str):
        return None
    value = float(instance.value) if isinstance(instance.value, int) else instance.value
    return _Value(value, us_of(instance.observed_at))


def _is_drawn(name: str, found: _Value) -> bool:
    """Lamps are a word, all else are numbers; whatever a door brought instead is not known, as in a batch."""
    return isinstance(found.value, str) == (name == STATE)


def _is_alive(found: _Value, at: datetime) -> bool:
    return at.timestamp() * 1e6 - found.observed_us <= ALIVE.total_seconds() * 1e6


def _nobody(order: Order, at: datetime) -> Outcome:
    return Outcome(
        order_id=order.id,
        state=OutcomeState.REFUSED,
        at=at,
        code="serve.nobody_in_the_street",
        facts={"entity_id": order.entity_id},
    )
