# SPDX-License-Identifier: Apache-2.0
"""One branch of a simulated city: from a saved state on, under the brain, with the acts that somebody thinks of.

It runs in a process of its own that gives way to every other one, so that the city it was taken from is not held up.
"""

import asyncio
import os
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

import msgspec

from citybrain.kernel.app import Field, Frame, Opening, Score
from citybrain.kernel.branches import RoadTraffic, Witness
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Facts, Order, Outcome
from citybrain.kernel.routing import ROAD
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN

NICE = 10
"""Of a branch: the live city has about ten times its share of a processor that both want (Linux, CFS)."""

EVERY_S = 10
"""So often the whole net is looked at; around the event it is every second."""

M_PER_KM = 1000.0


class BranchDied(Unavailable):
    """The process of a branch ended without a result."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is given `after_s` seconds from the state on, and what undoes it when it is over by then."""

    order: Order
    after_s: float = 0.0
    undo: Order | None = None
    undo_after_s: float = 0.0


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """What is run: `near` are the roads around the event, `standing` what people ordered before and is in force."""

    door: str
    opening: Opening
    arm: str
    dice: int
    seconds: int
    near: tuple[str, ...]
    standing: tuple[Order, ...] = ()
    acts: tuple[Act, ...] = ()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic on some roads over the time of a branch.

    `delay_s`: vehicle-seconds lost against driving at the limit (of the whole net: the judge's delay, with those who
    wait to enter). `queued_mean`, `queued_end`: vehicles that stand. `per_km_s`: seconds that a kilometre took.
    """

    delay_s: float
    queued_mean: float
    queued_end: int
    per_km_s: float | None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What one branch came to."""

    arm: str
    dice: int
    around: Figures
    net: Figures
    arrived: int
    simulated_s: int
    outcomes: tuple[Outcome, ...] = ()


class Tally:
    """Adds up what was seen on some roads."""

    def __init__(self) -> None:
        self._lost_s = 0.0
        self._vehicle_s = 0
        self._driven_m = 0.0
        self._halted: list[int] = []

    def add(self, seen: RoadTraffic, *, waiting: int = 0) -> None:
        """One second."""
        self._lost_s += seen.lost_s
        self._vehicle_s += seen.vehicles
        self._driven_m += seen.driven_m
        self._halted.append(seen.halted + waiting)

    def figures(self, delay_s: float | None = None) -> Figures:
        """Over all seconds that were added; `delay_s` where the judge knows it better."""
        return Figures(
            delay_s=self._lost_s if delay_s is None else delay_s,
            queued_mean=sum(self._halted) / len(self._halted) if self._halted else 0.0,
            queued_end=self._halted[-1] if self._halted else 0,
            per_km_s=self._vehicle_s / (self._driven_m / M_PER_KM) if self._driven_m else None,
        )


def run_branch(branch: Branch, progress: Callable[[float], None]) -> Ran:
    """Run a branch in this process; `progress` hears a share from 0 to 1."""
    begin = scenarios.door_of(branch.door).open
    assert begin is not None
    field = begin(branch.opening)
    try:
        return _drive(field, branch, progress)
    finally:
        field.close()


def _drive(field: Field, branch: Branch, progress: Callable[[float], None]) -> Ran:
    assert isinstance(field, Witness)
    entities = field.entities()
    roads = [each.id for each in entities if each.type == ROAD]
    loop = Loop(catalog.apps(), entities, arm=BRAIN, decide=True)
    diary = Diary(branch.acts)
    around, net = Tally(), Tally()
    scores: list[Score] = []
    outcomes: list[Outcome] = []
    given: Sequence[Order] = branch.standing
    abroad: tuple[Order, ...] = ()
    second = 0
    while second < branch.seconds:
        at_home, out = loop.split((*given, *diary.due(second, branch.opening.begins_at)))
        step = loop.step(field.step((*abroad, *out)), at_home)
        given, abroad = (), step.abroad
        second += 1
        diary.at = step.frame.batch.observed_at
        outcomes += [each for each in step.outcomes if each.order_id in diary.given]
        around.add(field.traffic(branch.near))
        _look_at_all(step.frame, net, scores, lambda: field.traffic(roads))
        if second % EVERY_S == 0:
            progress(second / branch.seconds)
        if step.frame.finished:
            break
    return Ran(
        arm=branch.arm,
        dice=branch.dice,
        around=around.figures(),
        net=net.figures(_lost_s(scores[-1]) - _lost_s(scores[0]) if scores else None),
        arrived=scores[-1].arrived - scores[0].arrived if scores else 0,
        simulated_s=second,
        outcomes=tuple(outcomes),
    )


def _look_at_all(frame: Frame, net: Tally, scores: list[Score], look: Callable[[], RoadTraffic]) -> None:
    if frame.score is not None:
        scores.append(frame.score)
        net.add(look(), waiting=frame.score.waiting)


class Diary:
    """The acts of a branch by the second, and the ids of what was given."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self.at: datetime | None = None
        self.given = frozenset(order.id for act in acts for order in (act.order, act.undo) if order)
        self._due = [(act.after_s, act.order) for act in acts]
        self._due += [(act.undo_after_s, act.undo) for act in acts if act.undo]

    def due(self, second: int, begins_at: datetime) -> list[Order]:
        """What is to be given now, each once, with the city's time."""
        now = [order for after_s, order in self._due if after_s <= second]
        self._due = [(after_s, order) for after_s, order in self._due if after_s > second]
        return [msgspec.structs.replace(order, at=self.at or begins_at) for order in now]


def _lost_s(score: Score) -> float:
    return score.delay_arrived_s + score.delay_running_s + score.delay_waiting_s


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """What the process says when there is no result."""

    code: str
    facts: Facts


async def hosted(branch: Branch, progress: Callable[[float], None]) -> Ran:
    """Run a branch in a process of its own. Cancelling kills the process. Refuses `BranchDied`."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(branch, theirs), daemon=True)
    waiting = asyncio.get_running_loop()
    starting = waiting.run_in_executor(None, process.start)
    try:
        await asyncio.shield(starting)
        theirs.close()
        while True:
            said = await waiting.run_in_executor(None, ours.recv)
            if not isinstance(said, float):
                break
            progress(said)
    except (EOFError, OSError) as error:
        raise BranchDied("serve.whatif_died", {"why": str(process.exitcode)}) from error
    finally:
        # Also one that is only just being started when somebody cancels.
        await asyncio.shield(starting)
        process.kill()
        await asyncio.shield(waiting.run_in_executor(None, process.join))
        ours.close()
    if isinstance(said, Failed):
        raise BranchDied(said.code, said.facts)
    assert isinstance(said, Ran)
    return said


def _child(branch: Branch, pipe: Connection) -> None:
    os.nice(NICE)
    try:
        pipe.send(run_branch(branch, pipe.send))
    except Refusal as refusal:
        pipe.send(Failed(code=refusal.code, facts=refusal.facts))
    except BrokenPipeError:
        return  # the city is gone
    except Exception:  # noqa: BLE001 - the edge of the process: the parent tells the person
        pipe.send(Failed(code="serve.run_failed", facts={"detail": traceback.format_exc(limit=20)}))
