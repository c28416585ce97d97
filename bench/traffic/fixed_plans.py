# SPDX-License-Identifier: Apache-2.0
"""Are proposed fixed plans better than shipped ones? Counted in one hour, planned, and run in another.

Each network runs an hour under its shipped plans (seed 101), in which detectors count. From these counts a plan is
proposed, as `POST /api/apps/traffic/plans/propose` does. Then both plans run with seed 102. Delay is RESCO's; yellow is
3 s, as in RESCO's published runs.
`python -m bench.traffic.fixed_plans [NET ...]`
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import msgspec

from citybrain.apps.traffic.control.plans.flows import Flows
from citybrain.apps.traffic.control.plans.plan import Plan
from citybrain.apps.traffic.control.plans.requested import RUN_PLAN, RequestedPlans
from citybrain.apps.traffic.control.signals import SET_STAGE
from citybrain.apps.traffic.model import singles
from citybrain.apps.traffic.service.proposals import found
from citybrain.kernel.app import Field
from citybrain.kernel.records import Because, Entity, Facts, Order
from citybrain.serve import scenarios
from citybrain.serve.experiment import BRAIN, FIXED, UNDATED, Task, opening_of

NETS = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7")
COUNTED, JUDGED = 101, 102

Result = TypeVar("Result")


def main() -> int:
    """Print `name value unit` for each net: delay under both plans and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("nets", nargs="*", default=NETS)
    broken = 0
    for net in arguments.parse_args().nets:
        entities, flows = alone(count, net, COUNTED)
        junctions = list(singles(entities))
        proposal = found(net, entities, junctions, flows)
        shipped, planned = alone(shipped_run, net, JUDGED), alone(planned_run, net, JUDGED, proposal.plan)
        before, after = shipped["delay_s"], planned["delay_s"]
        print(f"{net}.shipped.delay_s {before:.1f} s")
        print(f"{net}.proposed.delay_s {after:.1f} s")
        print(f"{net}.ratio.delay_s {after / before:.3f} proposed/shipped")
        print(f"{net}.proposed.violations {planned['violations']} count", flush=True)
        broken += planned["violations"]
    return 1 if broken else 0


def alone(what: Callable[..., Result], *arguments: object) -> Result:
    """In a process of its own: SUMO keeps a little of an earlier run in the same one."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(what, *arguments).result()


def count(net: str, seed: int) -> tuple[Sequence[Entity], dict[str, float]]:
    """What there is, and what detectors counted in an hour under the shipped plans."""
    field = _opened(net, seed, FIXED)
    entities = field.entities()
    flows = Flows(entities)
    while not (frame := field.step(())).finished:
        flows.watch(frame.batch)
    field.close()
    return list(entities), flows.by_lane()


def shipped_run(net: str, seed: int) -> Facts:
    """An hour under the shipped plans."""
    field = _opened(net, seed, FIXED)
    while not field.step(()).finished:
        pass
    return field.summary()


def planned_run(net: str, seed: int, plan: Plan) -> Facts:
    """An hour under a plan on request."""
    field = _opened(net, seed, BRAIN)
    plans = RequestedPlans(field.entities())
    because = Because(code="traffic.claim_plan", facts={"plan": plan.name, "by": "bench"})
    table = {"rows": [{"plan": msgspec.to_builtins(plan)}]}
    first = plan.timings[0].signal_id
    plans.obey(
        Order(id=RUN_PLAN, means=RUN_PLAN, entity_id=first, at=UNDATED, because=because, parameters=table), UNDATED
    )
    orders: tuple[Order, ...] = ()
    while not (frame := field.step(orders)).finished:
        at = frame.batch.observed_at
        orders = tuple(
            Order(
                id=f"{frame.batch.id}:{claim.signal_id}",
                means=SET_STAGE,
                entity_id=claim.signal_id,
                at=at,
                because=claim.because,
                parameters={"stage": claim.stage},
            )
            for claim in plans.claims(at.timestamp())
        )
    return field.summary()


def _opened(net: str, seed: int, arm: str) -> Field:
    known = scenarios.find(net)
    begin = scenarios.door_of(known.door).open
    assert begin is not None
    return begin(
        opening_of(Task(door=known.door, scenario=known.scenario, arm=arm, seed=seed, options={"yellow": "resco"}))
    )


if __name__ == "__main__":
    sys.exit(main())
