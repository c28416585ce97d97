# SPDX-License-Identifier: Apache-2.0
"""A better plan from what the pool kept: flows of a past span, and what the search makes of them."""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import datetime

from citybrain.apps.traffic.control.plans.flows import approach_detectors, by_lane
from citybrain.apps.traffic.control.plans.network import links
from citybrain.apps.traffic.control.plans.optimise import Proposal, propose, shipped_timing
from citybrain.apps.traffic.control.plans.plan import PlanBroken
from citybrain.apps.traffic.model import SIGNAL, Junction, singles
from citybrain.kernel.records import Entity
from citybrain.kernel.store import Store

LEAST_SAMPLES = 10
"""Fewer counts of a lane say nothing about its flow."""


async def proposal(store: Store, name: str, signals: Sequence[str], since: datetime, until: datetime) -> Proposal:
    """The plan that the flows between two times ask for, for these signals in step.

    Refuses unknown signals, and a span in which some signal was not counted.
    """
    entities = store.pool.entities()
    chosen = _chosen(entities, signals)
    ids = sorted({lane.detector_id for one in chosen for lane in one.approaches})
    counts = await store.pool.histories(ids, "vehicleCount", since=since, until=until)
    speeds = await store.pool.histories(ids, "averageVehicleSpeed", since=since, until=until)
    samples = {}
    for id in ids:
        kmh = dict(speeds[id])
        samples[id] = ([float(count or 0.0) for _, count in counts[id]], [kmh.get(at) or 0.0 for at, _ in counts[id]])
    for one in chosen:
        counted = max((len(samples[lane.detector_id][0]) for lane in one.approaches), default=0)
        if counted < LEAST_SAMPLES:
            raise PlanBroken("traffic.plan_not_counted", {"signal": one.signals[0], "samples": counted})
    watched = [one for id, one in approach_detectors(entities).items() if id in samples]
    flows = by_lane(watched, samples)
    # The search takes seconds for many signals; the city goes on meanwhile.
    return await to_thread(found, name, entities, chosen, flows)


def found(name: str, entities: Sequence[Entity], chosen: Sequence[Junction], flows: dict[str, float]) -> Proposal:
    """The plan for flows (veh/s by approach lane), beside what the cabinets run by themselves."""
    shipped = {one.id: one.attributes["plan"] for one in entities if one.type == SIGNAL}
    now = {one.signals[0]: shipped_timing(one.signals[0], one, shipped[one.signals[0]]) for one in chosen}
    return propose(name, chosen, flows, links(chosen, entities), now)


def _chosen(entities: Sequence[Entity], signals: Sequence[str]) -> list[Junction]:
    known = {one.signals[0]: one for one in singles(entities)}
    for name in signals:
        if name not in known:
            raise PlanBroken("traffic.plan_signal_unknown", {"signal": name})
    return [known[name] for name in signals]
