# SPDX-License-Identifier: Apache-2.0
"""A green wave opens signal after signal as fast as one drives, and refuses what no wave can be."""

from typing import Any

import pytest

from citybrain.apps.traffic.control.plans.plan import PlanBroken
from citybrain.apps.traffic.control.plans.tests.street import BLOCK_M, NOON, SIGNALS, STREET, order
from citybrain.apps.traffic.control.plans.wave import END_GREEN_WAVE, GREEN_WAVE, GreenWaves, RunGreenWave

SPEED_KMH = 54.0
TRAVEL_S = BLOCK_M / (SPEED_KMH / 3.6)


def wave(**facts: Any) -> dict[str, Any]:
    return {"signals": list(SIGNALS), "speed_kmh": SPEED_KMH, **facts}


def test_the_second_signal_opens_one_drive_after_the_first() -> None:
    there = GreenWaves(STREET).windows(RunGreenWave(signals=SIGNALS, speed_kmh=SPEED_KMH))
    assert [window.signal_id for window in there] == list(SIGNALS)
    assert there[1].begins_s - there[0].begins_s == pytest.approx(TRAVEL_S)
    assert all(window.stage == 0 for window in there), "stage 0 lets the road go, stage 1 the side street"


def test_a_driver_at_the_speed_of_the_wave_meets_green_at_both_signals_in_every_cycle() -> None:
    waves = GreenWaves(STREET)
    waves.obey(order(GREEN_WAVE, wave(cycle_s=60.0)), NOON)
    for start_s in range(0, 600):
        claims = {claim.signal_id for claim in waves.claims(float(start_s))}
        later = {claim.signal_id for claim in waves.claims(start_s + TRAVEL_S)}
        assert (SIGNALS[0] in claims) == (SIGNALS[1] in later)


def test_between_its_windows_the_signals_are_left_to_the_brain() -> None:
    waves = GreenWaves(STREET)
    waves.obey(order(GREEN_WAVE, wave(cycle_s=60.0)), NOON)
    free = sum(not waves.claims(float(second)) for second in range(60))
    assert free >= 10


def test_both_ways_share_their_windows_where_they_can() -> None:
    windows = GreenWaves(STREET).windows(RunGreenWave(signals=SIGNALS, speed_kmh=SPEED_KMH, cycle_s=40, both_ways=True))
    there, back = windows[:2], windows[2:]
    for window in back:
        other = next(one for one in there if one.signal_id == window.signal_id)
        apart_s = (window.begins_s - other.begins_s) % 40.0
        assert min(apart_s, 40.0 - apart_s) < 2.0, "20 s of driving are half a cycle of 40 s: both ways fit exactly"


def test_a_wave_that_is_ended_claims_nothing() -> None:
    waves = GreenWaves(STREET)
    waves.obey(order(GREEN_WAVE, wave()), NOON)
    waves.obey(order(END_GREEN_WAVE), NOON)
    assert not any(waves.claims(float(second)) for second in range(100))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (wave(signals=["urn:s:west", "urn:s:none"]), "traffic.plan_signal_unknown"),
        (wave(signals=["urn:s:west", "urn:s:west"]), "traffic.wave_has_a_gap"),
        (wave(cycle_s=20.0), "traffic.wave_leaves_no_time"),
    ],
)
def test_a_wave_that_cannot_be_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(PlanBroken) as refused:
        GreenWaves(STREET).windows(RunGreenWave(**{**given, "signals": tuple(given["signals"])}))
    assert refused.value.code == code
