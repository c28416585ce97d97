# SPDX-License-Identifier: Apache-2.0
"""Filters: what they mean, that no text makes them fail but by a refusal, and that printing reads back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sensorthings.evaluate import Evaluation, shape_of
from citybrain.doors.sensorthings.expression import Binary, Call, Expression, Literal, Minus, Not, Path, Span, text_of
from citybrain.doors.sensorthings.functions import ARGUMENTS
from citybrain.doors.sensorthings.moments import read_span
from citybrain.doors.sensorthings.reading import LEVELS, read_filter
from citybrain.doors.sensorthings.refusals import Unusable

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Lamp:
    """Something to be asked of."""

    def __init__(self, held: Mapping[str, Any]) -> None:
        self.held = held

    def values(self, names: Sequence[str]) -> list[Any]:
        found = self.held.get("/".join(names))
        return found if isinstance(found, list) else [found]


LAMP = Lamp(
    {
        "name": "lamp of the O'Hara street",
        "watts": 60,
        "half": 0.5,
        "on": True,
        "at": read_span("2026-03-01T09:15:30.25Z"),
        "span": read_span("2026-03-01T09:00:00Z/2026-03-01T10:00:00Z"),
        "place": shape_of("POINT (120.1 30.2)"),
        "Datastreams/name": ["light", "power"],
        "properties/owner": "city",
    }
)

# fmt: off
MEANINGS = [
    ("watts eq 60", True),                       ("watts ne 60", False),
    ("60 eq watts", True),                       ("watts gt 59.5 and watts lt 61", True),
    ("watts add 5 mul 2 eq 70", True),           ("(watts add 5) mul 2 eq 130", True),
    ("watts sub 5 sub 5 eq 50", True),           ("watts div 8 eq 7.5", True),
    ("watts mod 7 eq 4", True),                  ("watts div 0 eq 1", False),
    ("-watts eq -60", True),                     ("not (watts eq 60) or on eq true", True),
    ("not on", False),                           ("on", True),
    ("name eq 'lamp of the O''Hara street'", True), ("watts eq '60'", False),
    ("nothing eq null", True),                   ("watts eq null", False),
    ("watts ne null", True),                     ("nothing gt 1", False),
    ("not (nothing gt 1)", True),                ("startswith(name,'lamp')", True),
    ("endswith(tolower(name),'STREET')", False), ("substringof('Hara',name)", True),
    ("indexof(name,'lamp') eq 1", True),         ("indexof(name,'nowhere') eq 0", True),
    ("substring(name,5,2) eq 'of'", True),       ("length(trim('  a ')) eq 1", True),
    ("concat(concat(name,'!'),'?') eq 'x'", False), ("toupper('é') eq 'É'", True),
    ("year(at) eq 2026 and month(at) eq 3 and day(at) eq 1", True),
    ("hour(at) eq 9 and minute(at) eq 15 and second(at) eq 30", True),
    ("fractionalseconds(at) eq 0.25", True),     ("date(at) eq date(2026-03-01T23:00:00Z)", True),
    ("time(at) lt time(now())", True),           ("at lt now()", True),
    ("at gt now() sub duration'PT4H'", True),    ("at gt now() sub duration'PT1H'", False),
    ("at gt mindatetime() and at lt maxdatetime()", True), ("at ge 2026-03-01", True),
    ("at eq 2026-03-01T10:15:30.25+01:00", True), ("during(at,span)", True),
    ("before(span,now())", True),                ("after(span,now())", False),
    ("overlaps(span,2026-03-01T09:30:00Z/2026-03-02)", True), ("span lt 2026-03-01T10:00:01Z", True),
    ("span lt 2026-03-01T09:30:00Z", False),     ("span gt 2026-03-01T08:00:00Z", True),
    ("round(half) eq 1 and floor(half) eq 0 and ceiling(half) eq 1", True),
    ("geo.distance(place,geography'POINT (120.1 30.3)') lt 0.11", True),
    ("geo.length(geography'LINESTRING (0 0, 0 2)') eq 2", True),
    ("st_within(place,geography'POLYGON ((120 30, 121 30, 121 31, 120 31, 120 30))')", True),
    ("st_disjoint(place,geography'POINT (0 0)')", True),
    ("st_relate(place,geography'POINT (120.1 30.2)','T********')", True),
    ("st_within(name,geography'POINT (0 0)')", False),
    ("Datastreams/name eq 'power'", True),       ("Datastreams/name eq 'heat'", False),
    ("properties/owner eq 'city'", True),        ("on eq 1", False),
]
REFUSED = [
    "", "name eq", "eq 1", "name eq 'open", "(watts eq 1", "watts eq 1)", "bogus(name)", "length()", "length(a,b)",
    "watts eq 1 2", "name == 'x'", "duration'P'", "at gt 2026-13-01T00:00:00Z", "1e999 eq 1", "not", "a,b", "ü€ eq",
    "(" * 500 + "1", "not " * 500 + "true", "x" * 30_000,
]
# fmt: on


@pytest.mark.parametrize(("text", "holds"), MEANINGS)
def test_a_filter_means_what_the_standard_says(text: str, holds: bool) -> None:
    assert Evaluation(read_filter(text), NOW).holds(LAMP) is holds


@pytest.mark.parametrize(("text", "holds"), MEANINGS)
def test_a_filter_that_was_printed_reads_as_the_same(text: str, holds: bool) -> None:
    expression = read_filter(text)
    assert read_filter(text_of(expression)) == expression


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        read_filter(text)


def test_a_geometry_that_is_none_is_refused_when_it_is_asked() -> None:
    with pytest.raises(Unusable):
        Evaluation(read_filter("st_within(place,geography'POINT (1')"), NOW).holds(LAMP)


NAMES = st.sampled_from(["name", "result", "properties/a", "Datastream/Thing/@iot.id", "watts", "ein_name"])
LITERALS = st.one_of(
    st.integers(-(10**15), 10**15).map(lambda number: Literal(number, str(number))),
    st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"]), max_size=8).map(
        lambda text: Literal(text, f"'{text}'")
    ),
    st.sampled_from([Literal(True, "true"), Literal(None, "null")]),
    st.just(Literal(Span(NOW, NOW), "2026-03-01T12:30:00Z")),
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(LITERALS, NAMES.map(lambda name: Path(tuple(name.split("/"))))),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(Minus, inner),
        st.builds(Binary, st.sampled_from([name for names in LEVELS for name in names]), inner, inner),
        st.sampled_from(sorted(ARGUMENTS)).flatmap(
            lambda name: st.builds(
                Call, st.just(name), st.tuples(*[inner] * min(ARGUMENTS[name])) if min(ARGUMENTS[name]) else st.just(())
            )
        ),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_every_expression_reads_back_from_its_text(expression: Expression) -> None:
    assert read_filter(text_of(expression)) == expression


@given(EXPRESSIONS)
def test_no_expression_fails_whatever_it_is_asked_of(expression: Expression) -> None:
    assert Evaluation(expression, NOW).holds(LAMP) in (True, False)


@given(st.text(max_size=60) | st.text("()'/,.- 0123456789einortlaqgdTZ:@$", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = read_filter(text)
    except Unusable:
        return
    assert read_filter(text_of(expression)) == expression
