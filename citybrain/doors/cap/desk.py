# SPDX-License-Identifier: Apache-2.0
"""What officers are shown of warnings: each in a line, one in full, and which came before and after it."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from citybrain.doors.cap import quarantine, service, store
from citybrain.doors.cap.levels import LEVELS, level_of, worst
from citybrain.doors.cap.model import Alert, Area, Info
from citybrain.doors.cap.places import Zone, descriptions
from citybrain.doors.cap.quarantine import Aside
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import EVERY_SCOPE, Kept
from citybrain.kernel.db import Database
from citybrain.kernel.records import Json

MOST_REFERRED = 20
"""Messages before one that are looked for: more would be a flood and not a history."""


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """A message in full: what the city knows of it, what it says, and what it should say otherwise.

    `geometry` is where it is about, as GeoJSON; `chain` are the messages here that it goes on from and that go on from
    it, the oldest first, itself among them if it was taken in.
    """

    about: Json
    alert: Json
    remarks: Json
    geometry: Json
    chain: Sequence[Json]


def words(alert: Alert) -> dict[str, Json]:
    """What a line of a list says of a message: texts by language, the level, and the scales of its worst info."""
    infos = alert.infos
    first = min(infos, key=_rank, default=None)
    areas = {lang: descriptions(_areas(of)) for lang, of in _by_language(infos).items()}
    return {
        "level": worst(infos),
        "event": service.texts(infos, "event"),
        "headline": service.texts(infos, "headline"),
        "sender_name": service.texts(infos, "sender_name"),
        "areas": {lang: found for lang, found in areas.items() if found},
        "begins_at": min((each.onset or each.effective or alert.sent for each in infos), default=alert.sent),
        "severity": first.severity if first else None,
        "urgency": first.urgency if first else None,
        "certainty": first.certainty if first else None,
    }


def _rank(info: Info) -> int:
    return LEVELS.index(level_of(info.severity, info.urgency, info.certainty))


def _by_language(infos: Iterable[Info]) -> dict[str, list[Info]]:
    found: dict[str, list[Info]] = {}
    for each in infos:
        found.setdefault(service.language_of(each), []).append(each)
    return found


def _areas(infos: Iterable[Info]) -> list[Area]:
    return [area for info in infos for area in info.areas]


def line(kept: Kept) -> dict[str, Json]:
    """A message in a list."""
    return {**service.shown(kept), "posted_by": kept.posted_by, **words(read(kept.body).alert)}


async def lines(found: Sequence[Kept]) -> list[dict[str, Json]]:
    """Messages in a list; reading many takes a while, so others get their turn in between."""
    made = []
    for each in found:
        made.append(line(each))
        await asyncio.sleep(0)
    return made


async def aside(found: Sequence[Aside]) -> list[dict[str, Json]]:
    """Messages that were kept aside in a list."""
    made = []
    for each in found:
        made.append({**quarantine.shown(each), **words(read(each.body).alert)})
        await asyncio.sleep(0)
    return made


async def whole(db: Database, kept: Kept) -> AlertView:
    """A message that was taken in, with its history."""
    chain = await store.chain(db, kept.number, scopes=EVERY_SCOPE)
    return view(line(kept), read(kept.body).alert, await lines(chain))


async def referred(db: Database, alert: Alert) -> list[dict[str, Json]]:
    """The messages here that one refers to which was not taken in."""
    found = []
    for each in alert.references[:MOST_REFERRED]:
        kept = await store.find(db, each.identifier, sender=each.sender, sent=each.sent, scopes=EVERY_SCOPE)
        found += [kept] if kept else []
    return await lines(found)


def view(about: Json, alert: Alert, chain: Sequence[Json]) -> AlertView:
    """A message in full."""
    told = [msgspec.to_builtins(each) for each in service.advice(alert)]
    geometry = Zone(alert).geometry()
    return AlertView(about=about, alert=msgspec.to_builtins(alert), remarks=told, geometry=geometry, chain=chain)
