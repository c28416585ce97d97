# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.columns import columns_of
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, EntityChange, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.entities.ordering import ordered
from citybrain.kernel.entities.query import EntityQuery, read_query
from citybrain.kernel.entities.search import FIRST_BLOCK, find, find_ids
from citybrain.kernel.entities.writing import HistoryRows, Writing
from citybrain.kernel.ld.context import CORE

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = "2026-05-01T12:00:00Z"
Kind = AttributeType


class Forgetful:
    """A writer for whom everything is committed at once and nothing is kept: these questions are put to memory."""

    def check(self) -> None:
        """It never stops."""

    def reserve(self, instances: int) -> int:
        """Numbers are of no use here."""
        return instances

    def history(self, changes: Sequence[tuple[int, EntityChange]]) -> HistoryRows:
        """There is none."""
        return HistoryRows()

    def commit(self, writing: Writing) -> asyncio.Future[None]:
        """Done."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def opened(now: datetime = NOON) -> Documents:
    documents = Documents(now=lambda: now)
    documents.write_by(Forgetful())
    return documents


def entity(number: int, *types: str, scope: str = "", expires_at: str = "", **values: Any) -> Document:
    attributes: Attributes = {
        name: tuple(
            each if isinstance(each, Instance) else Instance(type=Kind.PROPERTY, value=each, observed_at=AT)
            for each in (value if isinstance(value, tuple) else (value,))
        )
        for name, value in values.items()
    }
    return Document(
        id=f"urn:e:{number:04}",
        types=types or ("T",),
        scopes=(scope,) if scope else (),
        created_at=AT,
        modified_at=AT,
        expires_at=expires_at,
        attributes=attributes,
    )


def place(lon: float, lat: float, kind: str = "Point") -> Instance:
    corners = [[lon, lat], [lon + 0.5, lat + 0.5]]
    return Instance(
        type=Kind.GEO_PROPERTY, value={"type": kind, "coordinates": corners if kind == "LineString" else [lon, lat]}
    )


async def put(documents: Documents, *several: Document, tenant: str = "") -> None:
    await documents.apply([verbs.create(tenant, each, NOON) for each in several])


def naive(documents: Documents, query: EntityQuery, tenant: str = "") -> list[str]:
    """What asking every entity finds."""
    look_up = partial(documents.get, tenant)
    met = [each for each in documents.scan(tenant) if matches(each, query, look_up=look_up)]
    if query.ordering is not None:
        met = ordered(met, query.ordering, look_up=look_up)
    return [each.id for each in met]


async def check(documents: Documents, params: Mapping[str, str], offset: int = 0, limit: int = 7) -> None:
    """Columns and pages tell nothing else than asking every entity does."""
    query = read_query(params, CORE)
    expected = naive(documents, query)
    page = expected[offset : offset + limit]
    for count in (False, True, False):
        found = await find(documents, "", query, offset=offset, limit=limit, count=count)
        assert [each.id for each in found.documents] == page, params
        assert found.total == (len(expected) if count else None), params
        assert found.has_more is (len(expected) > offset + limit), params
    if query.ordering is None:
        assert await find_ids(documents, "", query) == expected


NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 2.5, 2**60])
TEXTS = st.sampled_from(["a", "b", "ab", "Ä"])
PLAIN = NUMBERS | TEXTS | st.booleans() | st.lists(TEXTS | NUMBERS, max_size=2) | st.just({"x": 1})
LINKS = st.sampled_from(["urn:e:0000", "urn:e:0001", "urn:e:0099"])
PLACES = st.builds(place, st.integers(0, 3), st.integers(0, 3), st.sampled_from(["Point", "Point", "LineString"]))
ENTITIES = st.fixed_dictionaries(
    {},
    optional={
        "x": PLAIN | st.tuples(NUMBERS, TEXTS),
        "y": NUMBERS,
        "z": TEXTS,
        "owner": LINKS.map(lambda id: Instance(type=Kind.RELATIONSHIP, value=id)),
        "word": TEXTS.map(lambda word: Instance(type=Kind.VOCAB_PROPERTY, value=word)),
        "name": TEXTS.map(lambda text: Instance(type=Kind.LANGUAGE_PROPERTY, value={"en": text, "de": "x"})),
        "location": PLACES,
        "scope": st.sampled_from(["/a", "/a/b", "/c"]),
    },
)
QUESTIONS = [
    {"type": "T"},
    {"type": "T,U", "q": "x>0"},
    {"type": "(T;U)"},
    {"q": "x==1,2,3"},
    {"q": "x!=1"},
    {"q": 'x!="a";y'},
    {"q": 'x=="a"|y>1'},
    {"q": "!x"},
    {"q": "x==0..2|y!=0..2"},
    {"q": 'z~="^a"'},
    {"q": 'z!~="b";z<"b"'},
    {"q": "x==true|x==1152921504606846976"},
    {"q": "owner==urn:e:0001;!name"},
    {"q": "owner{y}>0"},
    {"q": 'name[en]=="a"'},
    {"q": "word==https://uri.etsi.org/ngsi-ld/default-context/ab"},
    {"q": f"x.observedAt=={AT};createdAt>=2026-01-01T00:00:00Z"},
    {"attrs": "y,z"},
    {"scopeQ": "/a/#"},
    {"scopeQ": "/c,/a", "q": "y"},
    {"georel": "near;maxDistance==150000", "geometry": "Point", "coordinates": "[1,1]"},
    {"georel": "near;minDistance==150000", "geometry": "Point", "coordinates": "[1,1]"},
    {"georel": "near;maxDistance==90000", "geometry": "LineString", "coordinates": "[[0,0],[3,0]]"},
    *(
        {"georel": relation, "geometry": "Polygon", "coordinates": "[[[0,0],[2,0],[2,2],[0,2],[0,0]]]"}
        for relation in ("within", "intersects", "disjoint", "overlaps", "contains", "equals")
    ),
    {"idPattern": "[02468]$", "type": "T"},
    {"id": "urn:e:0003,urn:e:0001,urn:gone:1", "q": "!y|y"},
    {"type": "T", "orderBy": "x,y;desc"},
    {"orderBy": "z;desc"},
    {"orderBy": "location;dist-asc,id", "orderFrom": "[1,1]"},
]


@settings(max_examples=40, deadline=None)
@given(st.lists(ENTITIES, max_size=12), st.lists(ENTITIES, max_size=6), st.sets(st.integers(0, 11)))
def test_a_search_finds_what_asking_every_entity_finds_also_after_changes(
    first: list[dict[str, Any]], then: list[dict[str, Any]], gone: set[int]
) -> None:
    async def run() -> None:
        documents = opened()
        await put(documents, *(entity(n, *("TU" if n % 3 == 0 else "T"), **held) for n, held in enumerate(first)))
        for params in QUESTIONS:
            await check(documents, params)
        changes = []
        for number in gone & set(range(len(first))):
            before = documents.get("", f"urn:e:{number:04}")
            assert before is not None
            changes.append(verbs.delete(before, tenant="", at=NOON))
        await documents.apply(changes)
        for number, held in enumerate(then):
            before = documents.get("", f"urn:e:{number:04}")
            if before is None:
                await put(documents, entity(number, "U", **held))
            else:
                await documents.apply([verbs.replace(before, entity(number, "U", **held), tenant="", at=NOON)])
        for params in QUESTIONS:
            await check(documents, params)

    asyncio.run(run())


async def test_pages_go_on_where_the_last_one_ended_over_many_blocks() -> None:
    documents = opened()
    many = FIRST_BLOCK * 3
    await put(documents, *(entity(n, "U" if n % 50 == 0 else "T", y=n % 100, z=f"name {n % 7}") for n in range(many)))
    questions: Sequence[dict[str, str]] = [
        {"q": "y>97"},
        {"type": "U"},
        {"type": "U", "q": "y==50"},
        {"q": 'z=="name 3";y<5'},
        {"type": "T", "orderBy": "y;desc,z"},
        {"type": "T", "orderBy": "z,createdAt"},
        {"q": "y==200"},
    ]
    for params in questions:
        for offset in (0, 20, 45, 5000):
            await check(documents, params, offset=offset, limit=20)


async def test_tenants_are_searched_apart() -> None:
    documents = opened()
    await put(documents, entity(1, y=1))
    await put(documents, entity(1, y=2), entity(2, y=2), tenant="other")
    for tenant, expected in (("", 0), ("other", 2), ("unknown", 0)):
        found = await find(documents, tenant, read_query({"q": "y==2"}, CORE), count=True)
        assert found.total == expected


async def test_what_has_expired_is_not_found_though_columns_still_hold_it() -> None:
    clock = [NOON]
    documents = Documents(now=lambda: clock[0])
    documents.write_by(Forgetful())
    await put(documents, entity(1, y=1, expires_at="2026-05-01T13:00:00Z"), entity(2, y=1))
    query = read_query({"q": "y==1"}, CORE)
    assert (await find(documents, "", query, count=True)).total == 2
    clock[0] = NOON + timedelta(hours=2)
    found = await find(documents, "", query, count=True)
    assert ([each.id for each in found.documents], found.total) == (["urn:e:0002"], 1)


class Elsewhere:
    """One attribute whose value is not in the documents."""

    def names(self, types: tuple[str, ...]) -> tuple[str, ...]:
        """The attributes that are."""
        return ("y",)

    def over(self, document: Document) -> Document:
        """Everything is 7."""
        return entity(int(document.id[-4:]), *document.types, y=7)


async def test_what_is_observed_in_columns_is_asked_as_it_is_shown() -> None:
    documents = opened()
    await put(documents, entity(1, y=1), entity(2, y=1))
    documents.observed = Elsewhere()
    assert (await find(documents, "", read_query({"q": "y==7"}, CORE), count=True)).total == 2
    assert (await find(documents, "", read_query({"q": "y==1"}, CORE), count=True)).total == 0


@pytest.mark.parametrize("limit", [0, 5])
async def test_a_count_may_be_asked_without_entities(limit: int) -> None:
    documents = opened()
    await put(documents, *(entity(n, y=n) for n in range(9)))
    found = await find(documents, "", read_query({"type": "T"}, CORE), limit=limit, count=True)
    assert (len(found.documents), found.total, found.has_more) == (limit, 9, True)


async def test_a_text_that_changes_for_ever_does_not_fill_the_memory() -> None:
    documents = opened()
    await put(documents, entity(1, z="0"))
    query = read_query({"q": 'z=="last"'}, CORE)
    column = columns_of(documents).of_path("", Path(names=("z",)))
    column.words.extend(str(number) for number in range(20_000))
    await documents.apply([verbs.replace(entity(1, z="0"), entity(1, z="last"), tenant="", at=NOON)])
    assert (await find(documents, "", query, count=True)).total == 1
    assert len(columns_of(documents).of_path("", Path(names=("z",))).words) < 5
