# SPDX-License-Identifier: Apache-2.0
"""What became of the parts of a distributed write, told as one answer (CIM 009 clauses 5.2.16 to 5.2.19, 6.3.17)."""

from collections.abc import Mapping, Sequence

import msgspec

from citybrain.doors.ngsild.answers import ERRORS, json_answer
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.asking import Reply
from citybrain.kernel.registrations.model import Registration

# What of a single source's failure is told as it is (clause 6.3.17); all else is a bad gateway.
TOLD_AS_IS = frozenset({404, 409, 504, 508})
TYPES: Mapping[int, str] = {
    400: "BadRequestData",
    404: "ResourceNotFound",
    409: "AlreadyExists",
    422: "OperationNotSupported",
}
MULTI = 207
# Statuses for which the standard has no type of its own, but which have a title.
GATEWAY = frozenset({502, 504, 508})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one part: here (no registration) or at a source; of these attributes, by the request's terms."""

    status: int
    terms: tuple[str, ...] = ()
    registration_id: str = ""
    problem: Mapping[str, Json] | None = None
    body: Json = None

    @property
    def is_good(self) -> bool:
        """Whether it was carried out, and in full."""
        return self.status < 300 and self.status != MULTI


class Telling:
    """Makes parts of answers and replies, and one answer of parts."""

    def __init__(self, city: Served) -> None:
        self._city = city

    def here(self, answer: Answer, terms: Sequence[str]) -> Part:
        """This broker's own part."""
        body = msgspec.json.decode(answer.body) if answer.body else None
        problem = body if answer.status >= 400 and isinstance(body, dict) else None
        return Part(status=answer.status, terms=tuple(terms), problem=problem, body=body)

    def there(self, request: Request, registration: Registration, reply: Reply, terms: Sequence[str]) -> Part:
        """A source's part."""
        status = reply.status
        if registration.mode.is_proxied and status >= 300 and status not in TOLD_AS_IS:
            status = 502
        problem = None
        if status >= 300 or status == MULTI:
            problem = self.problem(
                request, status, "ngsild.source_failed", {"endpoint": registration.endpoint, "status": reply.status}
            )
        return Part(
            status=status,
            terms=tuple(terms),
            registration_id=registration.id,
            problem=problem,
            body=reply.body,
        )

    def refusing(self, request: Request, registration: Registration, operation: str, terms: Sequence[str]) -> Part:
        """The part of a source that holds something alone and does not take the operation: a conflict."""
        facts = {"id": registration.id, "operation": operation}
        problem = self.problem(request, 409, "ngsild.source_does_not_take", facts, type="Conflict")
        return Part(status=409, terms=tuple(terms), registration_id=registration.id, problem=problem)

    def problem(
        self, request: Request, status: int, code: str, facts: Mapping[str, Json], *, type: str = ""
    ) -> dict[str, Json]:
        """ProblemDetails for a status."""
        lang = self._city.language(request)
        kind = type or TYPES.get(status, "InternalError")
        title = self._city.words.sentence(f"ngsild.title.{status if status in GATEWAY else kind}", {}, lang)
        detail = self._city.words.sentence(code, facts, lang)
        return {"type": f"{ERRORS}{kind}", "title": title, "detail": detail, "status": status}

    def loop(self, request: Request) -> Answer:
        """508: what is held elsewhere alone leads back here (clause 6.3.17)."""
        return json_answer(self.problem(request, 508, "ngsild.loop", {}), status=508)

    def of_entity(self, id: str, parts: Sequence[Part], good: Answer) -> Answer:
        """One answer for an operation on an entity: all good, one failure as it is, or a BatchOperationResult."""
        failed = [part for part in parts if not part.is_good]
        if not failed:
            return good
        if len(parts) == 1 and failed[0].status != MULTI:
            return json_answer(failed[0].problem, status=failed[0].status)
        success = [id] if len(failed) < len(parts) else []
        return json_answer({"success": success, "errors": [error_of(id, part) for part in failed]}, status=MULTI)

    def of_attributes(self, parts: Sequence[Part], good: Answer) -> Answer:
        """One answer for an operation on attributes: all good, one failure as it is, or an UpdateResult."""
        failed = [part for part in parts if not part.is_good]
        if not failed:
            return good
        if len(parts) == 1 and failed[0].status != MULTI:
            return json_answer(failed[0].problem, status=failed[0].status)
        updated: dict[str, None] = {}
        not_updated: list[Json] = []
        for part in parts:
            good_terms, bad = _of_update(part)
            updated.update(dict.fromkeys(good_terms))
            not_updated += bad
        return json_answer({"updated": list(updated), "notUpdated": not_updated}, status=MULTI)


def error_of(id: str, part: Part) -> dict[str, Json]:
    """A BatchEntityError (clause 5.2.17)."""
    error: dict[str, Json] = {
        "entityId": id,
        "error": part.problem or {"type": f"{ERRORS}InternalError", "status": part.status},
    }
    if part.registration_id:
        error["registrationId"] = part.registration_id
    return error


def _of_update(part: Part) -> tuple[Sequence[str], list[Json]]:
    if part.is_good:
        return part.terms, []
    body = part.body
    if part.status == MULTI and isinstance(body, dict) and isinstance(body.get("notUpdated"), list):
        return body.get("updated", []), [_not_updated(each, part) for each in body["notUpdated"]]
    reason = str((part.problem or {}).get("detail", part.status))
    return [], [_not_updated({"attributeName": term, "reason": reason}, part) for term in part.terms]


def _not_updated(details: Mapping[str, Json], part: Part) -> dict[str, Json]:
    """NotUpdatedDetails (clause 5.2.19) say of which registration they are."""
    return {**details, "registrationId": part.registration_id} if part.registration_id else dict(details)
