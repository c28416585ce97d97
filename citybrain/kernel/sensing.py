# SPDX-License-Identifier: Apache-2.0
"""What doors bring into the pool, for detectors: in a simulated city and in a real street alike.

Fast columns come with the frame of a field; what single devices report comes by doors, as changes of entities. Apps
name the types and attributes that their detectors look at (`App.senses`), and the loop is handed what came since its
last step. It counts in the step in which it came, at the city's time: the clock of a device may be another one.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeChange, EntityChange
from citybrain.kernel.entities.times import us_of
from citybrain.kernel.loop import Sensed
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Column, Entity

Clock = Callable[[], datetime]

STALE = timedelta(hours=3)
"""What was observed longer ago is an import of the past, no news. Stations publish an hour's mean within two hours of
its end (our convention)."""


class Sensing:
    """Follows the pool's changes from now on. `senses` are the attributes by type; without attributes it is enough to
    know of a thing."""

    def __init__(self, pool: Pool, senses: Mapping[str, Collection[str]], *, clock: Clock = utc_now) -> None:
        self._pool = pool
        self._senses = {type: frozenset(attributes) for type, attributes in senses.items()}
        self._clock = clock
        self._changed: dict[str, bool] = {}
        self._values: dict[str, dict[str, float]] = {}
        pool.documents.hooks.append(self._follow)

    @property
    def is_idle(self) -> bool:
        """There is nothing that is looked at."""
        return not self._changed and not any(self._pool.documents.count(DEFAULT_TENANT, type) for type in self._senses)

    def entities(self) -> tuple[Entity, ...]:
        """All things there are of the types."""
        return tuple(entity for type in self._senses for entity in self._pool.entities(type))

    def take(self) -> Sensed:
        """What came since it was taken last."""
        if not self._changed and not self._values:
            return Sensed()
        changed, self._changed = self._changed, {}
        values, self._values = self._values, {}
        found = {id: self._pool.entity(id) if is_there else None for id, is_there in changed.items()}
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
                self._take(change, senses)

    def _take(self, change: EntityChange, senses: Collection[str]) -> None:
        if change.after is None or change.before is None:
            self._changed[change.id] = change.after is not None
        for each in change.attributes:
            if each.name not in senses:
                if _differs(each):
                    self._changed[change.id] = change.after is not None
            elif self._is_news(each):
                self._values.setdefault(each.name, {})[change.id] = each.after.value  # type: ignore[union-attr]

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
