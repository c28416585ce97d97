# SPDX-License-Identifier: Apache-2.0
"""What is asked of the door: which requests a list is to have, and what a report says. All that is wrong is told."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl

import msgspec

from citybrain.doors.open311.model import Question, Service
from citybrain.kernel.cases.intake import Teller, Telling
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

LONGEST_SPAN = timedelta(days=90)  # GeoReport v2, GET Service Requests: "may not span more than 90 days"
MOST = 1_000  # the same, Response Volume
LONGEST_DESCRIPTION = 4_000  # POST Service Request, description
LONGEST = 300
LONGEST_ANSWER = 500
MOST_MEDIA = 3
MOST_FIELDS = 200
FORM = "application/x-www-form-urlencoded"
CHANNEL = "open311"
# W3C note on dates and times, with the zone that the standard demands. A plus sign that nobody encoded is a blank.
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?(Z|[+\- ]\d{2}:\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}.*)?")
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,100})\](\[\])?")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LINE_BREAK = re.compile(r"[\r\n]")


class Status(StrEnum):
    """The two states that the standard knows."""

    OPEN = "open"
    CLOSED = "closed"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, as a code with facts."""

    code: str
    facts: Facts = {}


class Unusable(Invalid):
    """What was asked cannot be done as it stands; `problems` are all the reasons, told together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].code, problems[0].facts)
        self.problems = tuple(problems)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests a list is to have: those with `numbers`, or those of a time that fit; empty means any."""

    numbers: tuple[str, ...] = ()
    codes: frozenset[str] = frozenset()
    statuses: frozenset[Status] = frozenset()
    since: datetime
    until: datetime


Fields = Mapping[str, Sequence[str]]


def fields_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Fields by name; one that is empty is as good as not sent ("Optional Arguments")."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            fields.setdefault(name, []).append(value.strip())
    return fields


def read_form(body: bytes, content_type: str) -> dict[str, list[str]]:
    """The fields of a form. Refuses what is no form, no UTF-8, or has more fields than any report needs."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise Unusable([Problem(code="open311.not_a_form", facts={"wanted": FORM})])
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise Unusable([Problem(code="open311.form_unreadable")]) from None
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise Unusable([Problem(code="open311.form_unreadable")])
    return fields_of(pairs)


def read_wanted(fields: Fields, now: datetime) -> Wanted:
    """What a list is asked for (GET Service Requests). Without times the last 90 days; numbers override all else."""
    numbers = tuple(_several(fields, "service_request_id"))[:MOST]
    if numbers:
        return Wanted(numbers=numbers, since=now, until=now)
    problems: list[Problem] = []
    since, until = (_moment(fields, name, problems) for name in ("start_date", "end_date"))
    statuses = list(_several(fields, "status"))
    wrong = [each for each in statuses if each.lower() not in list(Status)]
    problems += [_unusable("status", each) for each in wrong]
    end = until or (min(since + LONGEST_SPAN, now) if since else now)
    begin = since or end - LONGEST_SPAN
    if since and until and not timedelta(0) <= until - since <= LONGEST_SPAN:
        problems.append(Problem(code="open311.span_unusable", facts={"days": LONGEST_SPAN.days}))
    if problems:
        raise Unusable(problems)
    return Wanted(
        codes=frozenset(_several(fields, "service_code")),
        statuses=frozenset(Status(each.lower()) for each in statuses),
        since=begin,
        until=end,
    )


def read_telling(fields: Fields, service: Service, key: str | None, *, rehearsal: bool) -> Telling:
    """A report as it was sent (POST Service Request). Refuses it with everything that is wrong with it.

    What tells of a device or an account is not asked for and not kept: nobody needs it to answer.
    """
    problems: list[Problem] = []
    place = _place(fields, problems)
    address = _one(fields, "address_string") or _one(fields, "address_id")
    if place is None and not address and not problems:
        problems.append(Problem(code="open311.location_missing"))
    description = _one(fields, "description")
    if len(description) > LONGEST_DESCRIPTION:
        problems.append(Problem(code="open311.too_long", facts={"field": "description", "most": LONGEST_DESCRIPTION}))
    problems += [_too_long(name) for name in _PERSONAL if len(_one(fields, name)) > LONGEST_NAME]
    if len(address) > LONGEST:
        problems.append(_too_long("address_string"))
    answers = _answers(fields, service, problems)
    media = _media(fields, problems)
    if problems:
        raise Unusable(problems)
    return Telling(
        channel=CHANNEL,
        text=description,
        category=service.code,
        longitude=place[0] if place else None,
        latitude=place[1] if place else None,
        address=address,
        media=media,
        answers=answers,
        teller=Teller(name=_name(fields), phone=_one(fields, "phone"), email=_one(fields, "email")),
        key=key,
        rehearsal=rehearsal,
    )


_PERSONAL = ("first_name", "last_name", "phone", "email")
LONGEST_NAME = 100


def _one(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")


def _several(fields: Fields, name: str) -> Iterable[str]:
    """The values of a field that may be said several times, or with commas between."""
    found = (each.strip() for value in fields.get(name, ()) for each in value.split(","))
    return dict.fromkeys(each for each in found if each)


def _unusable(name: str, value: str) -> Problem:
    return Problem(code="open311.parameter_unusable", facts={"parameter": name, "value": value[:60]})


def _too_long(name: str) -> Problem:
    most = LONGEST_NAME if name in _PERSONAL else LONGEST
    return Problem(code="open311.too_long", facts={"field": name, "most": most})


def moment_of(text: str) -> datetime | None:
    """A moment in the W3C's form with its zone; None when it is none."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}{found[2] or ''}{found[3].replace(' ', '+')}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(fields: Fields, name: str, problems: list[Problem]) -> datetime | None:
    text = _one(fields, name)
    moment = moment_of(text)
    # So far from both ends of the calendar that a span fits on either side.
    if text and (moment is None or not 1 < moment.year < 9998):
        problems.append(_unusable(name, text))
        return None
    return moment


def _place(fields: Fields, problems: list[Problem]) -> tuple[float, float] | None:
    """Longitude and latitude: both or neither."""
    given = {name: _one(fields, name) for name in ("long", "lat")}
    if not any(given.values()):
        return None
    numbers: list[float] = []
    for (name, text), most in zip(given.items(), (180.0, 90.0), strict=True):
        number = number_of(text)
        if number is None or abs(number) > most:
            missing = Problem(code="open311.field_missing", facts={"field": name})
            problems.append(_unusable(name, text) if text else missing)
        else:
            numbers.append(number)
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def number_of(text: str) -> float | None:
    """A plain decimal number; None when it is none."""
    return float(text) if re.fullmatch(r"[+-]?\d{1,12}(?:\.\d{1,20})?", text, re.ASCII) else None


def _name(fields: Fields) -> str:
    """The whole name, in the order in which the language of the name has it."""
    first, last = _one(fields, "first_name"), _one(fields, "last_name")
    return f"{last}{first}" if _HAN.search(first + last) else f"{first} {last}".strip()


def _media(fields: Fields, problems: list[Problem]) -> tuple[str, ...]:
    """Addresses of pictures: http or https, of a length. Nobody here opens them."""
    found = tuple(dict.fromkeys((*fields.get("media_url", ()), *fields.get("media_url[]", ()))))
    for each in found:
        if len(each) > LONGEST or not _ADDRESS.fullmatch(each):
            problems.append(_unusable("media_url", each))
    if len(found) > MOST_MEDIA:
        problems.append(Problem(code="open311.too_many", facts={"field": "media_url", "most": MOST_MEDIA}))
    return found


def _answers(fields: Fields, service: Service, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    """The answers to a service's questions, `attribute[code]=…`, checked by their kinds."""
    given: dict[str, tuple[str, ...]] = {}
    for name, values in fields.items():
        found = _ATTRIBUTE.fullmatch(name)
        if found:
            given[found[1]] = (*given.get(found[1], ()), *values)
    asked = {each.code: each for each in service.questions}
    problems += [_unusable(f"attribute[{code}]", "") for code in given if code not in asked]
    for code, question in asked.items():
        if question.required and code not in given:
            problems.append(Problem(code="open311.field_missing", facts={"field": f"attribute[{code}]"}))
        wrong = [value for value in given.get(code, ()) if not _fits(question, value)]
        if not question.several and len(given.get(code, ())) > 1:
            wrong.append(given[code][1])
        problems += [_unusable(f"attribute[{code}]", value) for value in wrong]
    return given


def _fits(question: Question, value: str) -> bool:
    if len(value) > LONGEST_ANSWER:
        return False
    if question.options:
        return value in question.options
    if question.datatype == "number":
        return number_of(value) is not None
    if question.datatype == "datetime":
        return _DATE.fullmatch(value) is not None
    return question.datatype == "text" or not _LINE_BREAK.search(value)
