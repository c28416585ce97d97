# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, EntityChange, Instance
from citybrain.kernel.entities.documents import Documents, NoSuchTenant
from citybrain.kernel.entities.keepable import KeyTooLong, UnkeepableWord
from citybrain.kernel.entities.shelf import HOLES_BEFORE_CLOSING_UP, Shelf
from citybrain.kernel.entities.times import text_of, us_of
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_numbers = count(1)


class City:
    """Documents with their writer, and a clock that the test moves."""

    def __init__(self, documents: Documents, journal: Journal, clock: list[datetime]) -> None:
        self.documents, self.journal, self.clock = documents, journal, clock

    async def create(self, *documents: Document, tenant: str = "") -> None:
        await self.documents.apply([verbs.create(tenant, each, NOON) for each in documents])

    async def delete(self, id: str, tenant: str = "") -> None:
        before = self.documents.get(tenant, id)
        assert before is not None
        await self.documents.apply([verbs.delete(before, tenant=tenant, at=NOON)])


@pytest.fixture
async def city(db: Database) -> AsyncIterator[City]:
    clock = [NOON]
    documents = await Documents.open(db, now=lambda: clock[0])
    pool = await Pool.open(db, (), documents)
    journal = await Journal.open(db, pool)
    yield City(documents, journal, clock)
    await journal.close()


def thing(id: str, *types: str, **attributes: object) -> Document:
    """An entity with plain properties."""
    at = text_of(NOON)
    several: Attributes = {
        name: (Instance(type=AttributeType.PROPERTY, value=value, created_at=at, modified_at=at),)
        for name, value in attributes.items()
    }
    return Document(id=id, types=types or ("Lamp",), created_at=at, modified_at=at, attributes=several)


async def test_what_is_created_is_there_at_once_and_after_a_restart(db: Database, city: City) -> None:
    lamp = thing("urn:lamp:1", power=40, state="on")
    writing = asyncio.create_task(city.create(lamp))
    await asyncio.sleep(0)
    assert city.documents.get("", lamp.id) == lamp, "visible before it is committed"
    await writing
    again = await Documents.open(db)
    assert again.get("", lamp.id) == lamp
    assert again.raw("", lamp.id) == city.documents.raw("", lamp.id)
    assert again.get("", "urn:lamp:gone") is None


async def test_a_tenant_sees_only_its_own(db: Database, city: City) -> None:
    await city.create(thing("urn:t:1", power=1))
    await city.create(thing("urn:t:1", power=2), tenant="east")
    for documents in (city.documents, await Documents.open(db)):
        here, there = documents.get("", "urn:t:1"), documents.get("east", "urn:t:1")
        assert here is not None
        assert there is not None
        assert (here.attributes["power"][0].value, there.attributes["power"][0].value) == (1, 2)
        assert documents.get("west", "urn:t:1") is None
        assert "east" in documents.tenants()
        documents.check_tenant("east")
        with pytest.raises(NoSuchTenant):
            documents.check_tenant("west")


async def test_types_are_counted_and_found_in_order_of_creation(db: Database, city: City) -> None:
    await city.create(*(thing(f"urn:c:{n}", "Bench" if n % 2 else "Tree") for n in (5, 3, 1, 4, 2)), tenant="park")
    await city.delete("urn:c:3", tenant="park")
    before = city.documents.get("park", "urn:c:4")
    assert before is not None
    both = msgspec.structs.replace(before, types=("Tree", "Bench"))
    await city.documents.apply([verbs.replace(before, both, tenant="park", at=NOON)])
    for documents in (city.documents, await Documents.open(db)):
        assert list(documents.ids("park")) == [f"urn:c:{n}" for n in (5, 1, 4, 2)]
        assert list(documents.ids_of_type("park", "Bench")) == [f"urn:c:{n}" for n in (5, 1, 4)]
        assert [each.id for each in documents.scan("park", "Tree")] == ["urn:c:4", "urn:c:2"]
        assert documents.count("park") == 4
        assert documents.counts("park") == {"Bench": 3, "Tree": 2}
        assert documents.count("park", "Fountain") == 0
        assert documents.types("park", "urn:c:4") == ("Tree", "Bench")


async def test_one_that_comes_again_keeps_its_number_in_the_history(db: Database, city: City) -> None:
    await city.create(thing("urn:again", state="old"))
    number = city.documents.number("", "urn:again")
    await city.delete("urn:again")
    assert city.documents.get("", "urn:again") is None
    assert city.documents.number("", "urn:again") == number
    assert "urn:again" in (await Documents.open(db)).past_ids("")
    await city.create(thing("urn:again", state="new"))
    assert city.documents.number("", "urn:again") == number
    assert list(city.documents.ids(""))[-1] == "urn:again", "but it is the youngest"
    rows = "SELECT convert_from(coalesce(detail, word::bytea), 'UTF8') FROM history WHERE entity = %(number)s"
    told = await db.read(rows + " ORDER BY instance", {"number": number}, as_=str)
    assert told == ["old", '{"deletedAt":"2026-05-01T12:00:00Z","type":"Property"}', "new"]


async def test_what_has_expired_is_not_there_and_is_swept_away(db: Database, city: City) -> None:
    ends = text_of(NOON + MINUTE)
    bus = msgspec.structs.replace(thing("urn:bus", "Bus", line=7), expires_at=ends)
    tram = thing("urn:tram", "Tram", line=1, speed=30)
    speed = msgspec.structs.replace(tram.attributes["speed"][0], expires_at=ends)
    tram = msgspec.structs.replace(tram, attributes={**tram.attributes, "speed": (speed,)})
    await city.create(bus, tram, tenant="lines")
    assert city.documents.get("lines", "urn:bus") == bus
    city.clock[0] = NOON + MINUTE
    left = city.documents.get("lines", "urn:tram")
    assert city.documents.get("lines", "urn:bus") is None
    assert city.documents.raw("lines", "urn:bus") is None
    assert left is not None
    assert set(left.attributes) == {"line"}
    assert [each.id for each in city.documents.scan("lines")] == ["urn:tram"]
    reopened = await Documents.open(db, now=lambda: city.clock[0])
    assert reopened.get("lines", "urn:bus") is None, "also after a restart"
    assert await city.documents.expire(NOON + MINUTE) == 2
    assert await city.documents.expire(NOON + MINUTE) == 0
    assert city.documents.counts("lines") == {"Tram": 1}
    assert (await Documents.open(db, now=lambda: NOON)).get("lines", "urn:bus") is None, "gone from the database too"


async def test_an_expired_entity_can_be_created_anew(city: City) -> None:
    brief = msgspec.structs.replace(thing("urn:brief"), expires_at=text_of(NOON))
    await city.create(brief)
    assert city.documents.get("", "urn:brief") is None
    await city.create(thing("urn:brief", state="again"))
    found = city.documents.get("", "urn:brief")
    assert found is not None
    assert found.expires_at == ""
    assert await city.documents.expire(NOON + MINUTE) == 0, "what was to be swept is another one now"


async def test_a_change_put_off_its_end(city: City) -> None:
    await city.create(msgspec.structs.replace(thing("urn:later"), expires_at=text_of(NOON + MINUTE)))
    before = city.documents.get("", "urn:later")
    assert before is not None
    longer = msgspec.structs.replace(before, expires_at=text_of(NOON + 3 * MINUTE))
    await city.documents.apply([verbs.replace(before, longer, tenant="", at=NOON)])
    assert await city.documents.expire(NOON + 2 * MINUTE) == 0
    assert await city.documents.expire(NOON + 4 * MINUTE) == 1


async def test_indexes_see_each_change_before_anybody_reads_it(city: City) -> None:
    seen: list[tuple[str, bool]] = []

    def index(changes: Sequence[EntityChange]) -> None:
        seen.extend((change.id, city.documents.get("", change.id) is not None) for change in changes)

    city.documents.hooks.append(index)
    await city.create(thing("urn:seen"))
    await city.delete("urn:seen")
    assert seen == [("urn:seen", True), ("urn:seen", False)]


async def test_what_only_the_history_knows_is_no_entity(db: Database, city: City) -> None:
    past = thing("urn:past", "Tram", line=3)
    change = verbs.create("", past, NOON)
    number = await city.documents.record("", past, change.attributes, at=NOON)
    assert city.documents.get("", "urn:past") is None
    again = await Documents.open(db)
    assert (again.number("", "urn:past"), list(again.past_ids(""))[-1]) == (number, "urn:past")
    counted = "SELECT count(*) FROM history WHERE entity = %(number)s"
    assert await db.read(counted, {"number": number}, as_=int) == [1]
    await city.documents.forget("", "urn:past")
    assert await db.read(counted, {"number": number}, as_=int) == [0]
    assert (await Documents.open(db)).number("", "urn:past") is None
    await city.create(past)
    assert city.documents.number("", "urn:past") != number


async def test_nothing_is_changed_when_nobody_can_write(db: Database) -> None:
    documents = await Documents.open(db)
    with pytest.raises(Unavailable):
        await documents.apply([verbs.create("", thing("urn:unwritten"), NOON)])
    assert documents.get("", "urn:unwritten") is None


def test_many_holes_are_closed_up_and_a_scan_goes_on() -> None:
    shelf = Shelf()
    many = 2 * HOLES_BEFORE_CLOSING_UP + 4
    for number in range(many):
        shelf.add(f"{number}", number, ("A",) if number % 2 else ("A", "B"), b"x")
    under_way = shelf.scan("B")
    assert next(under_way) == ("0", b"x")
    for number in range(many - 2):
        shelf.remove(f"{number}")
    assert len(shelf.ids) < many
    assert [id for id, _ in shelf.scan()] == [f"{many - 2}", f"{many - 1}"]
    assert (shelf.count("A"), shelf.count("B"), shelf.number("7")) == (2, 1, 7)
    assert [id for id, _ in under_way][-1:] == [f"{many - 2}"]
    shelf.change(f"{many - 1}", ("C",), b"y")
    assert [id for id, _ in shelf.scan("C")] == [f"{many - 1}"]


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T23:59:60Z", 0),
    ],
)
def test_times_are_whole_microseconds(text: str, us: int) -> None:
    assert us_of(text) == us


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        (thing("urn:half:\ud800"), UnkeepableWord),
        (thing("urn:nul:\x00"), UnkeepableWord),
        (thing("urn:long:" + "x" * 2500), KeyTooLong),
        (thing("urn:name", **{"x" * 2501: 1}), KeyTooLong),
        (thing("urn:type", "Wa\x00ll"), UnkeepableWord),
        (thing("urn:name", **{"na\x00me": 1}), UnkeepableWord),
        (thing("urn:value", state="\ud800"), UnicodeEncodeError),
        (msgspec.structs.replace(thing("urn:time"), expires_at="soon"), ValueError),
    ],
)
async def test_what_cannot_be_written_changes_nothing_and_stops_nobody(
    city: City, document: Document, refusal: type[Exception]
) -> None:
    good = thing(f"urn:good:{next(_numbers)}")
    with pytest.raises(refusal):
        await city.create(good, document)
    assert city.documents.get("", good.id) is None, "nor is the rest of it there"
    await city.create(good)


async def test_a_watcher_that_fails_does_not_keep_a_change_from_being_written(db: Database, city: City) -> None:
    def watch(changes: Sequence[EntityChange]) -> Sequence[object]:
        raise LookupError

    city.documents.watchers.append(watch)
    with pytest.raises(LookupError):
        await city.create(thing("urn:watched"))
    city.documents.watchers.clear()
    await city.create(thing("urn:next"))
    assert (await Documents.open(db)).get("", "urn:watched") == city.documents.get("", "urn:watched")
