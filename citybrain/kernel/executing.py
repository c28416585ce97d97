# SPDX-License-Identifier: Apache-2.0
"""Orders for what outside machines own, and by means that are none of the street's: each to its executor, the rest to
the field."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
import numpy as np
import structlog

from citybrain.kernel.app import Frame
from citybrain.kernel.records import Batch, Because, Column, Entity, Facts, Json, Order, Outcome

log = structlog.get_logger()

STATES = "signalState"

Ids = dict[tuple[str, ...], tuple[str, ...]]


class Executor(Protocol):
    """Carries out orders: all those of its `means`, whatever they are on, and for machines in the real street those for
    the entities that it claims; nobody else may.

    `obey` takes orders in and answers soon with the outcomes that are there by then; what takes longer is among those
    of a later call, which may come without orders. `facts` are attributes that the machines say of themselves, by
    entity; `columns` what they show now.
    """

    @property
    def claims(self) -> frozenset[str]:
        """The ids of the entities."""
        ...

    @property
    def means(self) -> frozenset[str]:
        """The names of the means."""
        ...

    def lacks(self, means: str) -> Because | None:
        """Why orders of one of its means could not be carried out now, whatever they are on; None when they can."""
        ...

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        """Take orders in; `at` is the city's time."""
        ...

    def facts(self) -> Mapping[str, Facts]:
        """What the machines say of themselves."""
        ...

    def columns(self) -> Sequence[Column]:
        """What they show now."""
        ...


class Executing:
    """All executors of a city. The brain thinks in what `adopt` made of the entities, so no column contradicts them."""

    def __init__(self, executors: Sequence[Executor] = ()) -> None:
        self._executors = {entity_id: executor for executor in executors for entity_id in executor.claims}
        self._by_means = {name: executor for executor in executors for name in executor.means}
        self._all = tuple(executors)
        self._adopted: dict[str, Facts] = {}
        self._lamps: dict[str, int] = {}
        self._ids: Ids = {}

    def has(self, entity_id: str) -> bool:
        """Whether an executor claims this entity."""
        return entity_id in self._executors

    @property
    def means(self) -> frozenset[str]:
        """The means that executors carry out on anything."""
        return frozenset(self._by_means)

    def lacks(self, means: str) -> Because | None:
        """Why the executor of a means could not carry it out now; None when it can, or none has this means."""
        executor = self._by_means.get(means)
        return executor.lacks(means) if executor else None

    def split(self, orders: Sequence[Order]) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
        """Orders that an executor carries out, and those for the field, each in their order."""
        ours = tuple(order for order in orders if self._of(order) is not None)
        return ours, tuple(order for order in orders if self._of(order) is None)

    async def obey(self, orders: Sequence[Order], at: datetime) -> tuple[Outcome, ...]:
        """Hand each order to its executor; outcomes of earlier ones come along."""
        if not self._all:
            return ()
        answers = await asyncio.gather(
            *(executor.obey([order for order in orders if self._of(order) is executor], at) for executor in self._all)
        )
        return tuple(outcome for outcomes in answers for outcome in outcomes)

    @property
    def has_news(self) -> bool:
        """Whether a machine says something else of itself than what was adopted last."""
        return any(
            facts != self._adopted.get(entity_id) for each in self._all for entity_id, facts in each.facts().items()
        )

    def adopt(self, entities: Sequence[Entity]) -> tuple[Entity, ...]:
        """The entities with what their machines say of themselves in place of what was known.

        A signal whose ways name lamps that its controller does not have is left as it was, and is said to be so.
        """
        self._adopted = said = self._said()
        found = self.adopted(entities)
        self._lamps = {
            entity.id: len(entity.attributes["stages"][0])
            for entity in found
            if entity.id in said and _fits(entity, said[entity.id])
        }
        for entity in found:
            if entity.id in said and entity.id not in self._lamps:
                log.warning("controller_does_not_fit", entity=entity.id)
        return found

    def adopted(self, entities: Sequence[Entity]) -> tuple[Entity, ...]:
        """What `adopt` would make of the entities; nothing is remembered."""
        said = self._said()
        return tuple(_merged(entity, said[entity.id]) if entity.id in said else entity for entity in entities)

    def merge(self, frame: Frame, outcomes: Sequence[Outcome]) -> Frame:
        """The frame with the outcomes, and what machines show in place of what the field says of the same."""
        columns = [
            part for each in self._all for column in each.columns() if (part := self._of_known(column)) is not None
        ]
        if not columns:
            return msgspec.structs.replace(frame, outcomes=(*frame.outcomes, *outcomes)) if outcomes else frame
        shown: dict[str, frozenset[str]] = {}
        for column in columns:
            shown[column.attribute] = shown.get(column.attribute, frozenset()) | frozenset(column.entity_ids)
        rest = [self._without(column, shown.get(column.attribute, frozenset())) for column in frame.batch.columns]
        batch: Batch = msgspec.structs.replace(
            frame.batch, columns=(*(column for column in rest if column.entity_ids), *columns)
        )
        return msgspec.structs.replace(frame, batch=batch, outcomes=(*frame.outcomes, *outcomes))

    def _of(self, order: Order) -> Executor | None:
        """Who carries an order out: by its means, else by what it is on."""
        return self._by_means.get(order.means) or self._executors.get(order.entity_id)

    def _said(self) -> dict[str, Facts]:
        return {entity_id: facts for each in self._all for entity_id, facts in each.facts().items()}

    def _of_known(self, column: Column) -> Column | None:
        """The part of a column whose entities are adopted, states with as many lamps as the brain knows."""
        picked = [
            at
            for at, entity_id in enumerate(column.entity_ids)
            if entity_id in self._lamps
            and (column.attribute != STATES or len(column.values[at]) == self._lamps[entity_id])
        ]
        return _picked(column, picked, self._ids) if picked else None

    def _without(self, column: Column, gone: frozenset[str]) -> Column:
        if gone.isdisjoint(column.entity_ids):
            return column
        return _picked(column, [at for at, each in enumerate(column.entity_ids) if each not in gone], self._ids)


def _fits(entity: Entity, facts: Facts) -> bool:
    """The controller has a stage, and a lamp for each way of the signal."""
    stages: Sequence[str] = facts.get("stages") or ()
    links: Sequence[Mapping[str, Json]] = entity.attributes.get("links") or ()
    return bool(stages) and all(link["index"] < len(stages[0]) for link in links)


def _merged(entity: Entity, facts: Facts) -> Entity:
    if not _fits(entity, facts):
        return entity
    return msgspec.structs.replace(entity, attributes={**entity.attributes, **facts})


def _picked(column: Column, places: Sequence[int], known: Ids) -> Column:
    """The values at these places; equal sets of ids are the very same tuple each time."""
    if len(places) == len(column.entity_ids):
        return column
    ids = tuple(column.entity_ids[at] for at in places)
    ids = known.setdefault(ids, ids)
    if isinstance(column.values, np.ndarray):
        return Column(attribute=column.attribute, entity_ids=ids, values=column.values[list(places)])
    return Column(attribute=column.attribute, entity_ids=ids, values=tuple(column.values[at] for at in places))
