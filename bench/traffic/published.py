# SPDX-License-Identifier: Apache-2.0
"""What others published, and what we want: seconds, each with its source. None is taken under our SUMO."""

RESCO = (
    "Ault & Sharon, NeurIPS 2021 (Pi-Star-Lab/RESCO, utils/avg_timeLoss.py): SUMO 1.9, best episode of the best method"
)

BEST_DELAY_S: dict[str, tuple[float, str]] = {
    "grid4x4": (32.95, "IDQN"),
    "arterial4x4": (654.1, "FMA2C"),
    "cologne1": (26.05, "IDQN"),
    "cologne3": (23.99, "IDQN"),
    "cologne8": (21.62, "IPPO"),
    "ingolstadt1": (20.90, "IPPO"),
    "ingolstadt7": (31.19, "IDQN"),
    "ingolstadt21": (59.64, "IDQN"),
}
"""Mean of timeLoss + departDelay, unfinished trips included: `RESCO`."""

PUBLISHED_FIXED_S: dict[str, float] = {
    "cologne1": 56.61,
    "cologne3": 46.35,
    "cologne8": 63.77,
    "ingolstadt1": 39.40,
    "ingolstadt7": 91.31,
    "ingolstadt21": 133.10,
}
"""The shipped plans under SUMO 1.9, from the same source: SUMO 1.28 gives other figures for the same plan."""

BEST_TRAVEL_TIME_S: dict[str, tuple[float, str]] = {
    "hangzhou_4x4": (294.90, "VLALight, Table 1 (HZ1): SUMO-based TranSimHub, 25 s green and 5 s yellow"),
    "jinan_3x4": (263.90, "LLMLight in VLALight's Table 1 (JN1): the same"),
}

GOAL_DELAY_S: dict[str, float] = {
    "cologne1": 15.0,
    "cologne3": 16.5,
    "cologne8": 15.5,
    "ingolstadt1": 12.0,
    "ingolstadt7": 20.0,
    "ingolstadt21": 50.0,
    "grid4x4": 17.0,
    "arterial4x4": 620.0,
    "bologna": 200.0,
}

CLAIM_TRAVEL_TIME = -0.153
CLAIM_INDEX = -0.035
"""Hangzhou's published claims for its city brain: travel time less 15.3 %, congestion index less 3.5 %."""
