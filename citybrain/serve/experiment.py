# SPDX-License-Identifier: Apache-2.0
"""A city without a screen: one scenario under several arms and seeds, each in a process of its own."""

import statistics
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import perf_counter

import msgspec

from citybrain.kernel.app import App, Field, Opening, Scenario
from citybrain.kernel.errors import Refusal
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Facts
from citybrain.serve import catalog, scenarios

BRAIN = "brain"
FIXED = "fixed"
ARMS = (BRAIN, FIXED)
# A run that nobody dates begins on this day: two runs of one seed then give equal records.
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
PROGRESS_EVERY_S = 30


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a scenario of a door, an arm, a seed, and what the door simulates differently."""

    door: str
    scenario: Scenario
    arm: str
    seed: int
    options: Facts = {}


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to. `wall_s` is the time it took; `indices` are means of the run's indicator readings."""

    arm: str
    seed: int
    summary: Facts
    indices: dict[str, float]
    wall_s: float


class Died(msgspec.Struct, frozen=True, kw_only=True):
    """A run that gave no result, and why."""

    arm: str
    seed: int
    code: str
    facts: Facts


def opening_of(task: Task) -> Opening:
    """How a task's scenario is opened: only the brain is obeyed, and it acts from the first second."""
    return Opening(
        scenario=msgspec.structs.replace(task.scenario, trusted=True),
        seed=task.seed,
        begins_at=UNDATED + timedelta(seconds=task.scenario.begin_s),
        obey=task.arm == BRAIN,
        options=task.options,
    )


def run_once(task: Task, progress: Callable[[float], None], *, apps: Sequence[App] | None = None) -> Finished:
    """Run one arm of a scenario from begin to end in this process; `progress` hears a share from 0 to 1.

    `apps` are the city's own unless others are given.
    """
    started_s = perf_counter()
    begin = scenarios.door_of(task.door).open
    assert begin is not None
    field = begin(opening_of(task))
    try:
        readings = _drive(field, task, progress, catalog.apps() if apps is None else apps)
        summary = field.summary()
    finally:
        field.close()
    progress(1.0)
    means = {name: statistics.fmean(values) for name, values in readings.items()}
    return Finished(arm=task.arm, seed=task.seed, summary=summary, indices=means, wall_s=perf_counter() - started_s)


def run_all(tasks: Sequence[Task], *, at_once: int, progress: Callable[[int, float], None]) -> list[Finished | Died]:
    """Run the tasks in processes of their own, `at_once` side by side; results in the order of the tasks."""
    results: dict[int, Finished | Died] = {}
    waiting = iter(enumerate(tasks))
    running: dict[Connection, tuple[int, Task, BaseProcess]] = {}
    _start(waiting, running, at_once)
    while running:
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)
            index, task, process = running[connection]
            message = _hear(connection, task, process)
            if isinstance(message, float):
                progress(index, message)
                continue
            results[index] = message
            del running[connection]
            process.join()
            _start(waiting, running, at_once)
    return [results[index] for index in range(len(tasks))]


def _drive(field: Field, task: Task, progress: Callable[[float], None], apps: Sequence[App]) -> dict[str, list[float]]:
    loop = Loop(apps, field.entities(), arm=task.arm, decide=task.arm == BRAIN)
    readings: dict[str, list[float]] = {}
    length_s = max(task.scenario.end_s - task.scenario.begin_s, 1.0)
    begins_at = UNDATED + timedelta(seconds=task.scenario.begin_s)
    step = loop.step(field.step(()))
    frames = 0
    while not step.frame.finished:
        step = loop.step(field.step(step.abroad))
        for reading in step.readings:
            readings.setdefault(reading.indicator, []).append(reading.value)
        frames += 1
        if frames % PROGRESS_EVERY_S == 0:
            progress(min((step.frame.batch.observed_at - begins_at).total_seconds() / length_s, 1.0))
    return readings


def _start(
    waiting: Iterator[tuple[int, Task]],
    running: dict[Connection, tuple[int, Task, BaseProcess]],
    at_once: int,
) -> None:
    context = get_context("spawn")
    while len(running) < at_once and (following := next(waiting, None)) is not None:
        index, task = following
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(task, theirs), daemon=True)
        process.start()
        theirs.close()
        running[ours] = (index, task, process)


def _hear(connection: Connection, task: Task, process: BaseProcess) -> float | Finished | Died:
    try:
        message = connection.recv()
    except EOFError:
        process.join()
        return Died(arm=task.arm, seed=task.seed, code="serve.run_died", facts={"exit_code": process.exitcode})
    assert isinstance(message, float | Finished | Died)
    return message


def _child(task: Task, connection: Connection) -> None:
    try:
        connection.send(run_once(task, lambda share: connection.send(float(share))))
    except Refusal as refusal:
        connection.send(Died(arm=task.arm, seed=task.seed, code=refusal.code, facts=refusal.facts))
    except Exception:  # noqa: BLE001 - the edge of the process: the parent tells the person
        facts = {"detail": traceback.format_exc(limit=20)}
        connection.send(Died(arm=task.arm, seed=task.seed, code="serve.run_failed", facts=facts))
