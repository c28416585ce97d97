# SPDX-License-Identifier: Apache-2.0
"""Routes for the audit power: looking into the log, verifying it, taking it out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from citybrain.kernel import audit
from citybrain.kernel.audit import Audit, AuditEntry, AuditLink, AuditQuery, Finding
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

AnyRequest = Request[Any, Any, Any]


class BadAuditQuery(Invalid):
    """What is asked of the log cannot be asked."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found; `public_key` (hex) is for those who verify an export elsewhere."""

    whole: bool
    entries: int
    waiting: int
    seals: int
    sealed: int
    head: str
    flaws: int
    findings: Sequence[Finding]
    public_key: str


def _audit(state: State) -> Audit:
    found: Audit = state.store.audit
    return found


def _shown(entry: AuditEntry) -> Mapping[str, Json]:
    return {**msgspec.structs.asdict(entry), "facts": msgspec.json.decode(entry.facts or "null")}


@get("/api/audit", opt={"permission": "audit.view"})
async def entries(state: State, request: AnyRequest) -> Sequence[Mapping[str, Json]]:
    """The newest entries that fit, newest first: actor, act, object, department, since, until, words, before, limit."""
    return [_shown(entry) for entry in await _audit(state).search(request.state.actor, _asked(request.query_params))]


def _asked(params: Mapping[str, str]) -> AuditQuery:
    given = {name: value for name, value in params.items() if value}
    unknown = sorted(set(given) - set(AuditQuery.__struct_fields__))
    if unknown:
        raise BadAuditQuery("serve.audit_query_unusable", {"why": ", ".join(unknown)})
    try:
        query = msgspec.convert(given, AuditQuery, strict=False)
    except msgspec.ValidationError as problem:
        raise BadAuditQuery("serve.audit_query_unusable", {"why": str(problem)}) from problem
    if any(at is not None and at.tzinfo is None for at in (query.since, query.until)) or "\0" in "".join(
        given.values()
    ):
        raise BadAuditQuery("serve.audit_query_unusable", {"why": "since, until"})
    return query


@get("/api/audit/{number:int}/link", opt={"permission": "audit.view"})
async def link(state: State, number: FromPath[int]) -> AuditLink | None:
    """The hash of one entry, the one before it, and the seal over both; null until the entry is in the chain."""
    return await audit.link_of(_audit(state).db, number)


@get("/api/audit/verify", opt={"permission": "audit.view"})
async def verify(state: State) -> Verified:
    """Read the whole log and say whether anything was changed, and where first."""
    report = await _audit(state).verify()
    key = _audit(state).keys.public_key().hex()
    return Verified(**msgspec.structs.asdict(report), public_key=key)


@get("/api/audit/export", opt={"permission": "audit.view"}, media_type="application/jsonl")
async def export(
    state: State,
    request: AnyRequest,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Stream:
    """The chained entries of a time as JSON lines with their hashes."""
    found = _audit(state)
    async with found.db.transaction() as transaction:
        facts = {"since": since, "until": until}
        await audit.record(transaction, actor=request.state.actor, act="audit.export", object="audit", facts=facts)
    lines = audit.export(found.db, since=since, until=until)
    return Stream(
        lines, media_type="application/jsonl", headers={"Content-Disposition": "attachment; filename=audit.jsonl"}
    )


ROUTES = (entries, link, verify, export)
