# SPDX-License-Identifier: Apache-2.0
"""What would happen if: the simulated city goes on from now several times over, with and without some means.

One study runs at a time, others wait; what was found is kept in memory, the newest ones.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import structlog

from citybrain.kernel.app import Opening
from citybrain.kernel.branches import Suggesting, Thought
from citybrain.kernel.clock import monotonic_s, new_id
from citybrain.kernel.errors import Conflict, Invalid, NotFound, Refusal
from citybrain.kernel.journal_records import EventView
from citybrain.kernel.orders import Wanted
from citybrain.kernel.records import Because, Entity, Order
from citybrain.kernel.routing import Roads, roads_of
from citybrain.serve.branching import Act, Branch, Ran, hosted
from citybrain.serve.city import City
from citybrain.serve.weighing import NO_ACTION, Weighed, weigh

LONGEST_MINUTES = 60
MOST_MEANS = 20
MOST_DRAWS = 10
MOST_WAITING = 10
KEPT = 50
UPSTREAM = 3
DOWNSTREAM = 1
"""Around an event are the roads that lead to it within three junctions, where a queue grows, and one after it."""

MEANS, PLAYBOOK = "means", "playbook"

log = structlog.get_logger()

Minutes = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_MINUTES)]
Draws = Annotated[int, msgspec.Meta(ge=1, le=MOST_DRAWS)]


class NothingSimulated(Conflict):
    """Only a simulated city can go on more than once."""


class NotReady(Conflict):
    """The city is just opening or recovering, or there is nothing to compare."""


class NotSimulated(Invalid):
    """A means whose effect no simulator knows."""


class NothingAsked(Invalid):
    """There is neither a means nor a suggestion to try."""


class TooManyWait(Conflict):
    """So many studies wait that another one would not come soon."""


class NoSuchStudy(NotFound):
    """There is no such study, or it is too old to be kept."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would happen within `minutes` with these means, and with what active playbooks would do (`playbook`)?

    With `seeds` more than 1 each arm runs so often, each time with other dice.
    """

    event_id: str
    means: Annotated[tuple[Thought, ...], msgspec.Meta(max_length=MOST_MEANS)] = ()
    minutes: Minutes = 10
    seeds: Draws = 1
    playbook: bool = False


class StudyState(StrEnum):
    """Where a study stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Study(msgspec.Struct, kw_only=True):
    """A question with its answer as far as it is there. `progress` is a share; `held_up_s` is how long the live city
    waited while its state was saved; `left_out` are suggested means that no simulator knows."""

    id: str
    question: Question
    by: str
    asked_at: datetime
    state: StudyState = StudyState.WAITING
    progress: float = 0.0
    from_at: datetime | None = None
    held_up_s: float | None = None
    wall_s: float | None = None
    arms: list[Ran] = []
    compared: list[Weighed] = []
    left_out: list[str] = []
    verdict: Because | None = None
    caveat: Because | None = None
    trouble: Because | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared with no action: acts by the name of the arm."""

    event: EventView
    arms: Mapping[str, tuple[Act, ...]]
    left_out: tuple[str, ...] = ()


class WhatIfs:
    """The studies of one city."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._studies: dict[str, Study] = {}
        self._plans: dict[str, Plan] = {}
        self._work: asyncio.Task[None] | None = None
        self._running: tuple[str, asyncio.Task[None]] | None = None

    async def ask(self, question: Question, *, by: str, now: datetime) -> Study:
        """Put a question; it is answered when those before it are. Refuses what could not be compared."""
        self._check_city()
        if sum(each.state is StudyState.WAITING for each in self._studies.values()) >= MOST_WAITING:
            raise TooManyWait("serve.whatif_too_many", {"most": MOST_WAITING})
        plan = await self._plan(question)
        study = Study(id=new_id(), question=question, by=by, asked_at=now, left_out=list(plan.left_out))
        self._studies[study.id], self._plans[study.id] = study, plan
        for old in [each.id for each in self._studies.values() if each.id not in self._plans][:-KEPT]:
            del self._studies[old]
        if self._work is None:
            shutil.rmtree(self._city.branches, ignore_errors=True)  # of a city that was killed
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return study

    def get(self, id: str) -> Study:
        """A study as it stands."""
        if id not in self._studies:
            raise NoSuchStudy("serve.whatif_unknown", {"id": id})
        return self._studies[id]

    def newest(self, event_id: str | None = None) -> list[Study]:
        """Studies, the newest first, of one event or of all."""
        return [each for each in reversed(self._studies.values()) if event_id in (None, each.question.event_id)]

    def cancel(self, id: str) -> Study:
        """End a study that waits or runs; its branches are killed."""
        study = self.get(id)
        if study.state in (StudyState.WAITING, StudyState.RUNNING):
            study.state = StudyState.CANCELLED
            self._plans.pop(id, None)
            if self._running and self._running[0] == id:
                self._running[1].cancel()
        return study

    async def close(self) -> None:
        """End all of it."""
        for study in list(self._studies.values()):
            self.cancel(study.id)
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _check_city(self) -> None:
        if not self._city.simulated:
            raise NothingSimulated("serve.whatif_nothing_simulated", {})
        if self._city.condition != "running" or self._city.last is None:
            raise NotReady("serve.whatif_not_ready", {})

    async def _plan(self, question: Question) -> Plan:
        event = await self._city.store.journal.event(question.event_id)
        arms: dict[str, tuple[Act, ...]] = {}
        if question.means:
            arms[MEANS] = tuple(self._act(each, f"whatif:{at}") for at, each in enumerate(question.means))
            for thought in question.means:
                self._require_simulated(thought.means)
        acts, left_out = await self._by_playbook(event.id) if question.playbook else ((), [])
        if acts:
            arms[PLAYBOOK] = acts
        if not arms:
            raise NothingAsked("serve.whatif_nothing_asked", {"left_out": ", ".join(left_out) or "–"})
        return Plan(event=event, arms=arms, left_out=tuple(left_out))

    async def _by_playbook(self, event_id: str) -> tuple[tuple[Act, ...], list[str]]:
        """What playbooks would do, and the means of it that cannot be tried: not simulated, or refused as they are."""
        acts: list[Act] = []
        left_out: set[str] = set()
        for at, thought in enumerate(await self._suggested(event_id)):
            try:
                self._require_simulated(thought.means)
                acts.append(self._act(thought, f"whatif:playbook:{at}"))
            except Refusal:
                left_out.add(thought.means)
        return tuple(acts), sorted(left_out)

    async def _suggested(self, event_id: str) -> list[Thought]:
        """What the playbooks of all apps would do now."""
        found: list[Thought] = []
        for app in self._city.store.of_apps.values():
            if isinstance(app, Suggesting):
                found += await app.suggested(event_id)
        return found

    def _require_simulated(self, means: str) -> None:
        if not self._city.simulates(means):
            raise NotSimulated("serve.whatif_not_simulated", {"means": means})

    def _act(self, thought: Thought, id: str) -> Act:
        """The orders of a thought: what is given, and what the city would undo within the time that it stands."""
        wanted = Wanted(means=thought.means, entity_id=thought.entity_id, parameters=thought.parameters)
        means, parameters = self._city.store.orders.would_give(wanted)
        order = Order(
            id=id,
            means=means.name,
            entity_id=thought.entity_id,
            at=self._city.now,
            because=Because(code="serve.whatif_because"),
            parameters=parameters,
        )
        if means.lasts_for is None or not means.undone_by:
            return Act(order=order, after_s=thought.after_s)
        undo = msgspec.structs.replace(
            order, id=f"{id}:end", means=means.undone_by, parameters=means.undo(order) if means.undo else {}
        )
        ends_s = thought.after_s + means.lasts_for(parameters).total_seconds()
        return Act(order=order, after_s=thought.after_s, undo=undo, undo_after_s=ends_s)

    async def _answer_all(self) -> None:
        while waiting := [each for each in self._studies.values() if each.state is StudyState.WAITING]:
            study = waiting[0]
            task = asyncio.create_task(self._answer(study))
            self._running = (study.id, task)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(asyncio.gather(task, return_exceptions=True))
            self._running = None
            self._plans.pop(study.id, None)
            if not task.cancelled() and (bug := task.exception()) is not None:
                study.state, study.trouble = (
                    StudyState.FAILED,
                    Because(code="serve.whatif_died", facts={"why": str(bug)}),
                )
                log.error("whatif_failed", study=study.id, exc_info=bug)

    async def _answer(self, study: Study) -> None:
        plan, began_s = self._plans[study.id], monotonic_s()
        study.state = StudyState.RUNNING
        folder = self._city.branches / study.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._run(study, plan, folder)
            study.compared = weigh(study.arms)
            study.verdict, study.caveat = study.compared[0].verdict, study.compared[0].caveat
            study.state, study.progress = StudyState.DONE, 1.0
        except Refusal as refusal:
            study.state, study.trouble = StudyState.FAILED, Because(code=refusal.code, facts=refusal.facts)
        finally:
            study.wall_s = monotonic_s() - began_s
            shutil.rmtree(folder, ignore_errors=True)

    async def _run(self, study: Study, plan: Plan, folder: Path) -> None:
        """All arms with all dice, some side by side."""
        saving_s = monotonic_s()
        opening = await self._city.branch(str(folder / "now.state"))
        study.held_up_s, study.from_at = monotonic_s() - saving_s, self._city.now
        standing = await self._city.store.orders.delivery.standing(self._city.now)
        near = around(plan.event, self._city.entities)
        branches = [
            Branch(
                door=self._city.door,
                opening=with_dice(opening, dice),
                arm=arm,
                dice=dice,
                seconds=study.question.minutes * 60,
                near=near,
                standing=tuple(each for each in standing if self._city.simulates(each.means)),
                acts=acts,
            )
            for dice in range(study.question.seeds)
            for arm, acts in {NO_ACTION: (), **plan.arms}.items()
        ]
        shares = [0.0] * len(branches)
        study.arms = await _some_at_once(branches, shares, study)


async def _some_at_once(branches: Sequence[Branch], shares: list[float], study: Study) -> list[Ran]:
    """Run branches on half of the processors; when one fails or all are cancelled, the others end too."""
    room = asyncio.Semaphore(max((os.cpu_count() or 2) // 2, 1))

    def told(at: int) -> Callable[[float], None]:
        def tell(share: float) -> None:
            shares[at] = share
            study.progress = sum(shares) / len(shares)

        return tell

    async def one(at: int, branch: Branch) -> Ran:
        async with room:
            return await hosted(branch, told(at))

    tasks = [asyncio.create_task(one(at, branch)) for at, branch in enumerate(branches)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def with_dice(opening: Opening, dice: int) -> Opening:
    """The opening of a branch, which foresees nothing that will go wrong, with other chances from the state on."""
    return msgspec.structs.replace(opening, options={**opening.options, "branch": True, "dice": dice})


def around(event: EventView, entities: Sequence[Entity]) -> tuple[str, ...]:
    """The roads around an event; all roads where its place is not known."""
    roads = Roads(entities)
    near = roads.around(roads_of(event.entity_id, entities), upstream=UPSTREAM, downstream=DOWNSTREAM)
    return tuple(sorted(near)) or tuple(roads)
