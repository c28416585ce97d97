# SPDX-License-Identifier: Apache-2.0
"""The controllers of the mapping as long as the city runs: looked at, and commanded where that is said."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from citybrain.doors.gbt20999 import mapping
from citybrain.doors.gbt20999.mapping import DOOR, Plan
from citybrain.doors.gbt20999.outstation import GbtOutstation
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers.fleet import Fleet, fleet_of, living
from citybrain.kernel.controllers.outlets import Outlets, outlets
from citybrain.kernel.executing import Executor
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store


@asynccontextmanager
async def running(city: Store) -> AsyncIterator[Sequence[Executor]]:
    """Drive the controllers that the mapping file names; without such a file the door stays shut."""
    path = load_settings().gbt20999
    if path is None:
        yield ()
        return
    async with looking(mapping.load(path), outlets(city.documents, city.journal.tell)) as fleet:
        yield (fleet,)


@asynccontextmanager
async def looking(plan: Plan, outlets: Outlets) -> AsyncIterator[Fleet]:
    """Look at all controllers of a plan for as long as the block runs."""
    outstations = outstations_of(plan)
    fleet = fleet_of(DOOR, plan.controller, outstations)
    reported = {entity: outstation.reported for entity, outstation in outstations.items()}
    async with living(fleet, outlets, plan.look_s, reported):
        yield fleet


def outstations_of(plan: Plan, clock: Clock = utc_now) -> dict[str, GbtOutstation]:
    """The controllers of a plan by the signals that they are; nobody is asked anything yet."""
    return {each.entity: GbtOutstation(each, clock=clock) for each in plan.controller}
