# SPDX-License-Identifier: Apache-2.0
"""CAP's three scales and the city's four levels."""

import pytest

from citybrain.doors.cap.levels import LEVELS, level_of, worst
from citybrain.doors.cap.model import Certainty, Harm, Urgency
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import plain, whole
from citybrain.kernel.records import Severity

# fmt: off
ROWS: list[tuple[str, str, str, str]] = [
    ("Extreme",  "Immediate", "Observed", "I"),
    ("Severe",   "Expected",  "Likely",   "II"),
    ("Moderate", "Immediate", "Observed", "III"),
    ("Minor",    "Immediate", "Observed", "IV"),
    ("Unknown",  "Immediate", "Observed", "III"),
    ("Extreme",  "Future",    "Likely",   "II"),
    ("Extreme",  "Immediate", "Possible", "II"),
    ("Extreme",  "Past",      "Unlikely", "II"),
    ("Extreme",  "Unknown",   "Unknown",  "I"),
    ("Minor",    "Future",    "Unlikely", "IV"),
    ("Unknown",  "Past",      "Observed", "IV"),
]
# fmt: on


@pytest.mark.parametrize(("harm", "urgency", "certainty", "level"), ROWS)
def test_a_level_follows_from_the_table(harm: str, urgency: str, certainty: str, level: str) -> None:
    assert level_of(Harm(harm), Urgency(urgency), Certainty(certainty)) == level


def test_every_combination_has_a_level_and_more_harm_is_never_less() -> None:
    order = (Harm.EXTREME, Harm.SEVERE, Harm.MODERATE, Harm.MINOR)
    for urgency in Urgency:
        for certainty in Certainty:
            found = [LEVELS.index(level_of(harm, urgency, certainty)) for harm in order]
            assert found == sorted(found)


def test_an_alert_is_as_bad_as_its_worst_info() -> None:
    assert worst(read(whole(severity="Minor")).alert.infos) == Severity.I
    assert worst(read(plain(severity="Minor")).alert.infos) == Severity.IV
    assert worst(()) == Severity.IV
