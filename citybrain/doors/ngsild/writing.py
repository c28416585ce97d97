# SPDX-License-Identifier: Apache-2.0
"""What the endpoints that write have in common: the entity that is meant, and how the outcome is told."""

from collections.abc import Mapping

from citybrain.doors.ngsild.answers import ResourceNotFound, json_answer, no_content
from citybrain.doors.ngsild.params import options
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.selection import read_types
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.verbs import Applied
from citybrain.kernel.ld.context import Context, full_iri

SIMPLIFIED = frozenset({"keyValues", "simplified"})


def entity_id(request: Request) -> str:
    """The identifier in the path; refuses what is no URI."""
    return check_uri("id", request.slots["id"])


def existing(city: Served, request: Request, params: Mapping[str, str], context: Context) -> Document:
    """The entity in the path as it is now; refuses one that is not there, or not of the type that `type` names."""
    id = entity_id(request)
    document: Document | None = city.documents.get(city.tenant(request), id)
    if document is None:
        raise ResourceNotFound("ngsild.no_such_entity", {"id": id})
    if "type" in params and not read_types(params["type"], context).select(document.types):
        raise ResourceNotFound("ngsild.other_type", {"id": id, "type": params["type"][:100]})
    return document


def desk(city: Served, request: Request, tenant: str | None = None) -> Desk:
    """Where the city's entities are written, as of now: in the request's tenant, unless one is given."""
    return Desk(documents=city.documents, tenant=city.tenant(request) if tenant is None else tenant, at=city.now())


def check_type(city: Served, request: Request, params: Mapping[str, str], context: Context) -> None:
    """Refuse an entity that is not of the type that `type` names, if it does (clause 4.17)."""
    if "type" in params:
        existing(city, request, params, context)


def is_simplified(params: dict[str, str]) -> bool:
    """Whether a body comes as bare values (clause 4.5.4)."""
    return params.get("format") in SIMPLIFIED or bool(options(params) & SIMPLIFIED)


def update_result(city: Served, request: Request, applied: Applied, context: Context) -> Answer:
    """204 when all was taken, else 207 with what was and what was not, and why (clause 5.2.18)."""
    if not applied.not_updated:
        return no_content()
    lang = city.language(request)
    body = {
        "updated": [_told(name) for name in applied.updated],
        "notUpdated": [
            {
                "attributeName": _told(name),
                "reason": city.words.sentence(code, {"member": context.compact(name)}, lang),
            }
            for name, code in applied.not_updated
        ],
    }
    return json_answer(body, status=207)


def _told(name: str) -> str:
    """A name in a result: full, for results come without a context."""
    return name if name in ("type", "scope") else full_iri(name)
