# SPDX-License-Identifier: Apache-2.0
"""Query options, times and JSON Patch: what they mean, and that no text makes them fail but by a refusal."""

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sensorthings import jsonpatch
from citybrain.doors.sensorthings.model import Kind
from citybrain.doors.sensorthings.moments import read_duration, read_span, read_time, told
from citybrain.doors.sensorthings.options import LARGEST_PAGE, PAGE, Options, read_options
from citybrain.doors.sensorthings.refusals import Unusable


def read(text: str, kind: Kind = Kind.THING) -> Options:
    return read_options([tuple(each.split("=", 1)) for each in text.split("&")], kind)  # type: ignore[misc]


def test_options_of_an_expanded_relation_are_its_own() -> None:
    options = read(
        "$expand=Datastreams($top=5;$filter=name eq 'a;b';$expand=Observations($orderby=result desc)),Locations&$top=2"
    )
    streams = options.expand["Datastreams"]
    assert (options.top, streams.top, set(options.expand)) == (2, 5, {"Datastreams", "Locations"})
    assert streams.expand["Observations"].order[0].descending
    assert streams.filter is not None


def test_a_path_of_relations_expands_each_of_them() -> None:
    options = read("$expand=Datastreams/Sensor,Datastreams/Observations($top=1)")
    assert set(options.expand["Datastreams"].expand) == {"Sensor", "Observations"}
    assert options.expand["Datastreams"].expand["Observations"].top == 1


def test_a_page_has_a_usual_and_a_largest_size() -> None:
    assert (Options().limit, read("$top=99999999").limit, read("$top=0").limit) == (PAGE, LARGEST_PAGE, 0)


@given(st.text(max_size=50) | st.text("$=();,/'expandDatastreamsObservationsfilter eq1", max_size=50))
def test_any_expansion_is_read_or_refused(text: str) -> None:
    try:
        options = read_options([("$expand", text), ("$orderby", text), ("$select", text)], Kind.THING)
    except Unusable:
        return
    assert isinstance(options, Options)


@given(st.datetimes(timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))))
def test_any_time_is_read_as_the_same_moment(at: Any) -> None:
    read_at = read_time(at.isoformat())
    if read_at is not None:
        assert read_at == at
        assert read_span(told(read_span(at.isoformat()) or pytest.fail("no span"))) is not None


@given(st.text(max_size=40) | st.text("0123456789-:/TZP.DHMS+", max_size=40))
def test_any_text_is_a_time_a_span_a_duration_or_none(text: str) -> None:
    read_time(text), read_duration(text)
    span = read_span(text)
    assert span is None or span.begin <= span.end


@pytest.mark.parametrize(
    ("text", "length"),
    [("P1D", 86400), ("-PT1H30M", -5400), ("P1DT0.5S", 86400.5), ("P", None), ("PT", None), ("1D", None)],
)
def test_a_duration_has_a_length(text: str, length: float | None) -> None:
    assert read_duration(text) == (None if length is None else timedelta(seconds=length))


HELD = {"a": {"b": [1, 2]}, "c/d": 1}
# fmt: off
PATCHES: list[tuple[list[dict[str, Any]], Any]] = [
    ([{"op": "add", "path": "/a/b/-", "value": 3}],                   {"a": {"b": [1, 2, 3]}, "c/d": 1}),
    ([{"op": "add", "path": "/a/b/0", "value": 0}],                   {"a": {"b": [0, 1, 2]}, "c/d": 1}),
    ([{"op": "remove", "path": "/a/b/1"}],                            {"a": {"b": [1]}, "c/d": 1}),
    ([{"op": "replace", "path": "/c~1d", "value": None}],             {"a": {"b": [1, 2]}, "c/d": None}),
    ([{"op": "move", "from": "/a/b", "path": "/b"}],                  {"a": {}, "b": [1, 2], "c/d": 1}),
    ([{"op": "copy", "from": "/c~1d", "path": "/a/e"}],               {"a": {"b": [1, 2], "e": 1}, "c/d": 1}),
    ([{"op": "test", "path": "/a", "value": {"b": [1, 2]}}],          HELD),
    ([{"op": "replace", "path": "", "value": 7}],                     7),
    ([{"op": "test", "path": "/a", "value": 1}],                      None),
    ([{"op": "remove", "path": "/x"}],                                None),
    ([{"op": "add", "path": "/a/b/9", "value": 1}],                   None),
    ([{"op": "move", "from": "/a", "path": "/a/b"}],                  None),
    ([{"op": "replace", "path": "a", "value": 1}],                    None),
    ([{"op": "dance", "path": "/a"}],                                 None),
    ([{"op": "add", "path": "/x"}],                                   None),
]
# fmt: on


@pytest.mark.parametrize(("operations", "after"), PATCHES)
def test_a_json_patch_does_all_of_its_steps_or_none(operations: list[dict[str, Any]], after: Any) -> None:
    before = {"a": {"b": [1, 2]}, "c/d": 1}
    if after is None:
        with pytest.raises(Unusable):
            jsonpatch.apply(before, operations)
    else:
        assert jsonpatch.apply(before, operations) == after
    assert before == HELD
