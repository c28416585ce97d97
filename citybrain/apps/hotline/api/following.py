# SPDX-License-Identifier: Apache-2.0
"""Routes for who has the link of a report: how it went on, its photos, further photos."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from citybrain.apps.hotline.api.desk import hotline_of
from citybrain.apps.hotline.api.public import REPORT, TRIES_BY_ADDRESS, count, owner_of
from citybrain.apps.hotline.service import followed
from citybrain.apps.hotline.service.followed import Followed
from citybrain.kernel.cases.attachments import download_headers
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Text

Asking = Request[Any, Any, Any]


class MorePhotos(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Uploads to put to a report, with the secret they were uploaded by."""

    photos: tuple[int, ...]
    photos_key: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A report with how it went on; `departments` are the names of those it lay with, `category` what it is about."""

    followed: Followed
    departments: Mapping[str, Text]
    category: Text


@get("/api/hotline/reports/{secret:str}/story", opt=REPORT)
async def story(state: State, request: Asking, secret: FromPath[str]) -> Story:
    """How a report stands and how it came there, for whoever has its link."""
    count(state, request, "follow", TRIES_BY_ADDRESS)
    hotline = hotline_of(state)
    found = await followed.followed(hotline, secret, now=utc_now())
    known = state.access.policy.snapshot.departments
    ids = {found.department, *(step.department for step in found.steps)}
    category = hotline.tree.categories.get(found.report.category)
    return Story(
        followed=found,
        departments={id: known[id].name for id in ids if id in known},
        category=category.name if category else {},
    )


@get("/api/hotline/reports/{secret:str}/photos/{id:int}", opt=REPORT)
async def photo(state: State, secret: FromPath[str], id: FromPath[int]) -> Stream:
    """A photo of the report."""
    hotline = hotline_of(state)
    found = await followed.photo(hotline, secret, id)
    headers = dict(download_headers(found, inline=True))
    content = hotline.store.casework.attachments.read(found)
    return Stream(content, media_type=headers.pop("Content-Type"), headers=headers)


@post("/api/hotline/reports/{secret:str}/photos", opt=REPORT, status_code=200)
async def add_photos(state: State, secret: FromPath[str], data: JSONBody[MorePhotos]) -> Followed:
    """Put further photos to a report that is not over."""
    hotline, now = hotline_of(state), utc_now()
    await followed.add_photos(hotline, secret, data.photos, owner=owner_of(data.photos_key), now=now)
    return await followed.followed(hotline, secret, now=now)


ROUTES: Sequence[Any] = (story, photo, add_photos)
