# SPDX-License-Identifier: Apache-2.0
"""Routes for alarms: events with how people handle them, in lists, one by one, and what people do with them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.handling import (
    LONGEST_NOTE,
    OF_THE_CITY,
    Act,
    Alarm,
    AlarmPage,
    Alarms,
    AlarmStory,
    Asked,
    Together,
    Wish,
)
from citybrain.kernel.i18n import Words
from citybrain.kernel.records import Json
from citybrain.serve.desk import Desk

VIEW, ACT = "city.view", "city.acknowledge"
TOGETHER_MOST = 5_000
LONGEST_WORDS = 200
KIND = "kind."
NAMES = {
    "state": "which",
    "kind": "kinds",
    "severity": "severities",
    "handling": "states",
    "mine": "taken_by",
    "entity_id": "entity_id",
    "group": "group",
    "q": "words",
    "since": "since",
    "until": "until",
    "sort": "sort",
    "cursor": "after",
    "limit": "limit",
}
"""What an address calls the parts of `Asked`."""
SEVERAL = frozenset({"kinds", "severities", "states"})

AnyRequest = Request[Any, Any, Any]
PEOPLES = frozenset(Act) - OF_THE_CITY


class FilterUnusable(Invalid):
    """A filter of a list names what there is not."""


class Wanted(Wish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants to do with an alarm."""


class WantedTogether(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants to do with several alarms at once."""

    ids: Annotated[list[str], msgspec.Meta(max_length=TOGETHER_MOST)]
    act: Act
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] = ""
    until: datetime | None = None


def _desk(state: State) -> Desk:
    desk: Desk = state.desk
    return desk


def _alarms(state: State) -> Alarms:
    return _desk(state).city.store.alarms


@get("/api/alarms", opt={"permission": VIEW})
async def alarms(state: State, request: AnyRequest) -> AlarmPage:
    """A page of alarms, asked by filters and order, with counts by severity and handling.

    `state` is open, ended or all; `kind`, `severity`, `handling` one or several with commas; `mine`, `entity_id`,
    `group`; `q` in names, ids, kinds and notes; `since`, `until`; `sort` severity, -at or at; `cursor`, the `next` of
    the page before; `limit`, at most 500.
    """
    asked = read_asked(request.query_params, request.state.actor.account)
    meant = kinds_meant(_desk(state).words, asked.words)
    return await _alarms(state).find(msgspec.structs.replace(asked, kinds_meant=meant), now=utc_now())


@get("/api/alarms/{id:str}", opt={"permission": VIEW})
async def alarm(state: State, id: FromPath[str]) -> AlarmStory:
    """One alarm with its acts, the signs on which it rests, and what was ordered because of it."""
    return await _alarms(state).story(id, now=utc_now())


@post("/api/alarms/{id:str}/acts", opt={"permission": ACT}, status_code=200)
async def act(state: State, request: AnyRequest, id: FromPath[str], data: JSONBody[Wanted]) -> Alarm:
    """Acknowledge, take, release, comment, shelve until a time, unshelve or clear an alarm."""
    return await _alarms(state).act(request.state.actor, id, _of_people(data), now=utc_now())


@post("/api/alarms/acts", opt={"permission": ACT}, status_code=200)
async def act_together(state: State, request: AnyRequest, data: JSONBody[WantedTogether]) -> Together:
    """Do the same with several alarms; those where it does not fit are told with why not."""
    wish = _of_people(Wish(act=data.act, note=data.note, until=data.until))
    return await _alarms(state).act_together(request.state.actor, data.ids, wish, now=utc_now())


def read_asked(params: Mapping[str, str], account: str) -> Asked:
    """What an address asks a list for. Refuses `FilterUnusable`, also for times that do not say their zone."""
    parts: dict[str, Json] = {}
    for name, value in params.items():
        if name not in NAMES:
            raise _unusable(name, NAMES)
        if value:
            parts[NAMES[name]] = value.split(",") if NAMES[name] in SEVERAL else value
    if "taken_by" in parts:
        parts["taken_by"] = account if parts["taken_by"] in ("1", "true") else None
    try:
        asked = msgspec.convert(parts, Asked, strict=False)
    except msgspec.ValidationError as problem:
        raise FilterUnusable("serve.alarm_filter_unusable", {"why": str(problem)[:200]}) from problem
    for name in ("since", "until"):
        at = getattr(asked, name)
        if at is not None and at.tzinfo is None:
            raise FilterUnusable("serve.alarm_time_without_zone", {"name": name})
    return msgspec.structs.replace(asked, words=asked.words.strip()[:LONGEST_WORDS].replace("\0", ""))


def kinds_meant(words: Words, asked: str) -> Sequence[str]:
    """The kinds of events whose own name has these words, in any language."""
    wanted = asked.lower()
    if not wanted:
        return ()
    return sorted(
        {
            key.removeprefix(KIND)
            for lang in ("zh", "en")
            for key, sentence in words.of(lang).items()
            if key.startswith(KIND) and wanted in sentence.lower()
        }
    )


def _of_people(wish: Wish) -> Wish:
    if wish.act not in PEOPLES:
        raise _unusable(wish.act, sorted(PEOPLES))
    return wish


def _unusable(given: str, known: Iterable[str]) -> FilterUnusable:
    return FilterUnusable("serve.alarm_filter_unusable", {"why": f"{given[:60]} ({', '.join(known)})"})


ROUTES = (alarms, alarm, act, act_together)
