# SPDX-License-Identifier: Apache-2.0
"""Entity maps: which entities a query found, and where; its pages stand still (CIM 009 clauses 5.5.14, 5.14)."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData, ResourceNotFound, json_answer, no_content
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities.names import check_time, check_uri
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.records import Json

HERE = "@none"
USUAL_LIFE = timedelta(hours=1)
LONGEST_LIFE = timedelta(hours=24)
# Maps are an aid that anyone may ask for: the oldest make room.
MOST = 1000
DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
DAYS_OF = (365, 30, 7, 1)


class EntityMap(msgspec.Struct, kw_only=True):
    """One map (clause 5.2.39): for each entity the registrations it came by, `@none` for what is here."""

    id: str
    tenant: str
    expires_at: datetime
    sources: dict[str, list[str]]

    def shown(self) -> dict[str, Json]:
        """In wire form."""
        return {
            "id": self.id,
            "type": "EntityMap",
            "expiresAt": text_of(self.expires_at),
            "entityMap": self.sources,
            "linkedMaps": {},
        }


class Maps:
    """All maps. They are kept in memory: one that is gone is made again when it is used (clause 5.7.2.4)."""

    def __init__(self) -> None:
        self._maps: OrderedDict[str, EntityMap] = OrderedDict()

    def add(self, made: EntityMap) -> None:
        """Keep a map; the oldest makes room when there are too many."""
        self._maps[made.id] = made
        while len(self._maps) > MOST:
            self._maps.popitem(last=False)

    def find(self, tenant: str, id: str, now: datetime) -> EntityMap | None:
        """A map that has not expired; each tenant has its own (clauses 4.14, 5.5.14)."""
        found = self._maps.get(id)
        if found is None or found.tenant != tenant:
            return None
        if found.expires_at <= now:
            del self._maps[id]
            return None
        return found

    def remove(self, id: str) -> None:
        """Forget one."""
        self._maps.pop(id, None)


def life_of(params: Mapping[str, str]) -> timedelta:
    """How long a map is wanted to live; no longer than this broker keeps them (table 6.4.3.2-1)."""
    said = params.get("entityMapLifetime")
    if said is None:
        return USUAL_LIFE
    match = DURATION.fullmatch(said)
    if match is None:
        raise BadRequestData("ngsild.not_a_duration", {"name": "entityMapLifetime", "value": said})
    numbers = [float(each or 0) for each in match.groups()]
    days = sum(number * length for number, length in zip(numbers, DAYS_OF, strict=False))
    seconds = numbers[4] * 3600 + numbers[5] * 60 + numbers[6]
    return min(timedelta(days=min(days, 36_500), seconds=min(seconds, 10**9)), LONGEST_LIFE)


def map_id(request: Request) -> str:
    """The map that a request names in its header; it is a location, of which the last part is the id."""
    return request.headers.get("ngsild-entitymap", "").rstrip("/").rsplit("/", 1)[-1]


def routes(city: Served, maps: Maps) -> Sequence[Route]:
    """`/entityMaps/{id}`."""

    def existing(request: Request) -> EntityMap:
        id = check_uri("id", request.slots["id"])
        found = maps.find(city.tenant(request), id, city.now())
        if found is None:
            raise ResourceNotFound("ngsild.no_such_map", {"id": id})
        return found

    async def retrieve(request: Request) -> Answer:
        """One map (clause 5.14.1)."""
        media = accepted(request)
        context = await city.context(request)
        return json_answer(existing(request).shown(), context, media=media)

    async def update(request: Request) -> Answer:
        """When a map expires; all else of it is made by the broker and passed over (clause 5.14.2)."""
        payload = await city.payload(request, patch=True)
        found = existing(request)
        body = payload.json if isinstance(payload.json, dict) else {}
        if "expiresAt" in body:
            wanted = datetime.fromisoformat(check_time("expiresAt", body["expiresAt"])).astimezone(UTC)
            found.expires_at = min(wanted, city.now() + LONGEST_LIFE)
        return no_content()

    async def delete(request: Request) -> Answer:
        """Forget a map (clause 5.14.3)."""
        maps.remove(existing(request).id)
        return no_content()

    return [
        Route("GET", "/entityMaps/{id}", retrieve),
        Route("PATCH", "/entityMaps/{id}", update),
        Route("DELETE", "/entityMaps/{id}", delete),
    ]
