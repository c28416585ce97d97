# SPDX-License-Identifier: Apache-2.0
"""A question about entities, as parameters or the body of a Query ask it (CIM 009 clauses 5.7.2, 5.2.23)."""

import re
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from citybrain.kernel.entities.expressions import Expression, paths
from citybrain.kernel.entities.geometry import GeoQuery, Relation, read_geometry
from citybrain.kernel.entities.names import is_uri
from citybrain.kernel.entities.ordering import Ordering, read_ordering
from citybrain.kernel.entities.parsing import TIMES, read_expression
from citybrain.kernel.entities.patterns import compiled
from citybrain.kernel.entities.projection import read_projection
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.selection import Scopes, Types, read_scopes, read_types
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

_ATTRIBUTE = re.compile(r"@?[^\W\d][\w-]*(?::[^\s,;|()\"<>{}]+)?")
_DISTANCE = re.compile(r"(maxDistance|minDistance)==(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII)
_NOT_ATTRIBUTES = frozenset({"id", "type", "scope", "@context", "@id", "@type"})
_OF_SYSTEM = TIMES | {"id", "type", "scope", "unitCode", "datasetId"}


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Which entities are meant by what they are: by type, and by id, or else by a pattern of their id."""

    types: Types | None = None
    ids: tuple[str, ...] = ()
    id_pattern: str = ""


class EntityQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A question about entities: one of `selectors` is met (if there are any), and everything else that is given.

    `attributes`: at least one of these is there. `dataset_ids` filters instances of attributes, not entities.
    `ordering` says in which order the answer stands; without one entities stand in the order of their creation.
    """

    selectors: tuple[Selector, ...] = ()
    attributes: tuple[str, ...] = ()
    q: Expression | None = None
    scopes: Scopes | None = None
    geo: GeoQuery | None = None
    dataset_ids: tuple[str, ...] = ()
    ordering: Ordering | None = None

    @property
    def ids(self) -> frozenset[str] | None:
        """The only ids that can be met; None if any can."""
        if not self.selectors or not all(each.ids for each in self.selectors):
            return None
        return frozenset(id for each in self.selectors for id in each.ids)

    @property
    def type_names(self) -> frozenset[str] | None:
        """Types of which a met entity has at least one; None if it may have any."""
        if not self.selectors or any(each.types is None or not each.types.any_of for each in self.selectors):
            return None
        return frozenset().union(*(each.types.names for each in self.selectors if each.types))

    @property
    def linked_depth(self) -> int:
        """How many entities away the farthest value is that `q` asks for."""
        return max((path.depth for path in paths(self.q)), default=0) if self.q else 0


def read_query(params: Mapping[str, str], context: Context) -> EntityQuery:
    """The question that parameters of a request ask (clause 6.4.3.2); parameters that ask for a form are not read here.

    Read are type, id, idPattern, attrs, pick, q, expandValues, jsonKeys, scopeQ, georel, geometry, coordinates,
    geoproperty, datasetId, orderBy, orderFrom, orderGeometry, collation. Refuses `BadRequestData`, with the parameter
    and the position of what is wrong, and `TooComplexQuery`.
    """
    selector = Selector(
        types=read_types(params["type"], context) if params.get("type") else None,
        ids=_uris(_split(params.get("id", "")), "id"),
        id_pattern=_pattern(params.get("idPattern", "")) if not params.get("id") else "",
    )
    is_any = selector == Selector()
    return EntityQuery(
        selectors=() if is_any else (selector,),
        attributes=_wanted(_split(params.get("attrs", "")), params.get("pick", ""), context),
        q=_question(params, context),
        scopes=read_scopes(params["scopeQ"]) if params.get("scopeQ") else None,
        geo=read_geo(params, context),
        dataset_ids=_datasets(_split(params.get("datasetId", ""))),
        ordering=read_ordering(params, context),
    )


def read_query_body(body: Mapping[str, Json], context: Context) -> EntityQuery:
    """The question that the body of a Query (clause 5.2.23) or of a Subscription asks.

    Read are entities, attrs, pick, q, expandValues, jsonKeys, scopeQ, geoQ, datasetId, ordering.
    Refuses as `read_query`.
    """
    ordering = body.get("ordering")
    return EntityQuery(
        selectors=read_selectors(body["entities"], context) if "entities" in body else (),
        attributes=_wanted(_texts(body.get("attrs"), "attrs"), _joined(body.get("pick"), "pick"), context),
        q=_question({name: _joined(body[name], name) for name in _QUESTION if name in body}, context),
        scopes=read_scopes(_text(body["scopeQ"], "scopeQ")) if body.get("scopeQ") is not None else None,
        geo=read_geo(_object(body["geoQ"], "geoQ"), context) if body.get("geoQ") is not None else None,
        dataset_ids=_datasets(_texts(body.get("datasetId"), "datasetId")),
        ordering=read_ordering(_object(ordering, "ordering"), context, is_body=True) if ordering is not None else None,
    )


_QUESTION = ("q", "expandValues", "jsonKeys")


def read_selectors(given: Json, context: Context) -> tuple[Selector, ...]:
    """The EntitySelectors of a body (clause 5.2.33): type is a must, id (one or several) goes before idPattern."""
    if not isinstance(given, list) or not given:
        raise BadRequestData("kernel.parameter_unusable", {"parameter": "entities", "value": str(given)[:100]})
    return tuple(_selector(_object(each, "entities"), context) for each in given)


def read_attributes(names: Sequence[str], context: Context, *, parameter: str = "attrs") -> tuple[str, ...]:
    """Internal names of attributes. Refuses what cannot be the name of an attribute."""
    for name in names:
        if name in _NOT_ATTRIBUTES or not _ATTRIBUTE.fullmatch(name):
            raise BadRequestData("kernel.parameter_unusable", {"parameter": parameter, "value": name[:100]})
    return tuple(dict.fromkeys(context.expand(name) for name in names))


def read_geo(params: Mapping[str, Json], context: Context) -> GeoQuery | None:
    """What georel, geometry, coordinates and geoproperty ask about place (clause 4.10); None if nothing."""
    given = [name for name in ("georel", "geometry", "coordinates") if params.get(name) not in (None, "")]
    if not given:
        return None
    if len(given) < 3:
        missing = next(name for name in ("georel", "geometry", "coordinates") if name not in given)
        raise BadRequestData("kernel.parameter_missing", {"parameter": missing, "with": given[0]})
    relation, at_most_m, at_least_m = _relation(_text(params["georel"], "georel"))
    name = _text(params.get("geoproperty") or "location", "geoproperty")
    return GeoQuery(
        relation=relation,
        geometry=read_geometry(_text(params["geometry"], "geometry"), params["coordinates"]),
        name=read_attributes((name,), context, parameter="geoproperty")[0],
        at_most_m=at_most_m,
        at_least_m=at_least_m,
    )


def require_narrow(query: EntityQuery) -> None:
    """Refuse a question that asks for everything (clause 5.7.2.4).

    It must name a type, an attribute that is not the system's, a q with such an attribute, or a place.
    """
    named = [*query.attributes, *(path.names[0] for path in paths(query.q))] if query.q else [*query.attributes]
    is_narrow = (
        any(each.types is not None for each in query.selectors)
        or any(name not in _OF_SYSTEM for name in named)
        or query.geo is not None
    )
    if not is_narrow:
        raise BadRequestData("kernel.query_too_wide", {})


def require_join(query: EntityQuery, join_level: int) -> None:
    """Refuse a q that looks farther along Relationships than `join_level`, 0 for no join (clause 5.7.2.4)."""
    if query.linked_depth > join_level:
        raise BadRequestData("kernel.query_beyond_join", {"depth": query.linked_depth, "join_level": join_level})


def _wanted(attributes: Sequence[str], pick: str, context: Context) -> tuple[str, ...]:
    """Attributes of which an entity must have one: those of `attrs`, or those picked if nothing else is picked."""
    if not pick:
        return read_attributes(attributes, context)
    picked = read_projection(pick, context, parameter="pick").inside
    return () if attributes or any(name in _NOT_ATTRIBUTES for name in picked) else tuple(picked)


def _question(params: Mapping[str, str], context: Context) -> Expression | None:
    expanded = read_attributes(_split(params.get("expandValues", "")), context, parameter="expandValues")
    read_attributes(_split(params.get("jsonKeys", "")), context, parameter="jsonKeys")
    text = params.get("q", "")
    return read_expression(text, context, expand_values=expanded) if text else None


def _relation(text: str) -> tuple[Relation, float | None, float | None]:
    name, _, rest = text.partition(";")
    found = _DISTANCE.fullmatch(rest.strip()) if rest else None
    is_near = name.strip() == Relation.NEAR
    distance = float(found[2]) if found else 0.0
    if name.strip() not in set(Relation) or is_near is not (found is not None) or (rest and not found):
        raise BadRequestData("kernel.parameter_unusable", {"parameter": "georel", "value": text[:100]})
    if found is None:
        return Relation(name.strip()), None, None
    if not 0 < distance < inf:
        raise BadRequestData("kernel.parameter_unusable", {"parameter": "georel", "value": text[:100]})
    return (
        Relation.NEAR,
        distance if found[1] == "maxDistance" else None,
        distance if found[1] == "minDistance" else None,
    )


def _selector(given: Mapping[str, Json], context: Context) -> Selector:
    if not given.get("type"):
        raise BadRequestData("kernel.parameter_missing", {"parameter": "type", "with": "entities"})
    ids = _uris(_texts(given.get("id"), "id"), "id")
    pattern = _text(given.get("idPattern") or "", "idPattern")
    types = read_types(_joined(given["type"], "type"), context)
    return Selector(types=types, ids=ids, id_pattern="" if ids else _pattern(pattern))


def _pattern(text: str) -> str:
    if text:
        compiled(text, "idPattern")
    return text


def _datasets(given: Sequence[str]) -> tuple[str, ...]:
    """Dataset ids, "" being the default instance (`@none`)."""
    _uris([each for each in given if each != "@none"], "datasetId")
    return tuple("" if each == "@none" else each for each in given)


def _uris(given: Sequence[str], parameter: str) -> tuple[str, ...]:
    for each in given:
        if not is_uri(each):
            raise BadRequestData("kernel.parameter_unusable", {"parameter": parameter, "value": each[:100]})
    return tuple(given)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _texts(given: Json, parameter: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        return _split(given)
    if isinstance(given, list) and given and all(isinstance(each, str) for each in given):
        return tuple(given)
    raise BadRequestData("kernel.parameter_unusable", {"parameter": parameter, "value": str(given)[:100]})


def _joined(given: Json, parameter: str) -> str:
    return given if isinstance(given, str) else ",".join(_texts(given, parameter))


def _text(given: Json, parameter: str) -> str:
    if not isinstance(given, str):
        raise BadRequestData("kernel.parameter_unusable", {"parameter": parameter, "value": str(given)[:100]})
    return given


def _object(given: Json, parameter: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadRequestData("kernel.parameter_unusable", {"parameter": parameter, "value": str(given)[:100]})
    return given
