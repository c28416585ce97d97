# SPDX-License-Identifier: Apache-2.0
"""One junction as a screen shows it: stages, who has the say and why, what is doubted, queues, the comparison."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.apps.traffic.choice.explaining import because
from citybrain.apps.traffic.choice.mind import Mind
from citybrain.apps.traffic.choice.naming import TURNS
from citybrain.apps.traffic.control.claims import Rank
from citybrain.apps.traffic.control.locks import Held, Locks
from citybrain.apps.traffic.control.modes import HEARD, Mode
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.measure.loops import LoopReport
from citybrain.apps.traffic.measure.shadow import Gain, Window
from citybrain.apps.traffic.model import RANK
from citybrain.kernel.records import Because, Facts, Text


class Sayer(StrEnum):
    """Who has the say at a signal."""

    LOCK = "lock"
    MISSION = "mission"
    FALLBACK = "fallback"
    REQUEST = "request"
    WAVE = "wave"
    BRAIN = "brain"
    PLAN = "plan"


SAYER_OF = {
    Rank.LOCK: Sayer.LOCK,
    Rank.MISSION: Sayer.MISSION,
    Rank.FALLBACK: Sayer.FALLBACK,
    Rank.PLAN: Sayer.REQUEST,
    Rank.WAVE: Sayer.WAVE,
}


# Why the brain has not the say.
NOT_BRAIN = {
    Sayer.LOCK: "traffic.not_brain_lock",
    Sayer.MISSION: "traffic.not_brain_mission",
    Sayer.FALLBACK: "traffic.not_brain_fallback",
    Sayer.REQUEST: "traffic.not_brain_request",
    Sayer.WAVE: "traffic.not_brain_wave",
}
NOT_BRAIN_IN = {Mode.SHADOW: "traffic.not_brain_shadow", Mode.PLAN: "traffic.not_brain_plan"}


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A code with its facts; the words make a sentence of them."""

    code: str
    facts: Facts = {}


class StageView(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of one signal: its number in orders, its lamps, who has green in it."""

    number: int
    lamps: str
    movement: Text
    min_green_s: float


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants; `stage` null is the shipped plan. `is_heard`: the mode lets it, and none is before it."""

    by: Sayer
    rank: int
    signal_id: str
    stage: int | None
    is_heard: bool
    because: Sentence


class ApproachView(msgspec.Struct, frozen=True, kw_only=True):
    """One approach lane now. `queue` stands there; `other_queue` is what the other one (brain or plan) would have."""

    lane: str
    detector_id: str
    name: Text
    turns: tuple[Text, ...]
    green: bool
    vehicles: float
    queue: float
    waited_s: float
    other_queue: float | None
    is_believed: bool


class Doubted(msgspec.Struct, frozen=True, kw_only=True):
    """What is not believed of the sensors, and what follows."""

    steered: str
    blind: tuple[str, ...]
    because: Sentence


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Brain and plan at one junction: the window that runs, what the kept ones come to, and those."""

    other: Sayer
    other_lamps: str | None
    now: Window | None
    gain: Gain
    windows: Sequence[Window]


class JunctionView(msgspec.Struct, frozen=True, kw_only=True):
    """One signal, and those that act as one with it. `says` has the say; `why_not` tells why the brain has not. `loops`
    is what can be told where nothing can be compared, as its detectors are loops."""

    id: str
    signals: tuple[str, ...]
    name: Text
    at: datetime
    mode: Mode
    joint_mode: Mode
    begins_in: Mode
    stages: tuple[StageView, ...]
    stage: int | None
    lamps: str
    stage_since_s: float | None
    says: Sayer
    because: Sentence | None
    decision: Sentence | None
    why_not: Sentence | None
    held: Held | None
    doubt: Doubted | None
    claims: tuple[ClaimView, ...]
    approaches: tuple[ApproachView, ...]
    compared: Compared
    loops: LoopReport | None = None


def sayer(control: SignalControl, name: str, now_s: float) -> tuple[Sayer, Sentence | None, Sentence | None]:
    """Who has the say at a signal, because of what, and why the brain has not."""
    claim = control.claimed.get(name)
    if claim is not None:
        who = SAYER_OF[claim.rank]
        return who, sentence(claim.because), Sentence(code=NOT_BRAIN[who])
    mind = control.mind_of(name)
    mode = control.modes.joint(mind.junction.signals)
    if mode is not Mode.BRAIN:
        why = Sentence(code=NOT_BRAIN_IN[mode], facts={"mode": control.modes.of(name)})
        return Sayer.PLAN, why, why
    doubt = control.sight.doubt(name)
    if not control.sight.thinks(mind.junction):
        why = Sentence(code=doubt.code, facts=doubt.facts) if doubt else Sentence(code="traffic.not_brain_unseen")
        return Sayer.PLAN, why, why
    refused = control.refused.get(name)
    if refused is not None and mind.signals[mind.junction.signals.index(name)].asked_again_s > now_s:
        why = Sentence(code=refused.code or "traffic.not_brain_refused", facts=refused.facts)
        return Sayer.PLAN, why, why
    said = control.said.get(name)
    return Sayer.BRAIN, sentence(said) if said else None, None


def sentence(why: Because) -> Sentence:
    """The code and facts of a cause."""
    return Sentence(code=why.code, facts=why.facts)


def decision(control: SignalControl, name: str) -> Sentence | None:
    """What the brain decided last; where it does not act, what it would have done in its own world."""
    mind = control.mind_of(name)
    if control.modes.joint(mind.junction.signals) is Mode.BRAIN:
        said = control.said.get(name)
        return sentence(said) if said else None
    would = control.shadow.would(control.minds.index(mind))
    return sentence(because(would[0], would[1], control.names, would[2], "")) if would else None


def view(control: SignalControl, name: str, at: datetime, compared: Compared) -> JunctionView:
    """Everything of one junction that a screen shows."""
    mind = control.mind_of(name)
    number = mind.junction.signals.index(name)
    signal = mind.signals[number]
    entity = control.entity_of(name)
    says, why, why_not = sayer(control, name, at.timestamp())
    stage = signal.stage
    return JunctionView(
        id=name,
        signals=mind.junction.signals,
        name=entity.name,
        at=at,
        mode=control.modes.of(name),
        joint_mode=control.modes.joint(mind.junction.signals),
        begins_in=control.modes.began(name),
        stages=stage_views(control, name),
        stage=stage,
        lamps=signal.lamps,
        stage_since_s=None if stage is None else max(0.0, at.timestamp() - signal.since_s),
        says=says,
        because=why,
        decision=decision(control, name),
        why_not=why_not,
        held=_held(control, name),
        doubt=_doubt(control, name),
        claims=_claims(control, mind),
        approaches=_approaches(control, mind),
        compared=compared,
        loops=control.loops.report(control.minds.index(mind)),
    )


def stage_views(control: SignalControl, name: str) -> tuple[StageView, ...]:
    """The stages of one signal by number."""
    entity = control.entity_of(name)
    single = control.single_of(name)
    return tuple(
        StageView(
            number=number,
            lamps=lamps,
            movement=control.names.stage(single, number),
            min_green_s=float(entity.attributes["min_green_s"][number]),
        )
        for number, lamps in enumerate(single.stages)
    )


def _held(control: SignalControl, name: str) -> Held | None:
    return next((one.at(name) for one in control.claimants if isinstance(one, Locks)), None)


def _doubt(control: SignalControl, name: str) -> Doubted | None:
    doubt = control.sight.doubt(name)
    if doubt is None:
        return None
    return Doubted(steered=doubt.steered, blind=doubt.blind, because=Sentence(code=doubt.code, facts=doubt.facts))


def _claims(control: SignalControl, mind: Mind) -> tuple[ClaimView, ...]:
    wanted = [claim for claim in control.wanted if claim.signal_id in mind.junction.signals]
    return tuple(
        ClaimView(
            by=SAYER_OF[claim.rank],
            rank=int(claim.rank),
            signal_id=claim.signal_id,
            stage=claim.stage,
            is_heard=claim is control.claimed.get(claim.signal_id)
            and claim.rank in HEARD[control.modes.of(claim.signal_id)],
            because=sentence(claim.because),
        )
        for claim in sorted(wanted, key=lambda claim: -claim.rank)
    )


def _approaches(control: SignalControl, mind: Mind) -> tuple[ApproachView, ...]:
    junction = mind.junction
    lamps = "".join(signal.lamps for signal in mind.signals)
    other = control.shadow.queues(control.minds.index(mind))
    doubts = {one for name in junction.signals if (doubt := control.sight.doubt(name)) for one in doubt.blind}
    found = []
    for number, lane in enumerate(junction.approaches):
        ways = [way for way in junction.ways if way.approach == number]
        turns = [control.names.turn(lane.detector_id, junction.exits[way.exit].detector_id) for way in ways]
        near = [track for track in control.sight.tracks[lane.detector_id] if track[0] >= 0.0]
        standing = [track for track in near if track[1] < 0.1]
        found.append(
            ApproachView(
                lane=lane.lane,
                detector_id=lane.detector_id,
                name=control.names.approach(lane.detector_id),
                turns=tuple(TURNS[turn] for turn in dict.fromkeys(turns) if turn),
                green=any(lamps[way.lamp] in RANK for way in ways),
                vehicles=round(sum(track[3] for track in near), 1),
                queue=round(sum(track[3] for track in standing), 1),
                waited_s=round(max((track[2] for track in near), default=0.0)),
                other_queue=None if other is None else round(other[number], 1),
                is_believed=lane.detector_id not in doubts,
            )
        )
    return tuple(found)
