# SPDX-License-Identifier: Apache-2.0
"""Reads the facts of each signal from the SUMO that is running."""

import libsumo

from citybrain.doors.sumo.cabinet import PlanPhase, SignalLink, SignalPlan, green_stages, signal_plan
from citybrain.doors.sumo.checker import Rules
from citybrain.doors.sumo.quick import standing_on

AT_LINE_M = 5.0
"""Nearer to the end of its lane a vehicle is the first in front of the stop line."""


def signal_ids() -> tuple[str, ...]:
    """The signals of the opened net that have a choice: more than one distinct green stage."""
    return tuple(sorted(tls for tls in libsumo.trafficlight.getIDList() if len(green_stages(running(tls))) > 1))


def read_plan(tls: str, *, longer_yellows: bool = True) -> SignalPlan:
    """Facts of one signal; without `longer_yellows` every yellow has the least time."""
    return signal_plan(links(tls), running(tls), longer_yellows=longer_yellows)


def rules(*, longer_yellows: bool) -> dict[str, Rules]:
    """What the checker holds every signal to, those without a choice too; read before anything is changed."""
    return {
        tls: Rules(phases, links(tls), longer_yellows=longer_yellows)
        for tls in sorted(libsumo.trafficlight.getIDList())
        if (phases := running(tls))
    }


def running(tls: str) -> list[PlanPhase]:
    """The phases of the program that runs, which need not be the first one stored."""
    name = libsumo.trafficlight.getProgram(tls)
    program = next(one for one in libsumo.trafficlight.getAllProgramLogics(tls) if one.programID == name)
    return [
        PlanPhase(state=phase.state, duration_s=phase.duration, shortest_s=phase.minDur) for phase in program.phases
    ]


def links(tls: str) -> list[SignalLink]:
    """The ways under each lamp; a lamp may have several, or none."""
    lamps = libsumo.trafficlight.getControlledLinks(tls)
    ways = [(index, *way) for index, lamp in enumerate(lamps) for way in lamp]
    paths = [frozenset(inside(via)) for _, _, _, via in ways]
    foes = [frozenset(foe for lane in path for foe in libsumo.lane.getInternalFoes(lane)) for path in paths]
    return [
        SignalLink(
            index=index,
            approach=approach,
            exit=exit_lane,
            via=via,
            crosses=tuple(at for at, path in enumerate(paths) if ways[at][1] != approach and path & foes[number]),
        )
        for number, (index, approach, exit_lane, via) in enumerate(ways)
    ]


def someone_waits(lane: str, signal: str, lamp: int) -> bool:
    """Somebody stands at the stop line of a lane, not at a bus stop or broken down, and wants this lamp next."""
    if not standing_on(lane):
        return False
    vehicle = libsumo.vehicle
    line_m = libsumo.lane.getLength(lane) - AT_LINE_M
    return any(
        vehicle.getLanePosition(one) >= line_m
        and not vehicle.isStopped(one)
        and vehicle.getWaitingTime(one) > 0.0
        and [following[:2] for following in vehicle.getNextTLS(one)[:1]] == [(signal, lamp)]
        for one in libsumo.lane.getLastStepVehicleIDs(lane)
    )


def inside(via: str) -> tuple[str, ...]:
    """The lanes inside the junction along one way: one, or two where a vehicle waits in the middle."""
    chain: list[str] = []
    while via.startswith(":"):
        chain.append(via)
        links = libsumo.lane.getLinks(via)
        via = links[0][4] or links[0][0] if links else ""
    return tuple(chain)
