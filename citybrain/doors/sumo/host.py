# SPDX-License-Identifier: Apache-2.0
"""A field in a process of its own: SUMO allows one simulation per process, and its crash must not be the city's."""

import asyncio
import os
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.simulation import COMPLAINTS, STDERR, said
from citybrain.doors.sumo.wire import Packed, Packer, Unpacker
from citybrain.kernel.app import Frame, Opening
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.records import Entity, Facts, Order

END_WITHIN_S = 5.0


class SimulatorDied(Unavailable):
    """The process of the simulator ended, or is in no state to go on."""


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """What the child sends when it cannot answer: a refusal to raise again on this side."""

    kind: type[Refusal]
    code: str
    facts: Facts


class HostedSumoField:
    """A `HostedField`: each call is sent to the child and awaited. It ends with its parent, however that ends."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sumo")
        self._folder = TemporaryDirectory(prefix="citybrain-sumo-host-")
        self._unpacker = Unpacker()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._process.pid if self._process else None

    async def start(self) -> Sequence[Entity]:
        """Start the child and open the scenario in it."""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(self._opening, theirs, self._complaints), daemon=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._process.start)
        theirs.close()
        entities: Sequence[Entity] = await self._ask("entities")
        return entities

    async def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame:
        """One second of the city; the frame is received now."""
        packed: Packed = await self._ask("step", tuple(orders), vehicles)
        return self._unpacker.unpack(packed, received_at=utc_now())

    async def save(self, path: str) -> None:
        """Write a state that an opening can resume."""
        await self._ask("save", path)

    async def summary(self) -> Facts:
        """End the run; the judge's figures."""
        facts: Facts = await self._ask("summary")
        return facts

    async def close(self) -> None:
        """End the child, gently where it still listens."""
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    @property
    def _complaints(self) -> Path:
        return Path(self._folder.name) / COMPLAINTS

    async def _ask(self, *request: Any) -> Any:
        answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, request)
        if isinstance(answer, Declined):
            raise answer.kind(answer.code, answer.facts)
        return answer

    def _exchange(self, request: tuple[Any, ...]) -> Any:
        if self._pipe is None or self._process is None:
            raise SimulatorDied("sumo.simulator_not_started", {})
        try:
            self._pipe.send(request)
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(END_WITHIN_S)
            facts = {"exit_code": self._process.exitcode, "detail": said(self._complaints)}
            raise SimulatorDied("sumo.simulator_died", facts) from error

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None and self._process.pid is not None:
            self._process.join(END_WITHIN_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._thread.shutdown(wait=False)
        self._folder.cleanup()


def _live(opening: Opening, pipe: Connection, complaints: Path) -> None:
    """The child: answer requests until the parent closes the pipe or is gone."""
    with complaints.open("ab") as file:
        os.dup2(file.fileno(), STDERR)
    answers: dict[str, Callable[..., Any]] = {}
    while True:
        try:
            verb, *arguments = pipe.recv()
        except EOFError:
            break
        try:
            if not answers:
                answers = _open(opening)
            pipe.send(answers[verb](*arguments))
        except Refusal as refusal:
            pipe.send(Declined(kind=type(refusal), code=refusal.code, facts=refusal.facts))
        except Exception as error:  # noqa: BLE001 - the edge of the process: the parent must hear of it
            detail = "".join(traceback.format_exception(error, limit=-5))
            pipe.send(Declined(kind=SimulatorDied, code="sumo.simulator_failed", facts={"detail": detail}))
    if answers:
        answers["close"]()


def _open(opening: Opening) -> dict[str, Callable[..., Any]]:
    field = SumoField(opening)
    packer = Packer()

    def step(orders: Sequence[Order], vehicles: bool) -> Packed:
        return packer.pack(field.step(orders, vehicles=vehicles))

    return {
        "entities": field.entities,
        "step": step,
        "save": field.save,
        "summary": field.summary,
        "close": field.close,
    }
