# SPDX-License-Identifier: Apache-2.0
"""What is asked of the past: which span of which time, how many instances, and in which form (CIM 009 clause 4.11)."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.pool.duration import BadDuration, Duration, read_duration

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z")
LARGEST_LAST_N = 1_000_000


class BadTemporalQuery(Invalid):
    """A parameter of a temporal query is missing or makes no sense; facts name it."""


class InvalidRequest(Invalid):
    """The form asked for does not exist, or an attribute cannot be told in it (clauses 5.7.4.4, 6.3.20)."""


class TimeRelation(StrEnum):
    """How the time of an instance lies to the given one (clause 4.11)."""

    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"


class TimeProperty(StrEnum):
    """Which time of an instance counts (clause 4.8)."""

    OBSERVED_AT = "observedAt"
    CREATED_AT = "createdAt"
    MODIFIED_AT = "modifiedAt"
    DELETED_AT = "deletedAt"


class Method(StrEnum):
    """How the values of a period become one (clause 4.5.19.1)."""

    TOTAL_COUNT = "totalCount"
    DISTINCT_COUNT = "distinctCount"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    SUMSQ = "sumsq"


class Form(StrEnum):
    """The representations of the past (clauses 4.5.6 to 4.5.9, 4.5.19)."""

    NORMALIZED = "normalized"
    CONCISE = "concise"
    TEMPORAL_VALUES = "temporalValues"
    AGGREGATED_VALUES = "aggregatedValues"


FLAGS = frozenset({"sysAttrs", "count"})
"""What `options` may say beside a form."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The span of time that is asked for. `before` leaves its bound out, `after` takes it in, `between` does both.

    `named` tells that the time property was named. `since_ever` lifts the lower bound.
    """

    relation: TimeRelation | None = None
    at: datetime | None = None
    end: datetime | None = None
    time: TimeProperty = TimeProperty.OBSERVED_AT
    named: bool = False
    since_ever: bool = False

    @property
    def since(self) -> datetime | None:
        """The first time that is in."""
        return None if self.relation is TimeRelation.BEFORE else self.at

    @property
    def until(self) -> datetime | None:
        """The first time that is out again."""
        return self.at if self.relation is TimeRelation.BEFORE else self.end


class Aggregation(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures are wanted of each period."""

    methods: tuple[Method, ...]
    period: Duration


class TemporalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The temporal part of a request."""

    window: Window = Window()
    last_n: int | None = None
    form: Form = Form.NORMALIZED
    aggregation: Aggregation | None = None
    sys_attrs: bool = False
    count: bool = False


def read_temporal_query(params: Mapping[str, str], *, required: bool = False) -> TemporalQuery:
    """Read the temporal parameters; refuses `BadTemporalQuery` and, for an unknown form, `InvalidRequest`.

    `required` says that a time relation must be there, as a query over entities needs one (clause 5.7.4.4).
    """
    window = read_window(params)
    if required and window.relation is None:
        raise BadTemporalQuery("kernel.temporal_missing", {"name": "timerel"})
    form, flags = read_form(params)
    aggregation = read_aggregation(params)
    if form is Form.NORMALIZED and aggregation and not (params.get("format") or params.get("options")):
        form = Form.AGGREGATED_VALUES
    if form is Form.AGGREGATED_VALUES and aggregation is None:
        raise BadTemporalQuery("kernel.temporal_missing", {"name": "aggrMethods"})
    return TemporalQuery(
        window=window,
        last_n=read_last_n(params.get("lastN")),
        form=form,
        aggregation=aggregation if form is Form.AGGREGATED_VALUES else None,
        sys_attrs="sysAttrs" in flags or params.get("sysAttrs") == "true",
        count="count" in flags or params.get("count") == "true",
    )


def read_window(params: Mapping[str, str]) -> Window:
    """Read `timerel`, `timeAt`, `endTimeAt` and `timeproperty`."""
    named = params.get("timeproperty")
    try:
        time_property = TimeProperty(named or TimeProperty.OBSERVED_AT)
        relation = TimeRelation(params["timerel"]) if params.get("timerel") else None
    except ValueError as problem:
        name = "timerel" if params.get("timerel") not in {*TimeRelation, None, ""} else "timeproperty"
        raise BadTemporalQuery("kernel.temporal_bad", {"name": name, "given": params[name]}) from problem
    if relation is None:
        if params.get("timeAt") or params.get("endTimeAt"):
            raise BadTemporalQuery("kernel.temporal_missing", {"name": "timerel"})
        return Window(time=time_property, named=named is not None)
    at = _required_instant("timeAt", params)
    end = _required_instant("endTimeAt", params) if relation is TimeRelation.BETWEEN else None
    return Window(relation=relation, at=at, end=end, time=time_property, named=named is not None)


def read_instant(name: str, text: str) -> datetime:
    """A DateTime of clause 4.6.3: date and time of day in UTC, written with `Z`; refuses anything else by its name."""
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError(text)  # noqa: TRY301  (one refusal for both ways of being wrong)
        return datetime.fromisoformat(text.replace(",", "."))
    except ValueError as problem:
        raise BadTemporalQuery("kernel.temporal_bad", {"name": name, "given": text}) from problem


def read_last_n(given: str | None) -> int | None:
    """A whole number from 1 on (table 5.2.21-1)."""
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= LARGEST_LAST_N:
        raise BadTemporalQuery("kernel.temporal_bad", {"name": "lastN", "given": given})
    return int(given)


def read_form(params: Mapping[str, str]) -> tuple[Form, frozenset[str]]:
    """The representation and the flags: `format` decides before `options`, but both must be known (clause 6.3.20)."""
    options = frozenset(each.strip() for each in (params.get("options") or "").split(",") if each.strip())
    forms = options & set(Form)
    unknown = options - forms - FLAGS
    named = params.get("format")
    if named and named not in set(Form):
        unknown = frozenset({named})
    if unknown:
        raise InvalidRequest("kernel.temporal_form_unknown", {"given": ", ".join(sorted(unknown))})
    if named:
        return Form(named), options - forms
    return Form(min(forms, key=_rank)) if forms else Form.NORMALIZED, options - forms


def _rank(form: str) -> int:
    """Of several forms the first counts, from the most to the least condensed."""
    return (Form.AGGREGATED_VALUES, Form.TEMPORAL_VALUES, Form.CONCISE, Form.NORMALIZED).index(Form(form))


def read_aggregation(params: Mapping[str, str]) -> Aggregation | None:
    """Read `aggrMethods` and `aggrPeriodDuration`; without it the whole span is one period (clause 4.5.19.1)."""
    duration = params.get("aggrPeriodDuration")
    try:
        period = read_duration(duration or "PT0S")
    except BadDuration as problem:
        raise BadTemporalQuery("kernel.temporal_bad", {"name": "aggrPeriodDuration", "given": duration}) from problem
    named = [each.strip() for each in (params.get("aggrMethods") or "").split(",") if each.strip()]
    unknown = [each for each in named if each not in set(Method)]
    if unknown:
        raise BadTemporalQuery("kernel.temporal_bad", {"name": "aggrMethods", "given": ", ".join(unknown)})
    if not named:
        return None
    return Aggregation(methods=tuple(dict.fromkeys(Method(each) for each in named)), period=period)


def _required_instant(name: str, params: Mapping[str, str]) -> datetime:
    if not params.get(name):
        raise BadTemporalQuery("kernel.temporal_missing", {"name": name})
    return read_instant(name, params[name])
