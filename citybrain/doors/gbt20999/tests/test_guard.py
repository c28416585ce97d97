# SPDX-License-Identifier: Apache-2.0
"""What is never asked of a controller, by what it said of itself."""

import msgspec
import pytest

from citybrain.doors.gbt20999 import guard
from citybrain.doors.gbt20999.tests.test_service import CAPABILITY, SEEN
from citybrain.doors.gbt20999.values import NO_WAY, mode_of
from citybrain.kernel.controllers.outstation import Mode


def test_a_stage_whose_phases_conflict_is_never_asked_for() -> None:
    wrong = msgspec.structs.replace(CAPABILITY, stages=((1, 3), (3,)))
    assert guard.judge(wrong, 0, 60.0).code == "gbt20999.stage_conflicts"
    assert guard.judge(wrong, 1, 60.0).accepted


@pytest.mark.parametrize(
    ("stage", "for_s", "code"),
    [
        (0, 5.0, ""),
        (0, 300.0, ""),
        (0, 4.9, "gbt20999.wish_out_of_range"),
        (0, 301.0, "gbt20999.wish_out_of_range"),
        (0, float("nan"), "gbt20999.wish_out_of_range"),
        (2, 60.0, "gbt20999.no_such_stage"),
        (-1, 60.0, "gbt20999.no_such_stage"),
    ],
)
def test_a_wish_is_for_a_stage_that_is_there_and_for_a_time_that_makes_sense(
    stage: int, for_s: float, code: str
) -> None:
    assert guard.judge(CAPABILITY, stage, for_s).code == code


def test_an_empty_stage_is_none() -> None:
    empty = msgspec.structs.replace(CAPABILITY, stages=((), (3,)))
    assert guard.judge(empty, 0, 60.0).code == "gbt20999.no_such_stage"


def test_a_change_that_the_controllers_table_bans_is_not_asked_for() -> None:
    banned = msgspec.structs.replace(CAPABILITY, transitions={(0, 1): NO_WAY})
    answer = guard.no_way(banned, SEEN, 1)
    assert answer is not None
    assert answer.code == "gbt20999.no_way"
    assert guard.no_way(banned, SEEN, 0) is None
    assert guard.no_way(banned, msgspec.structs.replace(SEEN, stage=1), 0) is None
    around = msgspec.structs.replace(CAPABILITY, transitions={(0, 1): 2})
    answer = guard.no_way(around, SEEN, 1)
    assert answer is not None
    assert (answer.code, answer.facts["via"]) == ("gbt20999.only_by_stage", 1)


def test_nothing_is_changed_before_the_least_green_or_during_a_change() -> None:
    assert not guard.may_change(CAPABILITY, SEEN)
    assert guard.may_change(CAPABILITY, msgspec.structs.replace(SEEN, stage_age_s=5.0))
    assert not guard.may_change(CAPABILITY, msgspec.structs.replace(SEEN, stage=None, stage_age_s=60.0))


@pytest.mark.parametrize("run_mode", [0x31, 0x32, 0x33])
def test_special_modes_are_left_alone(run_mode: int) -> None:
    answer = guard.in_other_hands(msgspec.structs.replace(SEEN, mode=mode_of(run_mode), run_mode=run_mode))
    assert answer is not None
    assert answer.facts["run_mode"] == f"0x{run_mode:02X}"


def test_every_number_of_a_mode_is_somebodys() -> None:
    assert {mode_of(number) for number in range(256)} == set(Mode)
    assert {mode_of(number) for number in range(0x10, 0x20)} == {Mode.CENTRE}
    assert mode_of(0x26) is Mode.LOCAL
