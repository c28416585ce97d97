# SPDX-License-Identifier: Apache-2.0
"""Sensors → brain → protocol → emulated controller → simulated street, in step, for tests."""

import asyncio
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.doors.gbt20999 import mapping as gbt20999_mapping
from citybrain.doors.gbt20999 import service as gbt20999_service
from citybrain.doors.gbt20999.door import DOOR as GBT20999
from citybrain.doors.ntcip import mapping as ntcip_mapping
from citybrain.doors.ntcip import service as ntcip_service
from citybrain.doors.ntcip.door import DOOR as NTCIP
from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.host import HostedSumoField
from citybrain.kernel.app import Door, Frame, Opening, Scenario
from citybrain.kernel.clock import Clock
from citybrain.kernel.controllers.emulating import Emulate, Emulation, emulation, mapping_file
from citybrain.kernel.controllers.fleet import Fleet, fleet_of
from citybrain.kernel.executing import Executing
from citybrain.kernel.loop import Step
from citybrain.kernel.records import Entity, Facts, Order
from citybrain.serve.experiment import UNDATED
from citybrain.serve.side import Side

DOORS = {"ntcip": NTCIP, "gbt20999": GBT20999}

# So long the loop waits for the machine here: a busy test machine is no slow controller.
PATIENCE_S = 5.0
START_WITHIN_S = 30.0


class Controllers:
    """The emulated controllers of a scenario, one process each."""

    def __init__(self, emulations: Sequence[Emulation]) -> None:
        self.emulations = emulations
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    async def start(self) -> None:
        """Start those that do not run, and wait until they listen."""
        for each in self.emulations:
            self._start(each)
        await asyncio.gather(*(asyncio.to_thread(_wait_for, each) for each in self.emulations))

    def _start(self, each: Emulation) -> None:
        process = self.processes.get(each.entity)
        if process is None or process.poll() is not None:
            each.plan_path.write_bytes(each.plan)
            self.processes[each.entity] = subprocess.Popen(each.command)

    def kill(self) -> None:
        """Pull all plugs."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def told(self, **order: object) -> Facts:
        """Say something at the port for faults of the first one; what it answers, where that is JSON."""
        answer = _ask(self.emulations[0], msgspec.json.encode(order))
        return {} if answer == b"ok" else dict(msgspec.json.decode(answer))


class Heard(HostedSumoField):
    """The simulated street, with what it said last of its lamps."""

    lamps: Mapping[str, str] = {}

    async def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame:
        frame = await super().step(orders, vehicles=vehicles)
        column = next(each for each in frame.batch.columns if each.attribute == "signalState")
        self.lamps = dict(zip(column.entity_ids, column.values, strict=True))
        return frame


class ClosedLoop:
    """The loop, second by second. `codes` counts what became of orders, `modes` is who decided at the first signal.

    `differences` are seconds in which the street showed other lamps than the controller said a moment later.
    """

    def __init__(self, side: Side, field: Heard, fleet: Fleet, controllers: Controllers) -> None:
        self.side = side
        self._field = field
        self.fleet = fleet
        self.controllers = controllers
        self.codes: Counter[str] = Counter()
        self.modes: list[str] = []
        self.differences = 0

    @property
    def lamps(self) -> str:
        """What the street shows at the first signal."""
        return self._field.lamps[self.signal]

    @property
    def signal(self) -> str:
        """The first signal."""
        return self.controllers.emulations[0].entity

    async def run(self, seconds: int, extra: Sequence[Order] = ()) -> Step:
        """Let so many seconds pass."""
        for _ in range(seconds):
            if self.side.has_news:
                self.side.begin()
            step = await self.side.step(extra, vehicles=False)
            extra = ()
            self.codes.update(outcome.code or outcome.state.value for outcome in step.outcomes)
            await self.fleet.second()
            looked = self.fleet.drivers[self.signal].looked
            self.modes.append(looked.mode.value if looked is not None else "silent")
            if looked is not None and looked.at == step.frame.batch.observed_at:
                self.differences += _differ(self.lamps, looked.lamps)
        return step


@asynccontextmanager
async def closed_loop(name: str, protocol: str, folder: Path) -> AsyncIterator[ClosedLoop]:
    """The scenario with a controller of its own at each signal."""
    found = trusted(name)
    made = [
        emulation(_emulate(DOORS[protocol]), entity, folder, number=number, port=port)
        for number, (entity, port) in enumerate((each, _free_ports()) for each in await signals(name))
    ]
    controllers = Controllers(made)
    path = folder / "mapping.toml"
    path.write_text(mapping_file(made), "utf-8")
    sides: list[Side] = []

    def clock() -> datetime:
        last = sides[0].last if sides else None
        return last.frame.batch.observed_at if last is not None else UNDATED

    fleet = _fleet(protocol, path, clock)
    options = {"outside": [msgspec.to_builtins(each.outside) for each in made]}
    field = Heard(Opening(scenario=found, seed=1, begins_at=UNDATED, obey=True, options=options))
    sides.append(Side("brain", field, decide=True, executing=Executing([fleet])))
    try:
        await controllers.start()
        await sides[0].start()
        yield ClosedLoop(sides[0], field, fleet, controllers)
    finally:
        await fleet.end()
        await field.close()
        controllers.kill()


async def direct(name: str, seconds: int) -> Facts:
    """The same seconds with the orders given to the simulator itself; the judge's figures."""
    field = HostedSumoField(Opening(scenario=trusted(name), seed=1, begins_at=UNDATED, obey=True))
    side = Side("brain", field, decide=True)
    try:
        await side.start()
        for _ in range(seconds):
            await side.step((), vehicles=False)
        return await field.summary()
    finally:
        await field.close()


def trusted(name: str) -> Scenario:
    """A scenario in which the brain acts from the first second."""
    return msgspec.structs.replace(scenario.find(name), trusted=True)


async def signals(name: str) -> list[Entity]:
    """The signals of a scenario as it ships them."""
    field = HostedSumoField(Opening(scenario=scenario.find(name), seed=1, begins_at=UNDATED, obey=False))
    try:
        return [entity for entity in await field.start() if entity.type == "TrafficSignalController"]
    finally:
        await field.close()


def _emulate(door: Door) -> Emulate:
    assert door.emulate is not None
    emulate: Emulate = door.emulate
    return emulate


def _fleet(protocol: str, path: Path, clock: Clock) -> Fleet:
    if protocol == "ntcip":
        plan = ntcip_mapping.load(path)
        outstations = ntcip_service.outstations_of(plan, clock)
        return fleet_of(protocol, plan.controller, outstations, clock=clock, patience_s=PATIENCE_S)
    other = gbt20999_mapping.load(path)
    junctions = gbt20999_service.outstations_of(other, clock)
    return fleet_of(protocol, other.controller, junctions, clock=clock, patience_s=PATIENCE_S)


def _free_ports() -> int:
    """A port that is free for both kinds, and so is the next one."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        with socket.socket() as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _differ(street: str, controller: str) -> bool:
    """A lamp that no channel drives shows the same for ever; whether a green yields is no business of a controller."""
    return any(said != "-" and one.lower() != said.lower() for one, said in zip(street, controller, strict=True))


def _ask(made: Emulation, data: bytes) -> bytes:
    host, _, port = str(made.outside["control"]).rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.settimeout(2.0)
        desk.connect((host, int(port)))
        desk.send(data)
        return desk.recv(65_536)


def _wait_for(made: Emulation) -> None:
    """No time passes at it meanwhile."""
    for _ in range(round(START_WITHIN_S / 0.1)):
        try:
            _ask(made, b'{"advance_s": 0}')
        except OSError:
            time.sleep(0.1)
            continue
        return
    raise AssertionError(made.command)
