# SPDX-License-Identifier: Apache-2.0
"""What doors bring into the pool, for detectors: in a simulated city and in a real street alike.

Fast columns come with the frame of a field; what single devices report comes by doors, as changes of entities. Apps
name the types and attributes that their detectors look at (`App.senses`), and the loop is handed what came since its
last step. It counts in the step in which it came, at the city's time: the clock of a device may be another one.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeChange, Document, EntityChange
from citybrain.kernel.entities.times import us_of
from citybrain.kernel.loop import Sensed
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Column, Entity

Clock = Callable[[], datetime]


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """What an entity that a door keeps in a form of its own says: the thing as detectors know it, and under which name
    each of the entity's attributes is theirs."""

    entity: Entity
    names: Mapping[str, str]


Meaning = Callable[[Document], Meant | None]
"""What an entity of a door's own type says of a thing of another type (`Door.meanings`); None when nothing."""

STALE = timedelta(hours=3)
"""What was observed longer ago is an import of the past, no news. Stations publish an hour's mean within two hours of
its end (our convention)."""


class Sensing:
    """Follows the pool's changes from now on. `senses` are the attributes by type; without attributes it is enough to
    know of a thing. Entities of the types in `meanings` count as what they mean."""

    def __init__(
        self,
        pool: Pool,
        senses: Mapping[str, Collection[str]],
        meanings: Mapping[str, Meaning] | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._pool = pool
        self._meanings = meanings or {}
        self._senses = {type: frozenset(attributes) for type, attributes in senses.items()}
        self._clock = clock
        self._changed: dict[str, bool] = {}
        self._values: dict[str, dict[str, float]] = {}
        pool.documents.hooks.append(self._follow)

    @property
    def is_idle(self) -> bool:
        """There is nothing that is looked at."""
        types = (*self._senses, *self._meanings)
        return not self._changed and not any(self._pool.documents.count(DEFAULT_TENANT, type) for type in types)

    def entities(self) -> tuple[Entity, ...]:
        """All things there are of the types."""
        meant = [
            entity
            for type in self._meanings
            for id in self._pool.documents.ids_of_type(DEFAULT_TENANT, type)
            if (entity := self._entity(id)) is not None
        ]
        return (*(entity for type in self._senses for entity in self._pool.entities(type)), *meant)

    def take(self) -> Sensed:
        """What came since it was taken last."""
        if not self._changed and not self._values:
            return Sensed()
        changed, self._changed = self._changed, {}
        values, self._values = self._values, {}
        found = {id: self._entity(id) if is_there else None for id, is_there in changed.items()}
        return Sensed(
            entities=tuple(each for each in found.values() if each is not None),
            gone=tuple(id for id, each in found.items() if each is None),
            columns=tuple(
                Column(attribute=name, entity_ids=tuple(of), values=np.array(list(of.values()), np.float64))
                for name, of in values.items()
            ),
        )

    def _follow(self, changes: Sequence[EntityChange]) -> None:
        for change in changes:
            document = change.after or change.before
            if change.tenant != DEFAULT_TENANT or document is None:
                continue
            senses = next((self._senses[type] for type in document.types if type in self._senses), None)
            if senses is not None:
                self._take(change, senses, {})
            elif self._meanings and (meant := self._meant(document)) is not None:
                self._take(change, self._senses[meant.entity.type], meant.names)

    def _entity(self, id: str) -> Entity | None:
        if not self._meanings or not any(
            type in self._meanings for type in self._pool.documents.types(DEFAULT_TENANT, id)
        ):
            return self._pool.entity(id)
        document = self._pool.documents.stored(DEFAULT_TENANT, id)
        meant = self._meant(document) if document else None
        return meant.entity if meant else None

    def _meant(self, document: Document) -> Meant | None:
        meaning = next((self._meanings[type] for type in document.types if type in self._meanings), None)
        meant = meaning(document) if meaning else None
        return meant if meant and meant.entity.type in self._senses else None

    def _take(self, change: EntityChange, senses: Collection[str], names: Mapping[str, str]) -> None:
        if change.after is None or change.before is None:
            self._changed[change.id] = change.after is not None
        for each in change.attributes:
            name = names.get(each.name, each.name)
            if name not in senses:
                if _differs(each):
                    self._changed[change.id] = change.after is not None
            elif self._is_news(each):
                self._values.setdefault(name, {})[change.id] = each.after.value  # type: ignore[union-attr]

    def _is_news(self, change: AttributeChange) -> bool:
        after = change.after
        if after is None or after.dataset_id or not isinstance(after.value, int | float):
            return False
        if not after.observed_at:
            return True
        return self._clock().timestamp() * 1e6 - us_of(after.observed_at) < STALE.total_seconds() * 1e6


def _differs(change: AttributeChange) -> bool:
    """It says something else than before; when it was said is none of it."""
    before, after = change.before, change.after
    return before is None or after is None or before.value != after.value
