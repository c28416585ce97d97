# SPDX-License-Identifier: Apache-2.0
"""The score of the anomaly benchmark against numbers that its paper and its published tests give."""

import json
from pathlib import Path

import pytest

from bench.nab.corpus import NoData, read
from bench.nab.score import STANDARD, Profile, best, probation, score, weight

HEAVY = Profile(found=1.1, false=0.11, missed=1.2)


@pytest.mark.parametrize(
    ("position", "expected"), [(-1.0, 0.98661), (-0.5, 0.84828), (0.0, 0.0), (1.0, -0.98661), (3.0, -1.0), (9.0, -1.0)]
)
def test_the_scaled_sigmoid_has_the_values_that_are_published(position: float, expected: float) -> None:
    assert weight(position) == pytest.approx(expected, abs=5e-6)


def test_nothing_marked_and_nothing_to_mark_is_zero() -> None:
    assert score([], 5, [], HEAVY).score == 0


def test_each_window_missed_costs_its_whole_weight() -> None:
    assert score([], 7, [(1, 2), (4, 5)], HEAVY).score == pytest.approx(-2.4)


def test_false_alarms_before_any_window_cost_their_whole_weight() -> None:
    found = score([1, 3], 5, [], HEAVY)
    assert found.score == pytest.approx(-0.22)
    assert found.false == (1, 3)


def test_the_first_row_of_a_window_is_worth_the_weight_and_the_second_of_two_a_little_less() -> None:
    assert score([4], 7, [(4, 5)], HEAVY).score == pytest.approx(1.1)
    assert score([2], 7, [(1, 2)], HEAVY).score == pytest.approx(1.1 * 0.8482836399575131 / 0.9866142981514305)


def test_later_detections_in_a_window_change_nothing() -> None:
    assert score([4, 5], 7, [(4, 5)], HEAVY).score == score([4], 7, [(4, 5)], HEAVY).score


def test_a_found_and_a_missed_window_add_up() -> None:
    both = score([2], 7, [(1, 2), (4, 5)], HEAVY)
    assert both.score == pytest.approx(1.1 * 0.8482836399575131 / 0.9866142981514305 - 1.2)


def test_a_false_alarm_soon_after_a_window_costs_less_than_a_late_one() -> None:
    windows = [(20, 29)]
    soon, late, far = (score([21, row], 100, windows).score for row in (30, 36, 90))
    assert soon > late > far
    assert far == pytest.approx(score([21], 100, windows).score - STANDARD.false)
    assert soon - score([21], 100, windows).score == pytest.approx(0.11 * weight(1 / 9))


def test_what_is_marked_in_probation_does_not_count() -> None:
    assert score([0, 14], 100, []).score == 0
    assert score([15], 100, []).score == pytest.approx(-0.11)


@pytest.mark.parametrize(("rows", "length"), [(100, 15), (2500, 375), (5000, 750), (20_000, 750)])
def test_probation_is_fifteen_percent_and_750_rows_at_most(rows: int, length: int) -> None:
    assert probation(rows) == length


def test_the_threshold_is_the_one_that_brings_most_over_all_files() -> None:
    rows = [[0.0] * 20, [0.0] * 20]
    rows[0][10], rows[0][16], rows[1][10] = 0.9, 0.5, 0.7
    assert best(rows, [[(10, 12)], [(10, 12)]]) == 0.7


def test_a_threshold_that_marks_nothing_can_be_the_best() -> None:
    assert best([[0.5] * 20], [[]]) == 1.1


def test_files_are_read_with_their_windows_as_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "timestamp,value\n2015-09-01 00:00:00,1\n2015-09-01 00:05:00,2\n2015-09-01 00:10:00,3\n"
    )
    labels = tmp_path / "windows.json"
    labels.write_text(json.dumps({"g/a.csv": [["2015-09-01 00:05:00.000000", "2015-09-01 00:10:00.000000"]]}))
    (file,) = read(tmp_path, labels, "g")
    assert file.windows == ((1, 2),)
    assert file.values.tolist() == [1, 2, 3]


def test_a_folder_without_data_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="no data"):
        read(tmp_path, tmp_path / "windows.json", "g")
