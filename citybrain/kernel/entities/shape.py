# SPDX-License-Identifier: Apache-2.0
"""In which shape entities are asked for: representation, projection, language, instances (CIM 009 clauses 4.5, 6.3)."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from citybrain.kernel.entities.language import read_ranges
from citybrain.kernel.entities.names import check_uri, is_name, shown
from citybrain.kernel.entities.projection import Projection, read_projection
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import Context


class Format(StrEnum):
    """The representations of an entity (clauses 4.5.1, 4.5.2.3, 4.5.4)."""

    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How entities are shown. Names are internal; what is None or empty asks for nothing special.

    `geojson` is set by who knows the media type that is wanted. `dataset_ids` has "" for the default instance.
    `attributes` is the older filter `attrs`: only these attributes, with id and type.
    """

    format: Format = Format.NORMALIZED
    sys_attrs: bool = False
    pick: Projection | None = None
    omit: Projection | None = None
    attributes: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    dataset_ids: frozenset[str] = frozenset()
    geojson: bool = False
    geometry_property: str = "location"

    @property
    def needs_joining(self) -> bool:
        """It asks for members of linked entities: refused by who does not join them (clause 5.7.1.4)."""
        return any(part is not None and part.has_linked for part in (self.pick, self.omit))


AS_IS = Shape()

_FORMATS: Mapping[str, Format] = {
    "normalized": Format.NORMALIZED,
    "concise": Format.CONCISE,
    "simplified": Format.SIMPLIFIED,
    "keyValues": Format.SIMPLIFIED,
}
_SYS_ATTRS = "sysAttrs"


def read_shape(params: Mapping[str, str], context: Context) -> Shape:
    """The shape that query parameters ask for: format, options, pick, omit, attrs, lang, datasetId,
    geometryProperty. Parameters that say nothing of the shape are passed over.

    `format` goes before `options` (clause 6.3.7). Refuses unknown formats, pick or omit together with attrs, the same
    member picked and omitted, both, naming the parameter.
    """
    options = frozenset(_split(params.get("options", "")))
    pick, omit = _projection(params, "pick", context), _projection(params, "omit", context)
    attributes = _names(params, "attrs", context)
    if attributes and (pick or omit):
        raise BadRequestData("kernel.shape_contradicts", {"parameter": "attrs", "other": "pick" if pick else "omit"})
    _check_disjoint(pick, omit)
    geometry = params.get("geometryProperty", "")
    return Shape(
        format=_format(params.get("format", ""), options),
        sys_attrs=_SYS_ATTRS in options or _SYS_ATTRS in _split(params.get("format", "")),
        pick=pick,
        omit=omit,
        attributes=attributes,
        languages=read_ranges(params["lang"]) if params.get("lang") else (),
        dataset_ids=frozenset("" if id == "@none" else check_uri("datasetId", id) for id in _list(params, "datasetId")),
        geometry_property=_name("geometryProperty", geometry, context) if geometry else "location",
    )


def _split(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def _list(params: Mapping[str, str], parameter: str) -> list[str]:
    """The members of a list parameter. Refuses an empty one among others."""
    text = params.get(parameter, "")
    pieces = [piece.strip() for piece in text.split(",")] if text else []
    if "" in pieces:
        raise BadRequestData(
            "kernel.projection_unreadable", {"parameter": parameter, "position": 0, "value": shown(text)}
        )
    return pieces


def _format(text: str, options: frozenset[str]) -> Format:
    """Clause 6.3.7: the format parameter, else what the options say, else normalized."""
    named = [piece for piece in _split(text) if piece != _SYS_ATTRS]
    if any(piece not in _FORMATS for piece in named):
        raise BadRequestData("kernel.format_unknown", {"value": shown(text)})
    wanted = {_FORMATS[piece] for piece in named or options if piece in _FORMATS}
    if len(wanted) > 1:
        raise BadRequestData("kernel.formats_contradict", {"value": shown(", ".join(sorted(named or options)))})
    return wanted.pop() if wanted else Format.NORMALIZED


def _projection(params: Mapping[str, str], parameter: str, context: Context) -> Projection | None:
    text = params.get(parameter)
    return None if text is None else read_projection(text, context, parameter=parameter)


def _check_disjoint(pick: Projection | None, omit: Projection | None) -> None:
    """Clause 4.21: one member cannot be picked and omitted as a whole."""
    if pick is None or omit is None:
        return
    for name, below in omit.inside.items():
        if not below.inside and name in pick:
            raise BadRequestData("kernel.picked_and_omitted", {"member": name})


def _names(params: Mapping[str, str], parameter: str, context: Context) -> frozenset[str]:
    return frozenset(_name(parameter, term, context) for term in _list(params, parameter))


def _name(parameter: str, term: str, context: Context) -> str:
    if not is_name(term):
        raise BadRequestData("kernel.name_invalid", {"member": parameter, "name": shown(term)})
    return context.expand(term)
