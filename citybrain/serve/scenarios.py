# SPDX-License-Identifier: Apache-2.0
"""Simulated cities of all doors: what is installed, and what a person means by a name or a path."""

import msgspec

from citybrain.kernel.app import Door, Scenario
from citybrain.kernel.clock import TIMEZONE
from citybrain.kernel.errors import NotFound, Refusal
from citybrain.serve import catalog

# A city without streets of its own: the pool and its doors, for real feeds.
POOL_ALONE = "none"


class ScenarioNotFound(NotFound):
    """No door knows this scenario."""


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario and the name of the door that opens it."""

    door: str
    scenario: Scenario


def installed() -> list[Simulated]:
    """All scenarios that doors list, in the doors' order."""
    return [
        Simulated(door=door.name, scenario=scenario)
        for door in catalog.doors()
        if door.scenarios is not None
        for scenario in door.scenarios()
    ]


def find(text: str) -> Simulated:
    """The scenario of this name, or the one a door finds at this path; the last door's refusal if none does."""
    if text == POOL_ALONE:
        return Simulated(door="", scenario=_pool_alone())
    for each in installed():
        if each.scenario.id == text:
            return each
    refused: Refusal = ScenarioNotFound("serve.no_simulating_door", {"scenario": text})
    for door in catalog.doors():
        if door.find is None:
            continue
        try:
            return Simulated(door=door.name, scenario=door.find(text))
        except Refusal as refusal:
            refused = refusal
    raise refused


def _pool_alone() -> Scenario:
    name = {"zh": "数据池", "en": "The pool"}
    return Scenario(id=POOL_ALONE, name=name, path="", begin_s=0, end_s=0, timezone=TIMEZONE, signals=0)


def door_of(name: str) -> Door:
    """The door of this name."""
    return next(door for door in catalog.doors() if door.name == name)
