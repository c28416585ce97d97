# SPDX-License-Identifier: Apache-2.0
"""How long incidents stood and what promises came to, as `bench.outcome` counts them."""

from typing import Any

from bench.outcome_scoring import kept_promises, standing_s


def incident(number: int, kind: str, begin_s: float | None, end_s: float | None) -> dict[str, Any]:
    return {"number": number, "kind": kind, "begin_s": begin_s, "end_s": end_s}


def test_what_nobody_cleared_counts_until_the_end_of_the_day() -> None:
    truth = [
        incident(0, "crash", 100.0, 700.0),
        incident(1, "closure", 100.0, None),
        incident(2, "dark_signal", 3500.0, None),
        incident(3, "breakdown", None, None),
        incident(4, "stopped", 100.0, 200.0),
        incident(5, "sensor_dark", 100.0, 200.0),
    ]
    assert standing_s(truth, 3600.0) == {0: 600.0, 1: 3500.0, 2: 100.0}


def test_a_promise_that_is_not_due_or_unknown_is_neither_kept_nor_missed() -> None:
    states = ("helped", "missed", "missed", "waiting", "unknown")
    checks = [{"means": "street.clear_obstacle", "state": state} for state in states]
    assert kept_promises(checks) == {"street.clear_obstacle": (1, 3)}
    assert kept_promises(checks[3:]) == {}
