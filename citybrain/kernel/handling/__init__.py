# SPDX-License-Identifier: Apache-2.0
"""How people handle events: alarms that are acknowledged, taken, shelved for a time and cleared, each act kept."""

from citybrain.kernel.handling.alarms import Alarms
from citybrain.kernel.handling.filters import KeptFilter, KeptFilters
from citybrain.kernel.handling.finding import AlarmPage, Asked, Sort, Which
from citybrain.kernel.handling.handling import (
    LONGEST_NOTE,
    OF_THE_CITY,
    Act,
    AlarmChanged,
    AlarmTaken,
    Handling,
    State,
    Wish,
)
from citybrain.kernel.handling.showing import Alarm, AlarmStory, Refused, Together

__all__ = [
    "LONGEST_NOTE",
    "OF_THE_CITY",
    "Act",
    "Alarm",
    "AlarmChanged",
    "AlarmPage",
    "AlarmStory",
    "AlarmTaken",
    "Alarms",
    "Asked",
    "Handling",
    "KeptFilter",
    "KeptFilters",
    "Refused",
    "Sort",
    "State",
    "Together",
    "Which",
    "Wish",
]
