# SPDX-License-Identifier: Apache-2.0
"""Types and attributes of all sources (CIM 009 clauses 5.7.5 to 5.7.10)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from citybrain.doors.ngsild.answers import Media, json_answer
from citybrain.doors.ngsild.distribution import Distribution, Filter, again, params_of
from citybrain.doors.ngsild.forwarding import Ask, Asker, rewritten, segment
from citybrain.doors.ngsild.media import accepted
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.asking import Outcome
from citybrain.kernel.registrations.index import Wanted

LISTS = ("typeList", "attributeList")
SUMMED = ("entityCount", "attributeCount")
NAMES = ("typeList", "attributeList", "attributeNames", "typeNames", "typeName", "attributeName", "attributeDetails")


class Discovery:
    """Distributed discovery: each source tells what it has, and what several have is told once."""

    def __init__(self, distribution: Distribution) -> None:
        self._all = distribution

    def acting(self, what: str) -> Callable[[Request], Awaitable[Answer]]:
        """The endpoint for `/types` or `/attributes`, all of them or one."""

        async def endpoint(request: Request) -> Answer:
            return await self._act(request, what)

        return endpoint

    async def _act(self, request: Request, what: str) -> Answer:
        params = params_of(request)
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        city = self._all.city
        asker = Asker(request=request, tenant=city.new_tenant(request), context=await city.context(request))
        name = request.slots.get("type") or request.slots.get("attribute")
        operation = _operation(what, one=name is not None, details=params.get("details") == "true")
        found = (
            []
            if self._all.forwarding.has_seen(asker)
            else self._all.matching(asker, _wanted(what, name, asker.context), (operation,), Filter())
        )
        if not found:
            return await self._all.local(request)
        path = f"/{what}/{segment(name)}" if name else f"/{what}"
        asks = [Ask(match=match, method="GET", path=path, params=params) for match in found]
        replies = await asyncio.gather(*(self._all.forwarding.send(asker, ask) for ask in asks))
        local = await self._here(request)
        bodies = [local] if local is not None else []
        bodies += [
            _renamed(reply.body, context, asker.context)
            for reply, context in replies
            if reply.outcome is Outcome.ANSWERED
        ]
        warnings = [self._all.forwarding.warning(asker.tenant, reply.outcome) for reply, _ in replies]
        told = [warning for warning in warnings if warning]
        if not bodies:
            return self._all.with_warnings(await self._all.answered(request), told)
        merged = json_answer(_union(bodies), asker.context, media=accepted(request))
        return self._all.with_warnings(merged, told)

    async def _here(self, request: Request) -> Json:
        """What is known here, None when it is nothing; plain JSON, whatever the asker takes."""
        try:
            answer = await self._all.local(again(request, more={"accept": Media.JSON.value}))
        except Refusal:
            return None
        return msgspec.json.decode(answer.body) if answer.status == 200 else None


def _operation(what: str, *, one: bool, details: bool) -> str:
    """The name of the operation in clause 4.20."""
    kind = "EntityType" if what == "types" else "AttrType"
    if one:
        return f"retrieve{kind}Info"
    return f"retrieve{kind}Details" if details else f"retrieve{kind}s"


def _wanted(what: str, name: str | None, context: Context) -> Wanted:
    if name is None:
        return Wanted()
    if what == "types":
        return Wanted(types=(context.expand_type(name),))
    return Wanted(attributes=frozenset({context.expand(name)}))


def _union(bodies: Sequence[Json]) -> Json:
    """What all say, once: lists by their ids, objects member by member."""
    if all(isinstance(body, list) for body in bodies):
        return _by_id([each for body in bodies for each in body])
    objects = [body for body in bodies if isinstance(body, Mapping)]
    merged = dict(objects[0])
    for other in objects[1:]:
        for name, value in other.items():
            merged[name] = _together(name, merged.get(name), value)
    return merged


def _together(name: str, mine: Json, other: Json) -> Json:
    if mine is None:
        return other
    if name in SUMMED and isinstance(mine, int) and isinstance(other, int):
        return mine + other
    if not isinstance(mine, list) or not isinstance(other, list):
        return mine
    if any(isinstance(each, Mapping) for each in (*mine, *other)):
        return _by_id([*mine, *other])
    return sorted(dict.fromkeys([*mine, *other]))


def _by_id(several: Sequence[Json]) -> list[Json]:
    found: dict[str, list[Json]] = {}
    for each in several:
        if isinstance(each, Mapping) and isinstance(each.get("id"), str):
            found.setdefault(each["id"], []).append(each)
    return [_union(same) for same in found.values()]


def _renamed(body: Json, old: Context, new: Context) -> Json:
    """A source's answer in the terms of the asker."""
    if old is new:
        return _without_context(body)
    if isinstance(body, list):
        return [_renamed(each, old, new) for each in body]
    if not isinstance(body, Mapping):
        return body
    shown = {}
    for name, value in _without_context(body).items():
        shown[name] = _names(value, old, new) if name in NAMES else value
    return shown


def _names(value: Json, old: Context, new: Context) -> Json:
    if isinstance(value, str):
        return new.compact(old.expand(value))
    if isinstance(value, list):
        return [_names(each, old, new) if isinstance(each, str) else _renamed(each, old, new) for each in value]
    return rewritten(value, old, new)


def _without_context(body: Json) -> Json:
    if isinstance(body, list):
        return [_without_context(each) for each in body]
    return {name: value for name, value in body.items() if name != "@context"} if isinstance(body, Mapping) else body
