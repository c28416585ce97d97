# SPDX-License-Identifier: Apache-2.0
"""A junction at which the brain does worse than its plan would, twice in a row, goes back to the plan for an hour."""

from datetime import UTC, datetime, timedelta

import pytest

from citybrain.apps.traffic.control.claims import Rank
from citybrain.apps.traffic.control.judge import BRAIN_WORSE, REST_S, Judge
from citybrain.apps.traffic.control.modes import Mode
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.measure.shadow import WINDOW_S, Window
from citybrain.kernel.records import Batch

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
NOON_S = NOON.timestamp()
JUNCTION = ("urn:s:1", "urn:s:2")


def window(
    brain_s: float, measured_s: float, *, plan_s: float = 1000.0, came: float = 100.0, acting: str = Mode.BRAIN
) -> Window:
    return Window(
        signals=JUNCTION,
        begins_at=NOON,
        seconds=900,
        acting=acting,
        came=came,
        plan_s=1000.0,
        brain_s=brain_s,
        measured_s=measured_s,
    )


BAD = window(1500.0, 1400.0)
GOOD = window(500.0, 500.0)


def judged(*windows: Window) -> Judge:
    judge = Judge()
    for number, one in enumerate(windows):
        judge.hear([one], NOON_S + number * WINDOW_S)
    return judge


def second(judge: Judge, at_s: float) -> None:
    at = datetime.fromtimestamp(at_s, UTC)
    judge.watch(Batch(id="1", source="test", observed_at=at, received_at=at, columns=()), (), ())


def test_twice_worse_in_a_row_is_back_to_the_plan_at_every_signal_of_the_junction() -> None:
    claims = judged(BAD, BAD).claims(NOON_S)
    assert {claim.signal_id for claim in claims} == set(JUNCTION)
    assert all(claim.stage is None and claim.rank is Rank.FALLBACK for claim in claims)
    assert claims[0].because.facts == {"brain_s": 14.0, "plan_s": 10.0, "vehicles": 100, "minutes": 60}


@pytest.mark.parametrize(
    "windows",
    [
        (BAD,),
        (BAD, GOOD, BAD),
        (window(1500.0, 900.0),) * 3,
        (window(900.0, 1500.0),) * 3,
        (window(1190.0, 1190.0),) * 3,
        (window(1500.0, 1400.0, came=10.0),) * 3,
        (window(1500.0, 1400.0, acting=Mode.PLAN),) * 3,
    ],
    ids=["once", "not in a row", "only the model", "only measured", "hardly", "few vehicles", "the plan acted"],
)
def test_less_than_that_changes_nothing(windows: tuple[Window, ...]) -> None:
    judge = judged(*windows)
    assert not judge.claims(NOON_S)
    assert not judge.tells()


def test_after_an_hour_the_brain_tries_again_and_the_event_ends() -> None:
    judge = judged(BAD, BAD)
    begun_s = NOON_S + WINDOW_S
    (opened,) = judge.tells()
    assert (opened.kind, opened.entity_id, opened.ended_at) == (BRAIN_WORSE, JUNCTION[0], None)
    second(judge, begun_s + REST_S - 1)
    assert judge.claims(begun_s)
    second(judge, begun_s + REST_S)
    assert not judge.claims(begun_s)
    (ended,) = judge.tells()
    assert (ended.id, ended.ended_at) == (opened.id, NOON + timedelta(seconds=WINDOW_S + REST_S))
    judge.hear([BAD], begun_s + REST_S)
    assert not judge.claims(begun_s), "it is counted anew"


def test_the_controller_of_signals_has_a_judge() -> None:
    assert any(isinstance(one, Judge) for one in SignalControl(()).claimants)
