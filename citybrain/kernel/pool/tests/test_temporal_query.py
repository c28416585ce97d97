# SPDX-License-Identifier: Apache-2.0
"""What may be asked of the past, and what not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.pool.duration import BadDuration, Duration, read_duration
from citybrain.kernel.pool.temporal_query import (
    BadTemporalQuery,
    Form,
    InvalidRequest,
    Method,
    TimeProperty,
    read_instant,
    read_temporal_query,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@given(months=st.integers(0, 11), days=st.integers(0, 400), seconds=st.integers(0, 59))
def test_a_duration_is_read_as_it_is_written(months: int, days: int, seconds: int) -> None:
    assert read_duration(f"P{months}M{days}DT{seconds}S") == Duration(
        months=months, exact=timedelta(days=days, seconds=seconds)
    )


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1D", "P1DT", "P-1D", "PT1D", "P1.5D", "P1S"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadDuration):
        read_duration(text)


@given(text=st.text(max_size=20))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert read_duration(text).exact >= timedelta()
    except BadDuration as refusal:
        assert refusal.facts["given"] == text


def test_no_time_at_all_stands_for_the_whole_time() -> None:
    assert read_duration("PT0S").whole
    assert read_duration("P0D").whole
    assert not read_duration("PT1S").whole


def test_months_end_where_the_calendar_says() -> None:
    month = read_duration("P1M")
    assert month.after(NOON, 1) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert month.after(NOON, 2) == datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert list(month.periods(NOON, datetime(2026, 3, 1, tzinfo=UTC)))[-1] == datetime(2026, 3, 31, 12, tzinfo=UTC)


# fmt: off
REFUSED = [
    ({"timerel": "during", "timeAt": "2026-01-01T00:00:00Z"},  "timerel"),
    ({"timerel": "after"},                                     "timeAt"),
    ({"timerel": "after", "timeAt": "2026-01-01"},             "timeAt"),
    ({"timerel": "after", "timeAt": "2026-01-01T00:00:00+08:00"}, "timeAt"),
    ({"timerel": "after", "timeAt": "2026-02-30T00:00:00Z"},   "timeAt"),
    ({"timerel": "between", "timeAt": "2026-01-01T00:00:00Z"}, "endTimeAt"),
    ({"timeAt": "2026-01-01T00:00:00Z"},                       "timerel"),
    ({"timeproperty": "seenAt"},                               "timeproperty"),
    ({"lastN": "0"},                                           "lastN"),
    ({"lastN": "1.5"},                                         "lastN"),
    ({"lastN": "-1"},                                          "lastN"),
    ({"aggrMethods": "median"},                                "aggrMethods"),
    ({"aggrMethods": "avg", "aggrPeriodDuration": "1h"},       "aggrPeriodDuration"),
    ({"options": "aggregatedValues"},                          "aggrMethods"),
]
# fmt: on


@pytest.mark.parametrize(("params", "name"), REFUSED)
def test_a_refusal_names_the_parameter(params: dict[str, str], name: str) -> None:
    with pytest.raises(BadTemporalQuery) as refused:
        read_temporal_query(params)
    assert refused.value.facts["name"] == name


def test_a_query_over_entities_needs_a_time_relation() -> None:
    assert read_temporal_query({}).window.relation is None
    with pytest.raises(BadTemporalQuery):
        read_temporal_query({}, required=True)


def test_before_leaves_its_bound_out_and_after_takes_it_in() -> None:
    at = "2026-01-31T12:00:00.000Z"
    before = read_temporal_query({"timerel": "before", "timeAt": at}).window
    after = read_temporal_query({"timerel": "after", "timeAt": at, "timeproperty": "modifiedAt"}).window
    between = read_temporal_query({"timerel": "between", "timeAt": at, "endTimeAt": "2026-02-01T00:00:00Z"}).window
    assert (before.since, before.until) == (None, NOON)
    assert (after.since, after.until, after.time) == (NOON, None, TimeProperty.MODIFIED_AT)
    assert (between.since, between.until) == (NOON, datetime(2026, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "params", [{"format": "pretty"}, {"options": "pretty"}, {"format": "temporalValues", "options": "sysAttrs,pretty"}]
)
def test_a_form_that_does_not_exist_is_an_invalid_request(params: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        read_temporal_query(params)


def test_format_decides_before_options() -> None:
    read = read_temporal_query(
        {"format": "temporalValues", "options": "aggregatedValues,sysAttrs,count", "aggrMethods": "sum"}
    )
    assert (read.form, read.sys_attrs, read.count, read.aggregation) == (Form.TEMPORAL_VALUES, True, True, None)


def test_figures_are_told_when_methods_are_named_and_no_other_form() -> None:
    read = read_temporal_query({"aggrMethods": "avg,max,avg", "aggrPeriodDuration": "PT1H"})
    assert read.form is Form.AGGREGATED_VALUES
    assert read.aggregation is not None
    assert read.aggregation.methods == (Method.AVG, Method.MAX)
    assert read.aggregation.period.exact == timedelta(hours=1)


@given(at=st.datetimes(timezones=st.just(UTC)))
def test_a_time_of_the_city_is_read_back_as_it_was(at: datetime) -> None:
    assert read_instant("timeAt", at.isoformat().replace("+00:00", "Z")) == at
