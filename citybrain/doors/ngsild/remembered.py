# SPDX-License-Identifier: Apache-2.0
"""Answers and shown entities kept as bytes, as long as what they tell is what is kept.

The bytes of an entity in memory are one object until it changes; those of an entity that may expire, or that has
values in columns, are made anew whenever they are asked for. So being the same object proves that nothing changed.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import msgspec

from citybrain.kernel.asgi import Answer
from citybrain.kernel.entities.document import EntityChange
from citybrain.kernel.entities.documents import Documents

# About a thousand pages of 20 entities, and a hundred thousand entities.
MOST_BYTES = 32 * 2**20


class Told(msgspec.Struct, frozen=True, gc=False):
    """An answer, the entities it tells with their bytes, and the tenant's count of changes if others could enter it."""

    answer: Answer
    seen: tuple[tuple[str, bytes], ...]
    changes: int | None


class Remembered:
    """One for all requests. `documents` that are not the city's own (a transient view) are not remembered."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._answers: dict[Hashable, Told] = {}
        self._answer_bytes = 0
        self._shown: dict[Hashable, tuple[bytes, bytes]] = {}
        self._shown_bytes = 0
        self._changes: dict[str, int] = {}
        documents.hooks.append(self._count)

    def answer(self, key: Hashable, tenant: str, documents: Any) -> Answer | None:
        """What was answered, if it still holds."""
        told = self._answers.get(key)
        if told is None or documents is not self._documents:
            return None
        raw = self._documents.raw
        holds = told.changes is None or told.changes == self._changes.get(tenant, 0)
        if holds and all(raw(tenant, id) is body for id, body in told.seen):
            return told.answer
        del self._answers[key]
        self._answer_bytes -= len(told.answer.body)
        return None

    def keep_answer(self, key: Hashable, tenant: str, ids: Sequence[str], answer: Answer, *, alone: bool) -> None:
        """Keep an answer that tells these entities: `alone` if no other entity could ever enter it."""
        seen = tuple((id, body) for id in ids if (body := self._documents.raw(tenant, id)) is not None)
        if len(seen) != len(ids):
            return
        self._answers[key] = Told(answer, seen, None if alone else self._changes.get(tenant, 0))
        self._answer_bytes += len(answer.body)
        while self._answer_bytes > MOST_BYTES:
            oldest = self._answers.pop(next(iter(self._answers)))
            self._answer_bytes -= len(oldest.answer.body)

    def shown(self, key: Hashable, raw: bytes | None) -> bytes | None:
        """An entity as it was shown, if it is still that one."""
        kept = self._shown.get(key)
        return kept[1] if kept is not None and kept[0] is raw else None

    def keep_shown(self, key: Hashable, raw: bytes, shown: bytes) -> None:
        """Keep how an entity is shown."""
        before = self._shown.get(key)
        self._shown_bytes += len(shown) - (len(before[1]) if before else 0)
        self._shown[key] = (raw, shown)
        while self._shown_bytes > MOST_BYTES:
            self._shown_bytes -= len(self._shown.pop(next(iter(self._shown)))[1])

    def _count(self, changes: Sequence[EntityChange]) -> None:
        for change in changes:
            self._changes[change.tenant] = self._changes.get(change.tenant, 0) + 1
