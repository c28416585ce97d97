# SPDX-License-Identifier: Apache-2.0
"""The query options of a request and of an expanded relation (OGC 18-088 clause 9.3)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.sensorthings.expression import Expression, Path, conjuncts, paths
from citybrain.doors.sensorthings.model import SCHEMAS, Kind, Schema
from citybrain.doors.sensorthings.reading import read_filter
from citybrain.doors.sensorthings.refusals import unusable

PAGE = 100
LARGEST_PAGE = 10_000
DEEPEST_EXPAND = 8
_DIRECTIONS = {"": False, "asc": False, "desc": True}
ID_NAMES = ("@iot.id", "id")


class Ordering(msgspec.Struct, frozen=True):
    """One thing to order by."""

    by: Expression
    descending: bool = False


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a collection. `after` is where a page begins, as the link to it said."""

    filter: Expression | None = None
    order: tuple[Ordering, ...] = ()
    select: frozenset[str] | None = None
    expand: Mapping[str, "Options"] = {}
    top: int | None = None
    skip: int = 0
    count: bool = False
    data_array: bool = False
    references: bool = False
    after: str = ""

    @property
    def limit(self) -> int:
        """How many entities go onto a page."""
        return min(PAGE if self.top is None else self.top, LARGEST_PAGE)

    def wants(self, name: str) -> bool:
        """Whether a property is to be shown."""
        return self.select is None or name in self.select


NO_OPTIONS = Options()


def read_options(given: Iterable[tuple[str, str]], kind: Kind, *, depth: int = 0) -> Options:
    """Options as they were given; refuses unknown and unusable ones and properties that the kind does not have."""
    read: dict[str, Any] = {}
    for name, text in given:
        reader = _READERS.get(name)
        if reader is not None:
            read.update(reader(text, SCHEMAS[kind], depth))
        elif name.startswith("$"):
            raise unusable("option_unknown", name=name)
    return Options(**read)


_SIMPLE = {
    "$count": {"true": {"count": True}, "false": {"count": False}},
    "$resultFormat": {"dataArray": {"data_array": True}, "json": {}},
}


def _simple(name: str, text: str) -> Mapping[str, object]:
    known = _SIMPLE[name].get(text.strip())
    if known is None:
        raise unusable("option_unusable", name=name, value=text)
    return known


def read_expand(text: str, schema: Schema, depth: int) -> dict[str, Options]:
    """Relations to be shown with their entities: `Datastreams/Observations($top=1),Locations`."""
    if depth >= DEEPEST_EXPAND:
        raise unusable("expand_too_deep", limit=DEEPEST_EXPAND)
    expanded: dict[str, Options] = {}
    for item in split(text, ","):
        path, inner = _with_options(item)
        name, _, rest = path.partition("/")
        relation = schema.relations.get(name)
        if relation is None:
            raise unusable("relation_unknown", name=name or item, kind=schema.kind)
        if rest:
            deeper = [("$expand", rest + (f"({inner})" if inner else ""))]
        else:
            deeper = [_pair(each) for each in split(inner, ";")]
        found = read_options(deeper, relation.to, depth=depth + 1)
        before = expanded.get(name)
        expanded[name] = found if before is None else _merged(before, found)
    return expanded


def _merged(before: Options, found: Options) -> Options:
    """The same relation named twice: `Datastreams/Sensor,Datastreams/Thing`."""
    return msgspec.structs.replace(
        before if found.filter is None and found.top is None else found, expand={**before.expand, **found.expand}
    )


def _with_options(item: str) -> tuple[str, str]:
    path, bracket, rest = item.partition("(")
    if bracket and not rest.endswith(")"):
        raise unusable("option_unusable", name="$expand", value=item)
    return path.strip(), rest[:-1] if bracket else ""


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise unusable("option_unusable", name="$expand", value=text)
    return name.strip(), value


def split(text: str, separator: str) -> Iterator[str]:
    """The pieces between separators that stand outside of brackets and quotes."""
    piece, depth, quoted = "", 0, False
    for sign in text:
        quoted ^= sign == "'"
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if sign == separator and not depth and not quoted:
            if piece.strip():
                yield piece.strip()
            piece = ""
        else:
            piece += sign
    if depth or quoted:
        raise unusable("brackets_unbalanced", text=text)
    if piece.strip():
        yield piece.strip()


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise unusable("option_unusable", name=name, value=text)
    return int(text)


def _select(text: str, schema: Schema) -> frozenset[str]:
    names = frozenset(split(text, ","))
    for name in names:
        first = name.partition("/")[0]
        if (
            first not in schema.properties
            and first not in schema.relations
            and first not in (*ID_NAMES, "@iot.selfLink")
        ):
            raise unusable("property_unknown", name=name, kind=schema.kind)
    return frozenset("@iot.id" if name == "id" else name.partition("/")[0] for name in names)


def _orderings(text: str, schema: Schema) -> Iterator[Ordering]:
    for item in split(text, ","):
        words = item.rsplit(" ", 1)
        direction = words[1].strip() if len(words) == 2 else ""
        by = item if direction not in _DIRECTIONS else words[0]
        expression = _checked(read_filter(by), schema)
        if asks_observations(expression, schema.kind):
            raise unusable("observations_of_others")
        yield Ordering(expression, _DIRECTIONS.get(direction, False))


def _checked(expression: Expression, schema: Schema) -> Expression:
    for path in paths(expression):
        check_path(path.names, schema)
    return expression


def check_path(names: Sequence[str], schema: Schema) -> None:
    """Refuses a path that leads to no property."""
    for place, name in enumerate(names):
        if name in schema.properties or name in ID_NAMES:
            return
        relation = schema.relations.get(name)
        if relation is None:
            raise unusable("property_unknown", name="/".join(names[: place + 1]), kind=schema.kind)
        schema = SCHEMAS[relation.to]
    raise unusable("property_missing", name="/".join(names))


def asks_observations(expression: Expression, kind: Kind) -> bool:
    """Whether an expression of something else than Observations asks for them."""
    return kind is not Kind.OBSERVATION and any("Observations" in path.names for path in paths(expression))


def parts_of(expression: Expression | None) -> tuple[Expression, ...]:
    """What must all be true; nothing for no filter."""
    return () if expression is None else tuple(conjuncts(expression))


def is_path(expression: Expression, *names: str) -> bool:
    """Whether an expression is just this property."""
    return isinstance(expression, Path) and expression.names == names


_READERS: Mapping[str, Callable[[str, Schema, int], Mapping[str, Any]]] = {
    "$filter": lambda text, schema, _: {"filter": _checked(read_filter(text), schema)},
    "$orderby": lambda text, schema, _: {"order": tuple(_orderings(text, schema))},
    "$select": lambda text, schema, _: {"select": _select(text, schema)},
    "$expand": lambda text, schema, depth: {"expand": read_expand(text, schema, depth)},
    "$top": lambda text, _schema, _depth: {"top": _number("$top", text)},
    "$skip": lambda text, _schema, _depth: {"skip": _number("$skip", text)},
    "$count": lambda text, _schema, _depth: _simple("$count", text),
    "$resultFormat": lambda text, _schema, _depth: _simple("$resultFormat", text),
    "$skiptoken": lambda text, _schema, _depth: {"after": text},
}
