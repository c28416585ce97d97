# SPDX-License-Identifier: Apache-2.0
"""The door over a city in which somebody has published services and requests, and takes reports in."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from citybrain.doors.open311.app import PREFIX, make
from citybrain.doors.open311.door import DOOR
from citybrain.doors.open311.model import REQUEST, SERVICE
from citybrain.kernel.cases.intake import Taken, Telling
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.service import Desk, upsert_many
from citybrain.kernel.errors import Invalid
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from conftest import Serving

DUE = datetime(2030, 5, 24, 8, tzinfo=UTC)
SCRIPT = "<script>alert('&')</script>"
ASKED = [
    {
        "code": "SINCE",
        "datatype": "datetime",
        "required": True,
        "order": 1,
        "description": {"zh": "何时开始", "en": "Since"},
    },
    {
        "code": "SIDES",
        "datatype": "multivaluelist",
        "required": False,
        "order": 2,
        "description": {"zh": "哪一侧", "en": "Which side"},
        "values": [
            {"key": "n", "name": {"zh": "北", "en": "North"}},
            {"key": "s", "name": {"zh": "南", "en": "South"}},
        ],
    },
    {"code": "DEPTH", "datatype": "number", "required": False, "order": 3, "description": "Depth in cm"},
]


class Refusing(Invalid):
    """What an app says of a report that it does not take."""


def service(code: str, **more: Any) -> dict[str, Any]:
    """A service as an app publishes it."""
    named = {"type": "LanguageProperty", "languageMap": {"zh": f"服务{code}", "en": f"Service {code}"}}
    values = {"service_code": code, **{name: each for name, each in more.items() if name != "attributes"}}
    plain = {name: {"type": "Property", "value": each} for name, each in values.items()}
    asked = {"attributes": {"type": "JsonProperty", "json": more["attributes"]}} if "attributes" in more else {}
    return {"id": f"urn:ngsi-ld:{SERVICE}:{code}", "type": SERVICE, "service_name": named, **plain, **asked}


def request(number: str, at: datetime, code: str = "001", status: str = "open", **more: Any) -> dict[str, Any]:
    """A request as an app publishes it."""
    values = {
        "service_request_id": number,
        "service_code": code,
        "status": status,
        "requested_datetime": at.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        **more,
    }
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [116.3165, 39.9835]}}
    plain = {name: {"type": "Property", "value": each} for name, each in values.items()}
    return {"id": f"urn:ngsi-ld:{REQUEST}:{number}", "type": REQUEST, "location": place, **plain}


async def publish(store: Store, *entities: dict[str, Any]) -> None:
    """Write entities into the pool, as an app does."""
    at = utc_now()
    stamp = at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    documents = [read_entity(each, CORE, stamp) for each in entities]
    await upsert_many(Desk(documents=store.documents, tenant="", at=at), documents)


@pytest.fixture(scope="module")
def grants() -> Mapping[str, Sequence[str]]:
    """Who may look and report: everybody, as the door declares it."""
    return DOOR.permissions


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path, grants: Mapping[str, Sequence[str]]) -> AsyncIterator[Store]:
    """A city that knows the door's permissions."""
    settings = Settings(data=open_folder / f"open311-{new_id()}", database_url=database_url)
    async with open_store(settings, permissions=[grants]) as opened:
        yield opened


@pytest.fixture(scope="module")
def told() -> list[Telling]:
    """What the city's app was told, in order."""
    return []


@pytest.fixture(scope="module")
async def door(store: Store, serving: Serving, told: list[Telling]) -> AsyncIterator[str]:
    """The address of the door, where a city shows a few services and requests."""
    now = utc_now()
    await publish(
        store,
        service("001", description=f"Lamps {SCRIPT}", keywords=["lamp", "dark"], group="street"),
        service("002", attributes=ASKED),
        request("R1", now - timedelta(days=1), description=f"Dark {SCRIPT}\x01", address="Main St & 1st"),
        request("R2", now - timedelta(days=2), "002", "closed"),
        request("R3", now - timedelta(days=40), "002"),
        request("R4", now - timedelta(days=120), "001", "closed"),
    )
    keys: dict[str, str] = {}

    async def take(telling: Telling) -> Taken:
        if "unsagbar" in telling.text:
            raise Refusing("somewhere.telling_unusable", {"field": "phone"})
        if telling.rehearsal:
            return Taken(number="")
        told.append(telling)
        number = f"N{len(told)}"
        return Taken(
            number=keys.setdefault(telling.key, number) if telling.key else number, due_at=DUE, page="/page/secret"
        )

    with store.intakes.offered("open311", take):
        async with serving(mounted(make(store))) as address:
            yield f"{address}{PREFIX}"


def mounted(app: Any) -> Callable[..., Any]:
    """The application below its prefix, as the city's front enters it; an address of its own for each `x-from`."""

    async def below(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            state = {"actor": None, "address": headers.get(b"x-from", b"somewhere").decode()}
            await app({**scope, "root_path": PREFIX, "state": state}, receive, send)

    return below


@pytest.fixture
async def client(door: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the live endpoint that speaks English."""
    async with httpx.AsyncClient(base_url=f"{door}/v2", headers={"accept-language": "en"}) as opened:
        yield opened


def errors_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The errors of a JSON answer, as the standard lists them."""
    return msgspec.json.decode(answer.content, type=list[dict[str, Any]])


WHOLE = {
    "jurisdiction_id": "127.0.0.1",
    "service_code": "001",
    "lat": "39.9835",
    "long": "116.3165",
    "address_string": "幸福里小区 3 号楼",
    "email": "zhang@example.org",
    "device_id": "tt222111",
    "account_id": "123456",
    "first_name": "三",
    "last_name": "张",
    "phone": "13800138000",
    "description": f"路灯不亮 {SCRIPT}",
    "media_url": "https://pictures.example.org/1.jpg",
}
"""A report with all that the standard has a field for."""
