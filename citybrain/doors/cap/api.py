# SPDX-License-Identifier: Apache-2.0
"""What officers see and do: warnings of every scope, who is in their areas, and letting the city's own out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.doors.cap import desk, quarantine, service, store, trusted
from citybrain.doors.cap.app import ISSUE, MOST_IN_FEED, NoSuchAlert, status_of
from citybrain.doors.cap.desk import AlertView
from citybrain.doors.cap.drafting import Draft, sender_of
from citybrain.doors.cap.quarantine import State as Aside
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import EVERY_SCOPE, Kept
from citybrain.doors.cap.trust import at_start
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Json
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import address_of

RESTRICTED, INSIDE, QUARANTINE = "cap.restricted", "cap.inside", "cap.quarantine"


class InsideView(msgspec.Struct, frozen=True, kw_only=True):
    """Entities in the area of a message; `is_all` is false when there are more."""

    type: str
    count: int
    is_all: bool
    entities: Sequence[Json]


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person decides on a message that was kept aside, and why."""

    decision: Literal["release", "discard"]
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


@get("/api/cap/alerts", opt={"permission": RESTRICTED})
async def alerts(state: State, status: FromQuery[str] = "Actual", ended: FromQuery[bool] = False) -> Sequence[Json]:
    """Warnings of every scope in force, with `ended` those that are over; the newest first, 200 at most."""
    now, wanted = utc_now(), status_of(status)
    asked = store.over_at if ended else store.open_at
    found = await asked(state.store.db, now, status=wanted, scopes=EVERY_SCOPE, limit=MOST_IN_FEED)
    return await desk.lines(found)


@get("/api/cap/alert", opt={"permission": RESTRICTED})
async def alert(
    state: State,
    identifier: FromQuery[str],
    sender: FromQuery[str | None] = None,
    sent: FromQuery[datetime | None] = None,
) -> AlertView:
    """The newest message of an identifier (of one sender, of one time), with those before and after it."""
    return await desk.whole(state.store.db, await _kept(state, identifier, sender, sent))


@get("/api/cap/inside", opt={"permission": INSIDE})
async def inside(
    state: State, identifier: FromQuery[str], type: FromQuery[str], sender: FromQuery[str | None] = None
) -> InsideView:
    """Who of a type of the pool is in the area of a message: its polygons, circles and geocodes."""
    found, is_all = await service.inside(state.store, await _kept(state, identifier, sender), type)
    shown = [{"id": each.id, "types": each.types, "location": _location(each.attributes)} for each in found]
    return InsideView(type=type, count=len(shown), is_all=is_all, entities=shown)


async def _kept(state: State, identifier: str, sender: str | None, sent: datetime | None = None) -> Kept:
    kept = None
    if "\x00" not in identifier + (sender or ""):
        kept = await store.find(state.store.db, identifier, sender=sender, sent=sent, scopes=EVERY_SCOPE)
    if kept is None:
        raise NoSuchAlert("cap.no_such_alert", {"identifier": identifier[:100]})
    return kept


def _location(attributes: Json) -> Json:
    instances = attributes.get("location", ())
    return instances[0].value if instances else None


@post("/api/cap/issue", opt={"permission": ISSUE}, status_code=201)
async def issue(state: State, request: Request[Any, Any, Any], data: JSONBody[Draft]) -> Json:
    """Let a warning of the city out, replace earlier ones, or call them off."""
    settings = load_settings()
    sender, trust = sender_of(address_of(settings)), at_start(settings.cap)
    taken = await service.issue_draft(
        state.store, data, sender=sender, by=request.state.actor, at=utc_now(), trust=trust
    )
    told = [msgspec.to_builtins(each) for each in taken.remarks]
    return {**service.shown(taken.kept), "closed": taken.closed, "remarks": told}


@get("/api/cap/quarantine", opt={"permission": QUARANTINE})
async def kept_aside(state: State, decided: FromQuery[bool] = False) -> Sequence[Json]:
    """Messages that were not believed and wait for a person, the newest first, 200 at most; with `decided` those on
    which somebody decided instead."""
    states = (Aside.RELEASED, Aside.DISCARDED) if decided else (Aside.WAITING,)
    return await desk.aside(await quarantine.listed(state.store.db, states, limit=MOST_IN_FEED))


@get("/api/cap/quarantine/{number:int}", opt={"permission": QUARANTINE})
async def one_aside(state: State, number: FromPath[int]) -> AlertView:
    """One of them in full, with the messages here that it refers to."""
    found = await quarantine.find(state.store.db, number)
    said = read(found.body).alert
    about = {**quarantine.shown(found), **desk.words(said)}
    return desk.view(about, said, await desk.referred(state.store.db, said))


@post("/api/cap/quarantine/{number:int}", opt={"permission": QUARANTINE}, status_code=200)
async def decide(
    state: State, request: Request[Any, Any, Any], number: FromPath[int], data: JSONBody[Decision]
) -> Json:
    """Let a message in that was kept aside, or throw it away; why is written into the audit."""
    by, now = request.state.actor, utc_now()
    if data.decision == "release":
        await service.release(state.store, number, by=by, note=data.note, at=now)
    else:
        await service.discard(state.store, number, by=by, note=data.note, at=now)
    return quarantine.shown(await quarantine.find(state.store.db, number))


@get("/api/cap/authorities", opt={"permission": QUARANTINE})
async def authorities(state: State) -> Json:
    """Whose signatures are checked, by which certificates and authorities, and how old their lists are."""
    return trusted.shown(at_start(load_settings().cap), utc_now())


ROUTES = (alerts, alert, inside, issue, kept_aside, one_aside, decide, authorities)
