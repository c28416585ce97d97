# SPDX-License-Identifier: Apache-2.0
"""A timetable runs its plans when it says, refuses what cannot run, and leaves the rest to the brain."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.traffic.control.claims import Rank
from citybrain.apps.traffic.control.plans.plan import Phase, PlanBroken, Timing, When, cycle_s, runs, stage_at
from citybrain.apps.traffic.control.plans.requested import END_PLAN, RUN_PLAN, RequestedPlans
from citybrain.apps.traffic.control.plans.tests.street import NOON, SIGNALS, STREET, order

CHANGE_S = 4.0
BEIHAI = ZoneInfo("Asia/Shanghai")


def timing(signal: str = SIGNALS[0], greens_s: tuple[float, ...] = (20.0, 12.0), offset_s: float = 0.0) -> Timing:
    phases = tuple(Phase(stage=stage, green_s=green_s) for stage, green_s in enumerate(greens_s))
    return Timing(signal_id=signal, phases=phases, offset_s=offset_s)


def table(*timings: Timing, when: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    plan = {"name": "放学", "timings": [msgspec.to_builtins(one) for one in timings]}
    return {"rows": [{"plan": plan, "when": list(when)}], **more}


@given(
    st.lists(st.floats(5.0, 60.0), min_size=2, max_size=6),
    st.floats(0.0, 300.0),
    st.floats(1.0e9, 2.0e9),
)
def test_in_one_cycle_each_phase_is_wished_for_its_green_and_the_change_before_it(
    greens_s: list[float], offset_s: float, start_s: float
) -> None:
    one = timing(greens_s=tuple(float(round(each)) for each in greens_s), offset_s=offset_s)
    seconds = round(cycle_s(one, CHANGE_S))
    wished = [stage_at(one, CHANGE_S, start_s + second) for second in range(seconds)]
    for phase in one.phases:
        assert abs(wished.count(phase.stage) - (phase.green_s + CHANGE_S)) <= 1
    assert sum(a != b for a, b in zip(wished, [*wished[1:], wished[0]], strict=True)) == len(greens_s)


def test_the_first_green_begins_at_the_offset() -> None:
    one = timing(offset_s=7.0)
    assert stage_at(one, CHANGE_S, 7.0 - CHANGE_S) == 0, "the wish comes with the change before the green"
    assert stage_at(one, CHANGE_S, 7.0 - CHANGE_S - 0.5) == 1
    assert stage_at(one, CHANGE_S, 7.0 + 20.0) == 1


@pytest.mark.parametrize(
    ("when", "local", "holds"),
    [
        (When(), "2026-05-04T12:00", True),
        (When(begins=time(7), until=time(9)), "2026-05-04T07:00", True),
        (When(begins=time(7), until=time(9)), "2026-05-04T09:00", False),
        (When(days=(6, 7), begins=time(7), until=time(9)), "2026-05-04T08:00", False),
        (When(days=(1,), begins=time(22), until=time(2)), "2026-05-05T01:00", True),
        (When(days=(1,), begins=time(22), until=time(2)), "2026-05-04T01:00", False),
        (When(days="workdays", begins=time(7), until=time(9)), "2026-05-09T08:00", True),
        (When(days="restdays", begins=time(7), until=time(9)), "2026-05-01T08:00", True),
    ],
)
def test_a_span_holds_on_its_days_and_past_midnight(when: When, local: str, holds: bool) -> None:
    """4 May 2026 is a Monday; 1 May is Labour Day, and Saturday 9 May is worked to make up for it."""
    assert runs(when, datetime.fromisoformat(local).replace(tzinfo=BEIHAI), BEIHAI) is holds


def test_a_plan_is_claimed_while_it_runs_and_not_after_it_is_ended() -> None:
    plans = RequestedPlans(STREET)
    plans.obey(order(RUN_PLAN, table(timing(), timing(SIGNALS[1], offset_s=20.0))), NOON)
    claims = {claim.signal_id: claim for claim in plans.claims(NOON.timestamp())}
    assert set(claims) == set(SIGNALS)
    assert all(claim.rank is Rank.PLAN and claim.because.facts["plan"] == "放学" for claim in claims.values())
    plans.obey(order(END_PLAN), NOON)
    assert not plans.claims(NOON.timestamp())


def test_outside_of_its_hours_a_timetable_leaves_the_signals_alone() -> None:
    plans = RequestedPlans(STREET)
    school = table(timing(), when=({"days": "workdays", "begins": "11:45:00", "until": "12:15:00"},))
    plans.obey(order(RUN_PLAN, school), NOON)
    assert plans.claims(NOON.timestamp())
    assert not plans.claims((NOON + timedelta(hours=1)).timestamp())


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (table(timing("urn:s:none")), "traffic.plan_signal_unknown"),
        (table(timing(greens_s=(20.0,))), "traffic.plan_too_short"),
        (table(timing(greens_s=(20.0, 10.0, 10.0))), "traffic.plan_stage_unknown"),
        (table(timing(greens_s=(20.0, 3.0))), "traffic.plan_green_too_short"),
        (table(timing(greens_s=(120.0, 90.0))), "traffic.plan_cycle_too_long"),
        (table(timing(), timing(SIGNALS[1], (30.0, 12.0))), "traffic.plan_cycles_differ"),
        (table(timing(), timezone="Asia/Beihai"), "traffic.plan_zone_unknown"),
    ],
)
def test_a_plan_that_cannot_run_is_refused_with_what_is_wrong(given: dict[str, Any], code: str) -> None:
    plans = RequestedPlans(STREET)
    with pytest.raises(PlanBroken) as refused:
        plans.obey(order(RUN_PLAN, given), NOON)
    assert refused.value.code == code
    assert not plans.claims(NOON.timestamp())
