# SPDX-License-Identifier: Apache-2.0
"""From CAP's three scales to the four levels of the city: pure.

The four severities of CAP (section 3.2.2) stand for the four levels of 突发事件应对法 (article 42 of 2007: 一级 to
四级, red, orange, yellow, blue), in their order. What is still far or not likely is one level lower,
since it asks for watching and not yet for acting. What CAP calls Unknown lowers nothing: not to know is no comfort.
"""

from collections.abc import Iterable, Mapping

from citybrain.doors.cap.model import Certainty, Harm, Info, Urgency
from citybrain.kernel.records import Severity

LEVELS = (Severity.I, Severity.II, Severity.III, Severity.IV)
OF_HARM: Mapping[Harm, int] = {
    Harm.EXTREME: 0,
    Harm.SEVERE: 1,
    Harm.MODERATE: 2,
    Harm.MINOR: 3,
    # Somebody thought it worth a warning and could not say how bad: neither the least nor a reason to wake all.
    Harm.UNKNOWN: 2,
}
FAR = frozenset({Urgency.FUTURE, Urgency.PAST})
DOUBTFUL = frozenset({Certainty.POSSIBLE, Certainty.UNLIKELY})


def level_of(harm: Harm, urgency: Urgency, certainty: Certainty) -> Severity:
    """The level of one info."""
    place = OF_HARM[harm] + int(urgency in FAR or certainty in DOUBTFUL)
    return LEVELS[min(place, len(LEVELS) - 1)]


def worst(infos: Iterable[Info]) -> Severity:
    """The level of an alert: that of its worst info; IV when it has none."""
    found = [level_of(each.severity, each.urgency, each.certainty) for each in infos]
    return min(found, key=LEVELS.index, default=Severity.IV)
