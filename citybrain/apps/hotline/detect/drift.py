# SPDX-License-Identifier: Apache-2.0
"""Drift: what the classifier is asked and answers is no longer what it was trained on. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.records import Because, Event, Severity

# Population stability index: below 0.1 no change, above 0.25 a great one (Siddiqi, Credit Risk Scorecards, 2006).
SHIFTED = 0.25
FEWEST = 200
SMALLEST_SHARE = 0.001
# Twice as many texts on which it abstains, and at least a tenth more of all: a mark of ours, without a source.
ABSTAINS_TIMES = 2.0
ABSTAINS_MORE = 0.1


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How far what is guessed now is from what it was at training."""

    guessed: int
    shift: float
    abstained: float
    abstained_then: float

    @property
    def is_great(self) -> bool:
        """Whether the classifier should be trained anew; with few guesses nothing is said."""
        more = self.abstained - self.abstained_then
        abstains = more >= ABSTAINS_MORE and self.abstained >= ABSTAINS_TIMES * self.abstained_then
        return self.guessed >= FEWEST and (self.shift > SHIFTED or abstains)


def drift(then: Mapping[str, float], now: Sequence[tuple[str, bool]], *, abstained_then: float) -> Drift:
    """`then` are shares of categories among guesses at training, `now` the recent guesses (category, abstained)."""
    count = max(1, len(now))
    shares = {name: sum(category == name for category, _ in now) / count for name in then}
    shift = sum(
        (new - old) * math.log(new / old)
        for new, old in ((max(shares[name], SMALLEST_SHARE), max(then[name], SMALLEST_SHARE)) for name in then)
    )
    abstained = sum(each for _, each in now) / count
    return Drift(guessed=len(now), shift=shift, abstained=abstained, abstained_then=abstained_then)


def event(found: Drift, now: datetime) -> Event:
    """The drift as the loop knows it, one a day."""
    facts = {
        "shift": round(found.shift, 3),
        "abstained": round(found.abstained, 3),
        "then": round(found.abstained_then, 3),
        "guessed": found.guessed,
    }
    return Event(
        id=f"hotline-drift-{now:%Y%m%d}",
        kind="hotline.drift",
        severity=Severity.IV,
        at=now,
        entity_id="urn:ngsi-ld:HotlineClassifier:categories",
        because=Because(code="hotline.because_drift", facts=facts),
    )
