# SPDX-License-Identifier: Apache-2.0
"""Routes for files of cases: they come and go in pieces, and are seen by whoever sees their case."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from citybrain.kernel.cases.attachments import Attachment, download_headers
from citybrain.kernel.cases.case_files import owner_of
from citybrain.kernel.cases.file_store import read_on
from citybrain.kernel.cases.rights import VIEW, WORK
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal
from citybrain.kernel.store import Store

AnyRequest = Request[Any, Any, Any]
# Photos are as small as they get; compressing would only hold them back.
AS_IT_IS = {"as_it_is": True}


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Uploads of somebody's own."""

    ids: tuple[int, ...]


@post("/api/uploads", opt={"permission": VIEW}, status_code=201, request_max_body_size=None)
async def upload(state: State, request: AnyRequest, name: FromQuery[str] = "file") -> Attachment:
    """Take a file in, as the body. Too large is refused while it comes, before it lies anywhere."""
    store: Store = state.store
    owner = owner_of(request.state.actor)
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    coming = request.stream()
    try:
        return await store.casework.attachments.upload(owner, name, coming, announced=size, now=utc_now())
    except Refusal:
        await read_on(coming)
        raise


@post("/api/cases/{id:int}/attachments", opt={"permission": WORK}, status_code=200)
async def attach(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[Chosen]) -> Sequence[Attachment]:
    """Attach uploads of one's own to a case; answers with all it has. All of them or none."""
    store: Store = state.store
    return await store.casework.files.attach(request.state.actor, id, data.ids)


@get("/api/attachments/{id:int}", opt={"permission": VIEW, **AS_IT_IS})
async def download(state: State, request: AnyRequest, id: FromPath[int], original: FromQuery[bool] = False) -> Stream:
    """A file, images to be shown and everything else to be saved; with `original` as it came."""
    store: Store = state.store
    attachments = store.casework.attachments
    found = await store.casework.files.get(request.state.actor, id)
    if original:
        found = attachments.as_it_came(found)
    headers = dict(download_headers(found, inline=True))
    # What is shown to everybody comes to clerks by this address all the same.
    headers["Cache-Control"] = "private, no-cache"
    kind = headers.pop("Content-Type").partition(";")[0]
    return Stream(attachments.read(found), media_type=kind, headers=headers)


@put("/api/attachments/{id:int}/public", opt={"permission": WORK})
async def publish(state: State, request: AnyRequest, id: FromPath[int]) -> Attachment:
    """Show a photo to everybody, without position and author."""
    store: Store = state.store
    return await store.casework.files.publish(request.state.actor, id)


@delete("/api/attachments/{id:int}/public", opt={"permission": WORK}, status_code=200)
async def unpublish(state: State, request: AnyRequest, id: FromPath[int]) -> Attachment:
    """Show it no longer to everybody."""
    store: Store = state.store
    return await store.casework.files.unpublish(request.state.actor, id)


@delete("/api/attachments/{id:int}", opt={"permission": VIEW}, status_code=204)
async def remove(state: State, request: AnyRequest, id: FromPath[int]) -> None:
    """Take a file away, from the case or from among one's uploads."""
    store: Store = state.store
    await store.casework.files.remove(request.state.actor, id)


ROUTES = (upload, attach, download, publish, unpublish, remove)
