# SPDX-License-Identifier: Apache-2.0
"""What is observed in columns, as attributes of the documents it belongs to."""

from collections.abc import Collection, Mapping

import msgspec

from citybrain.kernel.app import Attribute
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.times import text_of, to_us, us_of
from citybrain.kernel.pool.current import Current
from citybrain.kernel.pool.slots import Directory

# Codes of units (UN/CEFACT Recommendation 20) for the units that doors and apps declare; what is counted is "one".
UNIT_CODES = {"km/h": "KMH", "m/s": "MTS", "m": "MTR", "km": "KMT", "s": "SEC", "min": "MIN", "%": "P1", "veh": "C62"}


class Overlay:
    """Implements `documents.Observed` for the declared attributes of the pool."""

    def __init__(self, declared: Mapping[str, tuple[Attribute, ...]], directory: Directory, current: Current) -> None:
        self._declared = declared
        self._directory = directory
        self._current = current
        self._by_types: dict[tuple[str, ...], dict[str, Attribute]] = {}

    def names(self, types: tuple[str, ...]) -> Collection[str]:
        """The attributes of these types that may have values in columns."""
        return self._attributes(types)

    def over(self, document: Document) -> Document:
        """The document with the values of the columns where they are newer; "not known" is no attribute."""
        attributes = dict(document.attributes)
        for name, attribute in self._attributes(document.types).items():
            newest = self._current.value(self._directory.slot(document.id, name))
            if newest is None:
                continue
            value, seen = newest
            kept = next((each for each in attributes.get(name, ()) if not each.dataset_id), None)
            if kept and kept.observed_at and us_of(kept.observed_at) > to_us(seen.observed_at):
                continue
            others = tuple(each for each in attributes.pop(name, ()) if each.dataset_id)
            shown = (*_instances(value, attribute, text_of(seen.observed_at), kept), *others)
            if shown:
                attributes[name] = shown
        return msgspec.structs.replace(document, attributes=attributes)

    def _attributes(self, types: tuple[str, ...]) -> Mapping[str, Attribute]:
        known = self._by_types.get(types)
        if known is None:
            known = self._by_types[types] = {each.name: each for type in types for each in self._declared.get(type, ())}
        return known


def _instances(value: object, attribute: Attribute, at: str, kept: Instance | None) -> tuple[Instance, ...]:
    """The instance of a value; none when it is not known or, like tracks, for the brain only."""
    if not isinstance(value, str | int | float):
        return ()
    return (
        Instance(
            type=AttributeType.PROPERTY,
            value=value,
            observed_at=at,
            unit_code=UNIT_CODES.get(attribute.unit, ""),
            created_at=kept.created_at if kept else at,
            modified_at=at,
        ),
    )
