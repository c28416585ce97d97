# SPDX-License-Identifier: Apache-2.0
"""Routes to look at what the door took in and what it did not, and to try again."""

from collections.abc import Sequence

import msgspec
from litestar import delete, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.doors.mqtt import service, store
from citybrain.doors.mqtt.store import Count, Letter, Quarantine
from citybrain.kernel.records import Json

LETTERS_AT_ONCE = 500


class Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Messages by their ids."""

    ids: tuple[int, ...]


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not taken in, its payload as text; bytes that are none show as �."""

    id: int
    source: str
    topic: str
    entity_id: str
    payload: str
    code: str
    facts: Json
    at: Json


def _view(letter: Letter) -> LetterView:
    facts = msgspec.structs.asdict(letter) | {"payload": letter.payload.decode("utf-8", "replace")}
    return LetterView(**facts)


@get("/api/mqtt/sources", opt={"permission": "mqtt.view"})
async def sources(state: State) -> Sequence[Count]:
    """What came of each source since ever; the source "" are topics that no source names."""
    return await store.counts(state.store.db)


@get("/api/mqtt/quarantines", opt={"permission": "mqtt.view"})
async def quarantines(state: State) -> Sequence[Quarantine]:
    """Devices that are not believed just now, and why."""
    return await store.quarantines(state.store.db)


@delete("/api/mqtt/quarantines/{entity_id:str}", opt={"permission": "mqtt.replay"}, status_code=204)
async def release(state: State, entity_id: FromPath[str]) -> None:
    """Believe a device again; its next messages are taken in within seconds."""
    await service.release(state.store, entity_id)


@get("/api/mqtt/letters", opt={"permission": "mqtt.view"})
async def letters(
    state: State, source: FromQuery[str | None] = None, before: FromQuery[int | None] = None
) -> Sequence[LetterView]:
    """Messages that were not taken in, the newest first, 500 at once; `before` an id goes on."""
    found = await store.letters(state.store.db, source=source, before=before, limit=LETTERS_AT_ONCE)
    return [_view(each) for each in found]


@post("/api/mqtt/letters/replay", opt={"permission": "mqtt.replay"}, status_code=200)
async def replay(state: State, data: JSONBody[Ids]) -> dict[str, int]:
    """Take messages in by the mapping as it is now; what succeeds leaves the list."""
    taken = await service.replay(state.store, data.ids)
    return {"taken": taken, "left": len(data.ids) - taken}


@post("/api/mqtt/letters/delete", opt={"permission": "mqtt.replay"}, status_code=200)
async def remove(state: State, data: JSONBody[Ids]) -> dict[str, int]:
    """Forget messages for good."""
    return {"deleted": await store.remove_letters(state.store.db, data.ids)}


ROUTES = (sources, quarantines, release, letters, replay, remove)
