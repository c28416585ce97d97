# SPDX-License-Identifier: Apache-2.0
"""The entities of one tenant in memory: bytes by slot, in order of creation, with an index of types that can count."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

HOLES_BEFORE_CLOSING_UP = 10_000


class Rack:
    """The slots of one type, in order. Some may have moved out since; `count` is how many are really there."""

    def __init__(self) -> None:
        self.slots = array("I")
        self.count = 0

    def add(self, slot: int) -> None:
        """Take in a slot, usually the newest."""
        self.count += 1
        if not self.slots or slot > self.slots[-1]:
            self.slots.append(slot)
            return
        place = bisect_left(self.slots, slot)
        if self.slots[place] != slot:
            self.slots.insert(place, slot)


class Shelf:
    """Slots only grow, so their order is that of creation; holes are closed up when they are many."""

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.ids: list[str] = []
        self.bodies: list[bytes | None] = []
        self.types: list[tuple[str, ...]] = []
        self.kinds = array("i")
        """For each slot the place of its types in `kind_types`; 0 where there is nothing any more."""
        self.kind_types: list[tuple[str, ...]] = [()]
        self._kind_of: dict[tuple[str, ...], int] = {}
        self.numbers = array("i")
        self.racks: dict[str, Rack] = {}
        self.past: dict[str, int] = {}
        self.due_us: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.slots)

    def number(self, id: str) -> int | None:
        """The number of an entity that is here or was here; None when it never was."""
        slot = self.slots.get(id)
        return self.past.get(id) if slot is None else self.numbers[slot]

    def add(self, id: str, number: int, types: tuple[str, ...], body: bytes) -> None:
        """Take in a new entity, as the last one."""
        slot = len(self.ids)
        self.slots[id] = slot
        self.ids.append(id)
        self.bodies.append(body)
        self.types.append(types)
        self.kinds.append(self._kind(types))
        self.numbers.append(number)
        self.past.pop(id, None)
        for type in types:
            self._rack(type).add(slot)

    def add_many(self, ids: list[str], numbers: list[int], types: list[tuple[str, ...]], bodies: list[bytes]) -> None:
        """Take in many new entities, in their order, as the last ones."""
        begin = len(self.ids)
        self.slots.update(zip(ids, range(begin, begin + len(ids)), strict=True))
        self.ids.extend(ids)
        self.bodies.extend(bodies)
        self.types.extend(types)
        self.numbers.extend(numbers)
        self.kinds.extend([self._kind(each) for each in types])
        for slot, several in enumerate(types, begin):
            for type in several:
                self._rack(type).add(slot)

    def change(self, id: str, types: tuple[str, ...], body: bytes) -> None:
        """Take in the new form of an entity that is here."""
        slot = self.slots[id]
        self.bodies[slot] = body
        before = self.types[slot]
        if types != before:
            self.types[slot] = types
            self.kinds[slot] = self._kind(types)
            for type in set(types) - set(before):
                self._rack(type).add(slot)
            for type in set(before) - set(types):
                self._leave(type)

    def remove(self, id: str) -> None:
        """Take an entity out; its number is remembered."""
        slot = self.slots.pop(id)
        self.past[id] = self.numbers[slot]
        self.due_us.pop(id, None)
        for type in self.types[slot]:
            self._leave(type)
        self.bodies[slot] = None
        self.types[slot] = ()
        self.kinds[slot] = 0
        if len(self.ids) - len(self.slots) > max(HOLES_BEFORE_CLOSING_UP, len(self.slots)):
            self._close_up()

    def count(self, type: str | None = None) -> int:
        """How many entities there are, of one type or in all."""
        if type is None:
            return len(self.slots)
        rack = self.racks.get(type)
        return rack.count if rack else 0

    def scan(self, type: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Ids and bytes in order of creation. What comes or goes meanwhile may or may not be among them."""
        ids, bodies, types = self.ids, self.bodies, self.types
        if type is None:
            slots: Sequence[int] = range(len(ids))
        else:
            rack = self.racks.get(type)
            slots = rack.slots[:] if rack else ()
        for slot in slots:
            body = bodies[slot]
            if body is not None and (type is None or type in types[slot]):
                yield ids[slot], body

    def _kind(self, types: tuple[str, ...]) -> int:
        """Which of the lists of types that were ever here; one without types is a kind of its own, not 0."""
        kind = self._kind_of.get(types)
        if kind is None:
            kind = self._kind_of[types] = len(self.kind_types)
            self.kind_types.append(types)
        return kind

    def _rack(self, type: str) -> Rack:
        rack = self.racks.get(type)
        if rack is None:
            rack = self.racks[type] = Rack()
        return rack

    def _leave(self, type: str) -> None:
        rack = self.racks[type]
        rack.count -= 1
        if not rack.count:
            del self.racks[type]

    def _close_up(self) -> None:
        """New lists without the holes; a scan that is under way keeps the old ones."""
        kept = [slot for slot, body in enumerate(self.bodies) if body is not None]
        self.ids = [self.ids[slot] for slot in kept]
        self.bodies = [self.bodies[slot] for slot in kept]
        self.types = [self.types[slot] for slot in kept]
        self.kinds = array("i", [self.kinds[slot] for slot in kept])
        self.numbers = array("i", [self.numbers[slot] for slot in kept])
        self.slots = {id: slot for slot, id in enumerate(self.ids)}
        self.racks = {}
        for slot, types in enumerate(self.types):
            for type in types:
                self._rack(type).add(slot)
