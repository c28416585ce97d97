# SPDX-License-Identifier: Apache-2.0
"""Who else wants a say at a signal: claims with a rank, and those who make them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Protocol

import msgspec

from citybrain.kernel.records import Batch, Because, Event, Order, Outcome


class Rank(IntEnum):
    """Who goes first where several want a signal. The brain's own choice ranks below all of them."""

    LOCK = 50
    MISSION = 40
    FALLBACK = 30
    PLAN = 20
    WAVE = 10


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One wish: show stage number `stage` of the signal's own, or (None) leave the signal to its shipped plan.

    The cabinet's guard stands behind every claim: least green, yellow, all-red and conflicts are kept whoever claims.
    """

    signal_id: str
    stage: int | None
    rank: Rank
    because: Because


class Claimant(Protocol):
    """One who may want a say. It is begun with the entities of the city, as detectors are.

    `means` are the names of those it executes; `obey` takes an order of one of them. `watch` is called every second
    with what is seen, so it must cost little. `claims` is what it wants now: no claim, no say. `orders` are orders of
    other means that it gives itself, to be carried out with the next step.
    """

    means: frozenset[str]

    def obey(self, order: Order, at: datetime) -> Outcome: ...

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None: ...

    def claims(self, now_s: float) -> Sequence[Claim]: ...

    def orders(self) -> Sequence[Order]: ...


def foremost(claims: Iterable[Claim]) -> dict[str, Claim]:
    """Per signal the claim of highest rank; among equals the one that was made first."""
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.signal_id not in found or claim.rank > found[claim.signal_id].rank:
            found[claim.signal_id] = claim
    return found
