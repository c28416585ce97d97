# SPDX-License-Identifier: Apache-2.0
"""Asks and sets values at one controller, one question at a time; lost frames are sent again, late ones passed over."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from citybrain.doors.gbt20999.codec import USUAL, Address, Dialect, Frame, FrameType, Item, Status
from citybrain.doors.gbt20999.link import Peer, Silent, open_wire

ANSWERS = {
    FrameType.QUERY: (FrameType.QUERY_REPLY, FrameType.QUERY_ERROR),
    FrameType.SET: (FrameType.SET_REPLY, FrameType.SET_ERROR),
    FrameType.BEAT: (FrameType.BEAT_REPLY, FrameType.BEAT_REPLY),
}
REFUSALS = frozenset({FrameType.QUERY_ERROR, FrameType.SET_ERROR})


class Reply(msgspec.Struct, frozen=True):
    """What was told, and what was refused with its `Status` (or a maker's own number)."""

    data: Mapping[Address, bytes]
    refused: Mapping[Address, int]


class Counts(msgspec.Struct):
    """What went over the wire since the start; `passed_over` are answers nobody waited for: late, twice, or foreign."""

    sent: int = 0
    answered: int = 0
    unanswered: int = 0
    passed_over: int = 0
    told: int = 0
    unreadable: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How to speak with one controller: the numbers in each frame, and how long to wait for an answer."""

    peer: Peer
    centre: int = 1
    controller: int = 1
    junction: int = 1
    dialect: Dialect = USUAL
    timeout_s: float = 1.0
    tries: int = 3


class _Waiting:
    """A question whose answers may come in several frames: some items told, others refused."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.left = {item.address for item in frame.items}
        self.data: dict[Address, bytes] = {}
        self.refused: dict[Address, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_answer = False

    def takes(self, frame: Frame, *, echoed: bool) -> bool:
        """Whether a frame belongs to this question, then it is taken in."""
        if self.done.done() or frame.type not in ANSWERS[self.frame.type]:
            return False
        if echoed and frame.sequence != self.frame.sequence:
            return False
        if self.frame.items and frame.items and not self._belongs(frame):
            return False
        self.has_answer = True
        for item in frame.items:
            self._take(item, frame.type)
        if not self.left or not frame.items:
            self.done.set_result(None)
        return True

    def _belongs(self, frame: Frame) -> bool:
        asked = {item.address for item in self.frame.items}
        return any(item.address in asked for item in frame.items)

    def _take(self, item: Item, type: FrameType) -> None:
        if item.address not in self.left:
            return
        self.left.discard(item.address)
        if type in REFUSALS:
            self.refused[item.address] = item.data[0] if item.data else Status.ERROR
        else:
            self.data[item.address] = item.data


class Client:
    """One controller. `on_told` gets what it says unasked: reports (traps) and broadcasts."""

    def __init__(self, line: Line, on_told: Callable[[Frame], None] | None = None) -> None:
        self.line = line
        self.counts = Counts()
        self._wire = open_wire(line.peer, line.dialect, self._take)
        self._on_told = on_told
        self._turn = asyncio.Lock()
        self._waiting: _Waiting | None = None
        self._sequence = 0
        self._replies: set[asyncio.Task[None]] = set()

    async def query(self, addresses: Sequence[Address]) -> Reply:
        """Read values, so many in one frame as the dialect says. Refuses `Silent` when a frame gets no answer at all.

        A value that is neither told nor refused is in neither part of the reply.
        """
        data: dict[Address, bytes] = {}
        refused: dict[Address, int] = {}
        several = self.line.dialect.items
        for at in range(0, len(addresses), several):
            reply = await self._ask(FrameType.QUERY, [(each, b"") for each in addresses[at : at + several]])
            data |= reply.data
            refused |= reply.refused
        return Reply(data, refused)

    async def set(self, values: Sequence[tuple[Address, bytes]]) -> Reply:
        """Set values in one frame, in their order; `refused` says which were not set."""
        return await self._ask(FrameType.SET, values)

    async def beat(self) -> None:
        """One heartbeat, answered."""
        await self._ask(FrameType.BEAT, [])

    def close(self) -> None:
        """Hang up."""
        for task in self._replies:
            task.cancel()
        self._wire.close()

    async def _ask(self, type: FrameType, values: Sequence[tuple[Address, bytes]]) -> Reply:
        async with self._turn:
            items = tuple(Item(index, address, data) for index, (address, data) in enumerate(values, start=1))
            self._sequence = (self._sequence + 1) % 256
            waiting = self._waiting = _Waiting(self._frame(type, items, self._sequence))
            try:
                await self._until_answered(waiting)
            finally:
                self._waiting = None
            self.counts.answered += 1
            return Reply(waiting.data, waiting.refused)

    async def _until_answered(self, waiting: _Waiting) -> None:
        """The same frame again, with its number, as often as the line says: setting twice sets the same."""
        silent: Silent | None = None
        for _ in range(self.line.tries):
            try:
                await self._wire.send(waiting.frame)
                self.counts.sent += 1
                async with asyncio.timeout(self.line.timeout_s):
                    await asyncio.shield(waiting.done)
            except TimeoutError:
                continue
            except Silent as error:
                silent = error
                await asyncio.sleep(min(0.1, self.line.timeout_s))
                continue
            return
        if not waiting.has_answer:
            self.counts.unanswered += 1
            raise silent or Silent("gbt20999.silent", {"address": str(self.line.peer)})

    def _frame(self, type: FrameType, items: tuple[Item, ...], sequence: int) -> Frame:
        return Frame(
            type=type,
            items=items,
            sequence=sequence,
            centre=self.line.centre,
            controller=self.line.controller,
            junction=self.line.junction,
            version=self.line.dialect.version,
        )

    def _take(self, frame: Frame) -> None:
        """What came: an answer, a heartbeat to be answered, or something told unasked."""
        self.counts.unreadable = self._wire.unreadable
        if frame.type in (FrameType.TRAP, FrameType.BROADCAST):
            self.counts.told += 1
            if self._on_told is not None:
                self._on_told(frame)
        elif frame.type is FrameType.BEAT:
            task = asyncio.create_task(self._wire.send(self._frame(FrameType.BEAT_REPLY, (), frame.sequence)))
            self._replies.add(task)
            task.add_done_callback(self._replied)
        elif self._waiting is None or not self._waiting.takes(frame, echoed=self.line.dialect.sequence == "echoed"):
            self.counts.passed_over += 1

    def _replied(self, task: "asyncio.Task[None]") -> None:
        """A heartbeat that could not be answered is not answered; the controller will know what to do."""
        self._replies.discard(task)
        if not task.cancelled():
            task.exception()
