# SPDX-License-Identifier: Apache-2.0
"""Routes for everybody, without account: report, follow by a secret link, answer, rate, ask again, follow an area."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.apps.hotline.api.desk import hotline_of
from citybrain.apps.hotline.model import Caller, Channel, Intake
from citybrain.apps.hotline.service import citizens, intake
from citybrain.apps.hotline.service.citizens import PublicReport, Report, Wish
from citybrain.apps.hotline.service.followed import BROWSER
from citybrain.apps.hotline.service.hotline import MACHINE
from citybrain.apps.hotline.service.intake import TellingUnusable
from citybrain.apps.hotline.store import kept
from citybrain.kernel.access.limits import Limit
from citybrain.kernel.cases.satisfaction import Satisfaction
from citybrain.kernel.clock import utc_now

Asking = Request[Any, Any, Any]
REPORT = {"permission": "hotline.report"}
LOOK = {"permission": "hotline.public"}
PAGE = 200
# From one address: an office or a school sits behind one, a flood does not stop there. Marks of ours.
REPORTS_BY_ADDRESS = Limit(times=30, within=timedelta(hours=1))
TRIES_BY_ADDRESS = Limit(times=300, within=timedelta(hours=1))
PHOTOS_BY_ADDRESS = Limit(times=60, within=timedelta(hours=1))
SHORTEST_KEY = 20
AREAS_BY_ADDRESS = Limit(times=5, within=timedelta(hours=1))


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a citizen reports. Only the words are asked for; name and ways to reach them are theirs to give.

    `key` is a secret made by the browser, so that a report which is sent twice is one and has one link; `photos` were
    uploaded before, with `photos_key` as a secret of the browser's own.
    """

    text: str
    category: str = ""
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    public: bool = True
    key: str | None = None
    photos: tuple[int, ...] = ()
    photos_key: str = ""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt: the number to name and the link to keep, which is shown this once."""

    number: str
    link: str


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of a citizen."""

    text: str


class Rating(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How content a citizen is, and whether the matter is resolved."""

    satisfaction: Satisfaction
    resolved: bool | None = None
    note: str = ""


class AreaAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place of which somebody wants to be told by e-mail."""

    email: str
    longitude: float
    latitude: float
    radius_m: float = 500.0
    lang: str = "zh"


class PublicArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An answer for everybody."""

    id: int
    title: str
    body: str
    category: str
    changed_at: datetime | None


class PublicPage(msgspec.Struct, frozen=True, kw_only=True):
    """Public reports, the newest first; `next` asks for those before."""

    reports: list[PublicReport]
    next: str | None = None


@post("/api/hotline/reports", opt=REPORT, status_code=201)
async def tell(state: State, request: Asking, data: JSONBody[Told]) -> Given:
    """Report something. No account is needed, and who says no name stays unknown."""
    count(state, request, "report", REPORTS_BY_ADDRESS)
    matter = Intake(
        text=data.text,
        channel=Channel.WEB,
        caller=Caller(name=data.name, phone=data.phone, email=data.email),
        category=data.category,
        longitude=data.longitude,
        latitude=data.latitude,
        address=data.address,
        public=data.public,
        key=f"web:{intake.hash_of(data.key).hex()}" if data.key else None,
        photos=data.photos,
        photos_owner=owner_of(data.photos_key) if data.photos else "",
    )
    secret = _secret_of(data.key)
    receipt = await intake.take(hotline_of(state), MACHINE, matter, now=utc_now(), secret=secret)
    return Given(number=receipt.number, link=receipt.secret or secret or "")


@post("/api/hotline/photos", opt=REPORT, status_code=201, request_max_body_size=None)
async def upload(state: State, request: Asking, key: FromQuery[str], name: FromQuery[str] = "photo") -> dict[str, int]:
    """Send a photo before the report, as the body; `key` is a secret that the browser made. Too large is refused while
    it comes, before it lies anywhere."""
    hotline = hotline_of(state)
    count(state, request, "photo", PHOTOS_BY_ADDRESS)
    attachments = hotline.store.casework.attachments
    found = await attachments.upload(owner_of(key), name, request.stream(), now=utc_now())
    return {"id": found.id}


@get("/api/hotline/reports/{secret:str}", opt=REPORT)
async def follow(state: State, request: Asking, secret: FromPath[str]) -> Report:
    """How a report stands, for whoever has its link."""
    count(state, request, "follow", TRIES_BY_ADDRESS)
    return citizens.report_of(await citizens.ticket_of(hotline_of(state), secret), utc_now())


@post("/api/hotline/reports/{secret:str}/words", opt=REPORT, status_code=200)
async def add(state: State, secret: FromPath[str], data: JSONBody[Said]) -> Report:
    """Say more, or answer a question."""
    return await citizens.add(hotline_of(state), secret, data.text, now=utc_now())


@post("/api/hotline/reports/{secret:str}/rating", opt=REPORT, status_code=200)
async def rate(state: State, secret: FromPath[str], data: JSONBody[Rating]) -> Report:
    """Say how content one is."""
    return await citizens.rate(
        hotline_of(state), secret, data.satisfaction, resolved=data.resolved, note=data.note, now=utc_now()
    )


@post("/api/hotline/reports/{secret:str}/reopening", opt=REPORT, status_code=200)
async def reopen(state: State, secret: FromPath[str], data: JSONBody[Said]) -> Report:
    """Ask again, because the answer does not help."""
    return await citizens.reopen(hotline_of(state), secret, data.text, now=utc_now())


@get("/api/hotline/public", opt=LOOK)
async def public(state: State, after: FromQuery[str] = "") -> PublicPage:
    """Public reports for list and map: no words, no persons, places to within a hundred metres."""
    found, following = await citizens.public_list(hotline_of(state), _place(after), limit=PAGE)
    return PublicPage(reports=found, next=_written(following) if following else None)


@get("/api/hotline/public/knowledge", opt=LOOK)
async def public_knowledge(state: State, words: FromQuery[str] = "") -> Sequence[PublicArticle]:
    """Public articles that fit words best; who wrote them stays inside."""
    found = await kept.articles(hotline_of(state).db, words, utc_now().date(), only_public=True)
    return [PublicArticle(**{name: getattr(each, name) for name in PublicArticle.__struct_fields__}) for each in found]


@post("/api/hotline/areas", opt=REPORT, status_code=202)
async def follow_area(state: State, request: Asking, data: JSONBody[AreaAsked]) -> None:
    """Ask to be told of reports near a place; an e-mail asks whether it was really meant."""
    count(state, request, "area", AREAS_BY_ADDRESS)
    wish = Wish(**msgspec.structs.asdict(data), link=f"{state.get('address') or ''}/citizen/area/")
    await citizens.follow_area(hotline_of(state), wish, now=utc_now())


@post("/api/hotline/areas/{secret:str}", opt=REPORT, status_code=204)
async def confirm_area(state: State, secret: FromPath[str]) -> None:
    """The link in the e-mail was opened."""
    await citizens.confirm_area(hotline_of(state), secret, now=utc_now())


@delete("/api/hotline/areas/{secret:str}", opt=REPORT, status_code=204)
async def leave_area(state: State, secret: FromPath[str]) -> None:
    """Not to be told any more."""
    await citizens.leave_area(hotline_of(state), secret)


def _secret_of(key: str | None) -> str | None:
    """The secret of a report whose browser made a long key: an answer that was lost on its way is given again alike.

    Neither the secret nor the key can be found from what lies in the tables.
    """
    if key is None or len(key) < SHORTEST_KEY:
        return None
    return base64.urlsafe_b64encode(intake.hash_of(f"link of {key}")).decode().rstrip("=")


def owner_of(key: str) -> str:
    """Who may attach an upload: the hash of a secret that only this browser has."""
    if len(key) < SHORTEST_KEY:
        raise TellingUnusable("hotline.telling_unusable", {"field": "photos_key"})
    return f"{BROWSER}{intake.hash_of(key).hex()}"


def count(state: State, request: Asking, what: str, limit: Limit) -> None:
    """Refuse an address that asks too often: the one the gate found, so that a proxy is not taken for everybody."""
    hotline_of(state).limits.count(f"{what}:{request.state.address}", limit, utc_now())


def _written(place: tuple[datetime, int]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _place(after: str) -> tuple[datetime, int] | None:
    if not after:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(after), type=tuple[datetime, int])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise TellingUnusable("hotline.telling_unusable", {"field": "after"}) from None


ROUTES: Sequence[Any] = (
    tell,
    upload,
    follow,
    add,
    rate,
    reopen,
    public,
    public_knowledge,
    follow_area,
    confirm_area,
    leave_area,
)
