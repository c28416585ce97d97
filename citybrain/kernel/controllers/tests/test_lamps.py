# SPDX-License-Identifier: Apache-2.0
"""Phases become lamps."""

from citybrain.kernel.controllers import lamps

PHASES_OF = (frozenset({1}), frozenset({1, 2}), frozenset({2}), frozenset[int]())
CROSSED = {(1, 2), (2, 1)}


def test_a_lamp_is_green_with_any_of_its_phases_and_gives_way_where_that_is_said() -> None:
    assert lamps.stage_letters(PHASES_OF, ((1,), (2,)), {(1, 0)}) == ("Ggr-", "rGG-")


def test_during_a_change_a_lamp_gives_way_where_it_does_in_any_stage() -> None:
    assert [lamps.softened("yGr-", stage, {(1, 0)}) for stage in (0, 1, None)] == ["ygr-", "yGr-", "ygr-"]


def test_lamps_conflict_when_all_their_phases_do() -> None:
    assert lamps.conflicting(PHASES_OF, CROSSED) == ((0, 2),)


def test_letters_have_gaps_where_there_is_no_phase() -> None:
    assert lamps.letters(4, {1, 2, 4}, green={1}, yellow={4}) == "Gr-y"
    assert lamps.letters(4, {1, 2, 4}, lit="o") == "oo-o"


def test_lamps_that_show_the_same_in_all_stages_are_one_group() -> None:
    stages = ("GgrrG", "Ggrrr", "rrGrG")
    assert lamps.groups_of(stages) == ((1, 2, 3, 0, 4), ("GGr", "ggr", "rrG", "GrG"))
    assert lamps.yields_of(stages) == ((1, 0), (1, 1))
