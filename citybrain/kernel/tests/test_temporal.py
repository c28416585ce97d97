# SPDX-License-Identifier: Apache-2.0
"""The history of entities: what goes in comes out, cut, filtered and summed up as asked."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.attribute_reading import Part
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.query import EntityQuery, read_query
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.shape import Shape
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.journal import Journal
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.temporal import NoSuchEvolution, Selection, Temporal
from citybrain.kernel.pool.temporal_figures import FiguresOf
from citybrain.kernel.pool.temporal_form import Telling, represent_evolution
from citybrain.kernel.pool.temporal_query import InvalidRequest, read_temporal_query
from citybrain.kernel.pool.temporal_reading import read_evolution
from citybrain.kernel.pool.temporal_rows import instance_id, instance_number
from citybrain.kernel.pool.temporal_write import NoSuchInstance, TemporalWriting

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUS = "urn:ngsi-ld:Bus:1"


class Past:
    """A history to write and to ask."""

    def __init__(self, documents: Documents, temporal: Temporal) -> None:
        self.documents, self.temporal = documents, temporal
        self.writing = TemporalWriting(temporal, documents)

    async def add(self, payload: Mapping[str, Any], at: datetime = NOON) -> bool:
        given = read_evolution(dict(payload), CORE, text_of(at), whole=True)
        return await self.writing.add("", given, at=at)

    async def told(self, id: str = BUS, **params: str) -> dict[str, Any]:
        found = await self.temporal.retrieve("", id, selection(params))
        return shown(found.evolutions[0], params)

    async def query(self, **params: str) -> list[dict[str, Any]]:
        found = await self.temporal.query("", selection(params), offset=0, limit=100, count=True)
        assert found.total == len(found.evolutions)
        return [shown(each, params) for each in found.evolutions]

    async def figures(self, **params: str) -> dict[str, Any]:
        asked = selection(params)
        known = await self.temporal.known("", BUS)
        assert asked.temporal.aggregation is not None
        return (await FiguresOf(self.temporal).of([known], asked, asked.temporal.aggregation)).get(known.number, {})


def selection(params: Mapping[str, str]) -> Selection:
    names = frozenset(params["attrs"].split(",")) if "attrs" in params else None
    entities = read_query(params, CORE) if params.get("type") else EntityQuery()
    return Selection(entities=entities, temporal=read_temporal_query(params), names=names)


def shown(evolution: Any, params: Mapping[str, str]) -> dict[str, Any]:
    temporal = read_temporal_query(params)
    telling = Telling(form=temporal.form, shape=Shape(sys_attrs=temporal.sys_attrs), time=temporal.window.time)
    return represent_evolution(evolution, CORE, telling)


def at(minute: int) -> str:
    return text_of(NOON + minute * MINUTE)


def bus(*speeds: float, id: str = BUS, type: str = "Bus", **more: Any) -> dict[str, Any]:
    """A bus with a speed each minute from noon on."""
    instances = [{"type": "Property", "value": value, "observedAt": at(i)} for i, value in enumerate(speeds)]
    return {"id": id, "type": type, "speed": instances, **more}


@pytest.fixture
async def past(db: Database) -> AsyncIterator[Past]:
    await db.write("DELETE FROM history")
    await db.write("DELETE FROM document")
    documents = await Documents.open(db)
    pool = await Pool.open(db, (), documents)
    journal = await Journal.open(db, pool)
    yield Past(documents, Temporal(db, page=5))
    await journal.close()


async def pairs(past: Past, **params: str) -> list[Any]:
    told: list[Any] = (await past.told(format="temporalValues", **params))["speed"]["values"]
    return told


async def test_what_goes_in_comes_out_with_an_identifier_for_each_instance(past: Past) -> None:
    assert await past.add(bus(30, 32.5))
    told = await past.told()
    assert [(each["value"], each["observedAt"]) for each in told["speed"]] == [(30, at(0)), (32.5, at(1))]
    assert len({each["instanceId"] for each in told["speed"]}) == 2
    assert (told["id"], told["type"]) == (BUS, "Bus")


async def test_an_entity_that_is_only_past_is_none_of_now(past: Past) -> None:
    await past.add(bus(30))
    assert past.documents.get("", BUS) is None
    assert past.documents.number("", BUS) is not None


async def test_to_say_the_same_twice_changes_nothing_and_a_new_word_on_a_time_counts(past: Past) -> None:
    await past.add(bus(30, 32))
    assert not await past.add(bus(30, 33))
    assert await pairs(past) == [[30, at(0)], [33, at(1)]]


async def test_types_add_up(past: Past) -> None:
    await past.add(bus(30))
    await past.add(bus(31, type="Vehicle"))
    assert (await past.told())["type"] == ["Bus", "Vehicle"]


@pytest.mark.parametrize(
    ("params", "speeds"),
    [
        ({"timerel": "before", "timeAt": at(2)}, [10, 11]),
        ({"timerel": "after", "timeAt": at(2)}, [12, 13]),
        ({"timerel": "between", "timeAt": at(1), "endTimeAt": at(3)}, [11, 12]),
        ({"lastN": "3"}, [11, 12, 13]),
        ({"lastN": "1", "timerel": "before", "timeAt": at(2)}, [11]),
    ],
)
async def test_a_window_holds_what_lies_in_it(past: Past, params: dict[str, str], speeds: list[int]) -> None:
    await past.add(bus(10, 11, 12, 13))
    assert [value for value, _ in await pairs(past, **params)] == speeds


async def test_what_does_not_fit_is_cut_at_one_time_for_all_attributes(past: Past) -> None:
    late = [{"type": "Property", "value": i, "observedAt": at(i)} for i in range(3, 7)]
    await past.add(bus(*range(20), fuel=late))
    found = await past.temporal.retrieve("", BUS, selection({"timerel": "after", "timeAt": at(0)}))
    assert found.range is not None
    assert (found.range.start, found.range.end, found.range.size) == (NOON, NOON + 4 * MINUTE, None)
    told = shown(found.evolutions[0], {})
    assert [each["value"] for each in told["speed"]] == [0, 1, 2, 3, 4]
    assert [each["value"] for each in told["fuel"]] == [3, 4], "nothing after the cut, so that nothing is missed"


async def test_backwards_the_newest_fit(past: Past) -> None:
    late = [{"type": "Property", "value": 0, "observedAt": at(0)}]
    await past.add(bus(*range(20), fuel=late))
    found = await past.temporal.retrieve("", BUS, selection({"lastN": "10"}))
    assert found.range is not None
    assert (found.range.start, found.range.end, found.range.size) == (NOON + 19 * MINUTE, NOON + 15 * MINUTE, 10)
    assert shown(found.evolutions[0], {})["fuel"] == [], "it has some, but not here"


async def test_what_happened_to_an_entity_of_now_is_its_past(past: Past) -> None:
    made = Instance(type=AttributeType.RELATIONSHIP, value="urn:stop:1")
    document = Document(id=BUS, types=("Bus",), scopes=("/City",), attributes={"atStop": (made,)})
    await past.documents.apply([verbs.create("", document, NOON)])
    before = past.documents.get("", BUS)
    assert before is not None
    change = verbs.delete_attribute(before, "atStop", tenant="", at=NOON + MINUTE)
    assert change is not None
    await past.documents.apply([change])
    told = await past.told()
    assert [each["object"] for each in told["atStop"]] == ["urn:stop:1", "urn:ngsi-ld:null"]
    assert told["atStop"][1]["deletedAt"] == at(1)
    assert told["scope"][0]["value"] == "/City"
    assert told["scope"][0]["observedAt"] == at(0)
    gone = await past.told(timeproperty="deletedAt")
    assert set(gone) == {"id", "type", "atStop"}


async def test_an_attribute_that_the_past_holds_as_there_can_be_ended_once(past: Past) -> None:
    await past.add(bus(30))
    assert await past.writing.end_attribute("", BUS, "speed", at=NOON + MINUTE)
    assert not await past.writing.end_attribute("", BUS, "speed", at=NOON + 2 * MINUTE)
    assert (await past.told(timeproperty="deletedAt"))["speed"][0]["value"] == "urn:ngsi-ld:null"


async def test_a_filter_looks_at_the_window_only(past: Past) -> None:
    await past.add(bus(90, 10))
    await past.add(bus(10, 90, id="urn:ngsi-ld:Bus:2"))
    found = await past.query(type="Bus", q="speed>50", timerel="after", timeAt=at(1))
    assert [each["id"] for each in found] == ["urn:ngsi-ld:Bus:2"]
    assert await past.query(type="Tram", timerel="after", timeAt=at(0)) == []


async def test_a_scope_counts_from_when_it_was_set_until_it_was_replaced(past: Past) -> None:
    scopes = [
        {"type": "Property", "value": "/North", "observedAt": at(-60)},
        {"type": "Property", "value": ["/South", "/Night"], "observedAt": at(2)},
    ]
    await past.add(bus(1, 2, 3, 4, scope=scopes))
    for scope, speeds in (("/North", [1, 2]), ("/South", [3, 4]), ("/Night;/South", [3, 4])):
        found = await past.query(
            type="Bus", scopeQ=scope, timerel="between", timeAt=at(0), endTimeAt=at(9), format="temporalValues"
        )
        assert [value for value, _ in found[0]["speed"]["values"]] == speeds, scope
    assert await past.query(type="Bus", scopeQ="/East", timerel="after", timeAt=at(0)) == []


async def test_figures_are_those_of_periods_from_the_first_value_on(past: Past) -> None:
    await past.add(bus(10, 20, 40))
    told = await past.figures(
        aggrMethods="totalCount,distinctCount,sum,avg,min,max,stddev,sumsq", aggrPeriodDuration="PT2M"
    )
    (speed,) = told["speed"]
    assert speed.pop("type") == "Property"
    first = {name: held[0][0] for name, held in speed.items()}
    assert first == {
        "totalCount": 2, "distinctCount": 2, "sum": 30, "avg": 15, "min": 10, "max": 20, "stddev": 5, "sumsq": 500,
    }  # fmt: skip
    assert [held[1:] for held in speed["sum"]] == [[at(0), at(2)], [at(2), at(4)]]


async def test_the_whole_time_is_one_period(past: Past) -> None:
    await past.add(bus(10, 20, 40))
    told = await past.figures(aggrMethods="sum", timerel="between", timeAt=at(0), endTimeAt=at(60))
    assert told["speed"][0]["sum"] == [[70, at(0), at(60)]]


async def test_months_are_those_of_the_calendar(past: Past) -> None:
    days = ["2026-01-31T00:00:00Z", "2026-02-27T00:00:00Z", "2026-02-28T00:00:00Z"]
    speed = [{"type": "Property", "value": i, "observedAt": day} for i, day in enumerate(days)]
    await past.add({"id": BUS, "type": "Bus", "speed": speed})
    told = await past.figures(aggrMethods="totalCount", aggrPeriodDuration="P1M")
    assert told["speed"][0]["totalCount"] == [
        [2, "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"],
        [1, "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"],
    ]


@pytest.mark.parametrize(
    ("instances", "methods", "told"),
    [
        ([{"value": "b"}, {"value": "a"}], "min,max,sum,totalCount", {"min": "a", "max": "b", "totalCount": 2}),
        ([{"value": [1]}, {"value": [1, 2]}], "min,max,avg,stddev", {"min": 1, "max": 2, "avg": 1.5}),
        ([{"value": {"a": 1}}, {"value": {"a": 1}}], "distinctCount,max", {"distinctCount": 1}),
        ([{"value": True}, {"value": False}], "sum,avg", {"sum": 1, "avg": 0.5}),
    ],
)
async def test_each_kind_of_value_has_its_figures(
    past: Past, instances: list[dict[str, Any]], methods: str, told: dict[str, Any]
) -> None:
    seen = [{"type": "Property", "observedAt": at(i), **each} for i, each in enumerate(instances)]
    await past.add({"id": BUS, "type": "Bus", "x": seen})
    (figures,) = (await past.figures(aggrMethods=methods))["x"]
    assert {name: held[0][0] for name, held in figures.items() if name != "type"} == told


async def test_an_attribute_asked_for_without_any_of_the_figures_is_refused(past: Past) -> None:
    await past.add(bus(1, stop=[{"type": "Relationship", "object": "urn:stop:1", "observedAt": at(0)}]))
    assert set(await past.figures(aggrMethods="avg")) == {"speed"}
    with pytest.raises(InvalidRequest):
        await past.figures(aggrMethods="avg", attrs="stop")


async def test_one_instance_is_corrected_and_keeps_its_identifier(past: Past) -> None:
    await past.add(bus(30, 31))
    first = (await past.told())["speed"][0]["instanceId"]
    number = instance_number(first)
    assert number is not None
    later = Part(value=35, members={"observed_at": at(5)})
    await past.writing.modify_instance("", BUS, "speed", number, later, at=NOON)
    told = await past.told()
    assert [(each["value"], each["observedAt"]) for each in told["speed"]] == [(31, at(1)), (35, at(5))]
    assert told["speed"][1]["instanceId"] == first
    await past.writing.delete_instance("", BUS, "speed", number)
    assert len((await past.told())["speed"]) == 1
    with pytest.raises(NoSuchInstance):
        await past.writing.delete_instance("", BUS, "speed", number)


async def test_attributes_and_whole_evolutions_are_taken_out(past: Past) -> None:
    fuel = [{"type": "Property", "value": 1, "observedAt": at(0), "datasetId": "urn:d:1"}]
    await past.add(bus(30, fuel=fuel))
    with pytest.raises(NoSuchInstance):
        await past.writing.delete_attribute("", BUS, "fuel")
    await past.writing.delete_attribute("", BUS, "fuel", dataset_id="urn:d:1")
    assert set(await past.told()) == {"id", "type", "speed"}
    await past.writing.forget("", BUS)
    with pytest.raises(NoSuchEvolution):
        await past.told()


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "Bus", "speed": [{"type": "Property", "value": 1}]},
        {"id": BUS, "speed": [{"type": "Property", "value": 1}]},
        {"id": "bus", "type": "Bus"},
        {"id": BUS, "type": "Bus", "speed": [{"type": "Property", "value": 1, "observedAt": "2026-05-01"}]},
        {"id": BUS, "type": "Bus", "speed": [{"type": "Property"}]},
        {"id": BUS, "type": "Bus", "expiresAt": "urn:ngsi-ld:null"},
        {"id": BUS, "type": "Bus", "scope": [{"type": "Property", "value": "not a scope"}]},
        [],
    ],
)
async def test_what_is_no_evolution_is_refused(payload: Any) -> None:
    with pytest.raises(BadRequestData):
        read_evolution(payload, CORE, at(0), whole=True)


async def test_a_deletion_may_be_part_of_what_is_sent(past: Past) -> None:
    names = [
        {"type": "LanguageProperty", "languageMap": {"en": "Line 1"}, "observedAt": at(0)},
        {"type": "LanguageProperty", "languageMap": {"@none": "urn:ngsi-ld:null"}, "observedAt": at(1)},
    ]
    await past.add({"id": BUS, "type": "Bus", "label": names})
    told = await past.told(format="temporalValues")
    assert told["label"]["languageMaps"][1] == [{"languageMap": {"@none": "urn:ngsi-ld:null"}}, at(1)]


def test_an_identifier_that_is_none_of_ours_has_no_number() -> None:
    assert instance_number(instance_id(7)) == 7
    for other in ("urn:x:7", "urn:ngsi-ld:instance:", "urn:ngsi-ld:instance:-1", f"urn:ngsi-ld:instance:{2**64}"):
        assert instance_number(other) is None
