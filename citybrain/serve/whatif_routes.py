# SPDX-License-Identifier: Apache-2.0
"""Routes for what would happen if: put a question about an event, look at the answer as it comes, cancel it."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Because, OutcomeState
from citybrain.serve.branching import Figures, Ran
from citybrain.serve.desk import Desk
from citybrain.serve.weighing import Weighed
from citybrain.serve.whatif import Question, Study, StudyState, WhatIfs

ORDER = "city.order"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Where the answer will be."""

    id: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic of one arm on some roads, as means over all draws: vehicle-seconds lost, vehicles that stand at the end
    and on average, seconds per kilometre."""

    delay_s: float
    vehicles_queued: float
    vehicles_queued_mean: float
    travel_s_per_km: float | None


class ArmView(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: `none` is no action. `refused` says which of its orders the street did not carry out, and why."""

    name: str
    draws: int
    around: Place
    net: Place
    arrived: float
    minutes: float
    refused: Sequence[Because]


class StudyView(msgspec.Struct, frozen=True, kw_only=True):
    """A study as it stands. Sentences are those of the codes."""

    id: str
    question: Question
    by: str
    asked_at: datetime
    state: StudyState
    progress: float
    from_at: datetime | None
    held_up_s: float | None
    wall_s: float | None
    arms: Sequence[ArmView]
    compared: Sequence[Weighed]
    left_out: Sequence[str]
    verdict: Because | None
    caveat: Because | None
    trouble: Because | None


@post("/api/whatif", opt={"permission": ORDER}, status_code=202)
async def ask(state: State, request: Request[Any, Any, Any], data: JSONBody[Question]) -> Asked:
    """Ask what would happen; the answer comes under the id."""
    study = await _studies(state).ask(data, by=request.state.actor.account, now=utc_now())
    return Asked(id=study.id)


@get("/api/whatif", opt={"permission": ORDER})
async def studies(state: State, event_id: FromQuery[str | None] = None) -> Sequence[StudyView]:
    """What was asked lately, the newest first."""
    return [view(each) for each in _studies(state).newest(event_id)]


@get("/api/whatif/{id:str}", opt={"permission": ORDER})
async def study(state: State, id: FromPath[str]) -> StudyView:
    """One study as it stands."""
    return view(_studies(state).get(id))


@delete("/api/whatif/{id:str}", opt={"permission": ORDER}, status_code=200)
async def cancel(state: State, id: FromPath[str]) -> StudyView:
    """End a study that waits or runs."""
    return view(_studies(state).cancel(id))


def _studies(state: State) -> WhatIfs:
    desk: Desk = state.desk
    return desk.whatifs


def view(study: Study) -> StudyView:
    """A study as the API tells it."""
    names = dict.fromkeys(each.arm for each in study.arms)
    return StudyView(
        id=study.id,
        question=study.question,
        by=study.by,
        asked_at=study.asked_at,
        state=study.state,
        progress=round(study.progress, 3),
        from_at=study.from_at,
        held_up_s=study.held_up_s,
        wall_s=study.wall_s,
        arms=[_arm(name, [each for each in study.arms if each.arm == name]) for name in names],
        compared=study.compared,
        left_out=study.left_out,
        verdict=study.verdict,
        caveat=study.caveat,
        trouble=study.trouble,
    )


def _arm(name: str, ran: Sequence[Ran]) -> ArmView:
    refused = {
        each.order_id: Because(code=each.code, facts=each.facts)
        for one in ran
        for each in one.outcomes
        if each.state is not OutcomeState.EXECUTED
    }
    return ArmView(
        name=name,
        draws=len(ran),
        around=_place([each.around for each in ran]),
        net=_place([each.net for each in ran]),
        arrived=statistics.fmean(each.arrived for each in ran),
        minutes=statistics.fmean(each.simulated_s for each in ran) / 60.0,
        refused=list(refused.values()),
    )


def _place(figures: Sequence[Figures]) -> Place:
    paces = [each.per_km_s for each in figures if each.per_km_s is not None]
    return Place(
        delay_s=statistics.fmean(each.delay_s for each in figures),
        vehicles_queued=statistics.fmean(each.queued_end for each in figures),
        vehicles_queued_mean=statistics.fmean(each.queued_mean for each in figures),
        travel_s_per_km=statistics.fmean(paces) if paces else None,
    )


ROUTES = (ask, studies, study, cancel)
