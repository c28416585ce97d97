# SPDX-License-Identifier: Apache-2.0
"""Whether an entity is what a question asks for (CIM 009 clause 5.7.2.4). Pure; other entities come by `look_up`."""

from citybrain.kernel.entities.comparing import holds
from citybrain.kernel.entities.document import AttributeType, Document
from citybrain.kernel.entities.expressions import AllOf, AnyOf, Exists, Expression
from citybrain.kernel.entities.geometry import GeoQuery, lies
from citybrain.kernel.entities.patterns import compiled
from citybrain.kernel.entities.query import EntityQuery, Selector
from citybrain.kernel.entities.targets import LookUp, targets


def nobody(_id: str) -> None:
    """A `look_up` for questions that follow no Relationship, or where no other entity can be reached."""


def matches(document: Document, query: EntityQuery, *, look_up: LookUp = nobody) -> bool:
    """The entity is asked for. `look_up` gives the entities that Relationships point to."""
    return (
        (not query.selectors or any(selects(document, each) for each in query.selectors))
        and (not query.attributes or any(name in document.attributes for name in query.attributes))
        and (query.scopes is None or query.scopes.select(document.scopes))
        and (query.geo is None or is_there(document, query.geo))
        and (query.q is None or is_true(document, query.q, look_up))
    )


def selects(document: Document, selector: Selector) -> bool:
    """The entity is of the types and ids of a selector."""
    return (selector.types is None or selector.types.select(document.types)) and names(document.id, selector)


def names(id: str, selector: Selector) -> bool:
    """The id is one of those of a selector, or meets its pattern; any does if it has neither."""
    if selector.ids:
        return id in selector.ids
    return not selector.id_pattern or compiled(selector.id_pattern, "idPattern").search(id) is not None


def is_there(document: Document, geo: GeoQuery) -> bool:
    """A GeoProperty of the entity lies as asked; an entity without it never does (clause 4.10)."""
    return any(
        instance.type is AttributeType.GEO_PROPERTY and lies(instance.value, geo)
        for instance in document.attributes.get(geo.name, ())
    )


def is_true(document: Document, expression: Expression, look_up: LookUp = nobody) -> bool:
    """What the expression says is true of the entity.

    A value that is not there makes every comparison false, `!=` included; only `!a` is true then.
    """
    if isinstance(expression, AllOf):
        return all(is_true(document, term, look_up) for term in expression.terms)
    if isinstance(expression, AnyOf):
        return any(is_true(document, term, look_up) for term in expression.terms)
    found = targets(document, expression.path, look_up)
    if isinstance(expression, Exists):
        return (next(found, None) is not None) is expression.wanted
    return any(holds(target, expression.operator, expression.operand) for target in found)
