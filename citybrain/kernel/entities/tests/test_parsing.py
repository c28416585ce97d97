# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.expressions import (
    AllOf,
    AnyOf,
    Comparison,
    Exists,
    Expression,
    Kind,
    Literal,
    Operator,
    Path,
    Pattern,
    Range,
    Values,
    paths,
    written,
)
from citybrain.kernel.entities.moments import date_key, date_time_key, time_key
from citybrain.kernel.entities.parsing import read_expression
from citybrain.kernel.entities.refusals import BadRequestData, TooComplexQuery
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import CORE, Context


def read(text: str) -> Expression:
    return read_expression(text, CORE)


def number(value: float) -> Literal:
    return Literal(kind=Kind.NUMBER, value=float(value), key=float(value))


def text(value: str) -> Literal:
    vocab = CORE.expand_type(value) if ":" in value else ""
    return Literal(kind=Kind.TEXT, value=value, key=value, vocab=vocab)


def compared(path: Path, operator: str, *literals: Literal) -> Comparison:
    return Comparison(path=path, operator=Operator(operator), operand=Values(any_of=literals))


def of(*names: str, inside: tuple[str, ...] = ()) -> Path:
    return Path(names=names, inside=inside)


SPEED, BRAND, RPM = of("speed"), of("brandName"), of("rpm")
HUMID = compared(Path(names=("sensor",), linked=of("humidity")), "==", number(40))
# The examples of clause 4.9, and what follows from its grammar.
# fmt: off
READINGS: list[tuple[str, Expression]] = [
    ("temperature", Exists(path=of("temperature"))),
    ("!temperature", Exists(path=of("temperature"), wanted=False)),
    ("temperature==20", compared(of("temperature"), "==", number(20))),
    ('brandName!="Mercedes"', compared(BRAND, "!=", text("Mercedes"))),
    ("speed>=-1.5e2", compared(SPEED, ">=", number(-150))),
    ('isParked=="urn:ngsi-ld:OffStreetParking:Downtown1"',
     compared(of("isParked"), "==", text("urn:ngsi-ld:OffStreetParking:Downtown1"))),
    ('speed>50;brandName!="Mercedes"', AllOf(terms=(
        compared(SPEED, ">", number(50)), compared(BRAND, "!=", text("Mercedes"))))),
    ('((speed>50|rpm>3000);brandName=="Mercedes")', AllOf(terms=(
        AnyOf(terms=(compared(SPEED, ">", number(50)), compared(RPM, ">", number(3000)))),
        compared(BRAND, "==", text("Mercedes"))))),
    ("speed|rpm;brandName", AnyOf(terms=(
        Exists(path=SPEED), AllOf(terms=(Exists(path=RPM), Exists(path=BRAND)))))),
    ('address[city]=="Berlin"', compared(of("address", inside=("city",)), "==", text("Berlin"))),
    ("sensor.rawdata[airquality.particulate]==40",
     compared(of("sensor", "rawdata", inside=("airquality", "particulate")), "==", number(40))),
    ('name[*]=="x"', compared(of("name", inside=("*",)), "==", text("x"))),
    ("sensor{humidity}==40", HUMID),
    ("sensor{Device:humidity}==40", compared(
        Path(names=("sensor",), types=("Device",), linked=of("humidity")), "==", number(40))),
    ("a{B,C:d{e.f}}", Exists(path=Path(
        names=("a",), types=("B", "C"), linked=Path(names=("d",), linked=of("e", "f"))))),
    ('color=="black","red"', compared(of("color"), "==", text("black"), text("red"))),
    ("speed==10..20", Comparison(
        path=SPEED, operator=Operator.EQUAL, operand=Range(lowest=number(10), highest=number(20)))),
    ("name~=^B.*(n|m)$;speed", AllOf(terms=(
        Comparison(path=of("name"), operator=Operator.MATCHES, operand=Pattern(text="^B.*(n|m)$")),
        Exists(path=SPEED)))),
    ('name!~="a;b"', Comparison(path=of("name"), operator=Operator.MATCHES_NOT, operand=Pattern(text="a;b"))),
    ("isOpen==true", compared(of("isOpen"), "==", Literal(kind=Kind.BOOLEAN, value=True, key=True))),
    (" speed > 5 ; rpm ", AllOf(terms=(compared(SPEED, ">", number(5)), Exists(path=RPM)))),
    ("brandName==%22Tesla%20X%22", compared(BRAND, "==", text("Tesla X"))),
]
# fmt: on


@pytest.mark.parametrize(("question", "asked"), READINGS)
def test_a_question_is_read_as_the_clause_says(question: str, asked: Expression) -> None:
    assert read(question) == asked


TIMES = [
    ("t==2017-12-24T12:00:00Z", Kind.DATE_TIME, date_time_key("2017-12-24T12:00:00Z")),
    ("t==2017-12-24T12:00:00,5Z", Kind.DATE_TIME, date_time_key("2017-12-24T12:00:00.5Z")),
    ("t==2017-12-24", Kind.DATE, date_key("2017-12-24")),
    ("t==12:00:01Z", Kind.TIME, time_key("12:00:01Z")),
    ('t.observedAt=="2017-12-24T12:00:00Z"', Kind.DATE_TIME, date_time_key("2017-12-24T12:00:00Z")),
    ('t=="2017-12-24T12:00:00Z"', Kind.TEXT, "2017-12-24T12:00:00Z"),
]


@pytest.mark.parametrize(("question", "kind", "key"), TIMES)
def test_times_are_read_as_times_and_quoted_ones_only_where_the_system_keeps_times(
    question: str, kind: Kind, key: int | str
) -> None:
    asked = read(question)
    assert isinstance(asked, Comparison)
    assert isinstance(asked.operand, Values)
    assert (asked.operand.any_of[0].kind, asked.operand.any_of[0].key) == (kind, key)


WRONG = [
    ("", 0),
    ("speed>", 6),
    ("speed>50;", 9),
    ("(speed>50", 9),
    ("speed>50)", 8),
    ('name=="Eiffel', 6),
    ("))bad((", 0),
    ("a..b", 1),
    ("a[", 2),
    ("a{b", 3),
    ("speed==1..", 10),
    ("!heading==5", 8),
    ("speed==2020-13-40", 17),
]


@pytest.mark.parametrize(("question", "position"), WRONG)
def test_what_is_wrong_is_refused_with_its_position(question: str, position: int) -> None:
    with pytest.raises(BadRequestData) as refused:
        read(question)
    assert (refused.value.facts["parameter"], refused.value.facts["position"]) == ("q", position)


TOO_COMPLEX = ['a~="(x+)+"', 'a~="(a|aa)*b"', 'a~="(.)\\\\1"', 'a~=".*a.*b.*c.*d.*e.*f"', "(" * 60 + "a" + ")" * 60]


@pytest.mark.parametrize("question", TOO_COMPLEX)
def test_what_might_never_end_is_refused_as_too_complex(question: str) -> None:
    with pytest.raises(TooComplexQuery):
        read(question)


def test_names_are_those_of_the_context_and_words_only_where_values_are_expanded() -> None:
    context = Context(url="urn:x", json={}, objects=[{"gender": "https://x.org/gender", "Male": "https://x.org/Male"}])
    for expanded, vocab in ((("https://x.org/gender",), "https://x.org/Male"), ((), "")):
        asked = read_expression("gender==Male", context, expand_values=expanded)
        assert [each.names for each in paths(asked)] == [("https://x.org/gender",)]
        assert isinstance(asked, Comparison)
        assert isinstance(asked.operand, Values)
        assert asked.operand.any_of[0].vocab == vocab


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
PATHS = st.recursive(
    st.builds(Path, names=st.tuples(NAMES) | st.tuples(NAMES, NAMES), inside=st.just(()) | st.tuples(NAMES, NAMES)),
    lambda inner: st.builds(Path, names=st.tuples(NAMES), linked=inner, types=st.just(()) | st.tuples(NAMES, NAMES)),
    max_leaves=3,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(number)
TEXTS = st.text(max_size=8).filter(lambda value: ":" not in value).map(text)
VALUES = st.lists(NUMBERS | TEXTS, min_size=1, max_size=3).map(lambda literals: Values(any_of=tuple(literals)))
OPERANDS = VALUES | st.builds(Range, lowest=NUMBERS, highest=NUMBERS)
TERMS = (
    st.builds(Exists, path=PATHS, wanted=st.booleans())
    | st.builds(Comparison, path=PATHS, operator=st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]), operand=OPERANDS)
    | st.builds(
        Comparison,
        path=PATHS,
        operator=st.sampled_from([Operator.LESS, Operator.GREATER_EQUAL]),
        operand=st.builds(lambda literal: Values(any_of=(literal,)), NUMBERS | TEXTS),
    )
)


def _joined(kind: type[AllOf] | type[AnyOf], terms: list[Expression]) -> Expression:
    """As reading makes it: no list of its own kind within a list, since no parentheses tell of it."""
    return kind(terms=tuple(terms))


EXPRESSIONS = st.recursive(
    TERMS,
    lambda inner: st.builds(_joined, st.sampled_from([AllOf, AnyOf]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_a_question_that_is_written_reads_as_the_same_question(asked: Expression) -> None:
    assert read(written(asked)) == asked


@given(st.text(alphabet='ab.[]{}();|,!=<>~"1-:Z 中\\*+', max_size=30) | st.text(max_size=30))
def test_no_text_whatever_breaks_the_reader(anything: str) -> None:
    try:
        asked = read(anything)
    except Refusal:
        return
    assert read(written(asked)) == asked
