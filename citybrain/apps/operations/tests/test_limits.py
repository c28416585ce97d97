# SPDX-License-Identifier: Apache-2.0
"""Flood, crowd, air and noise: when a value is an event, how bad it is, and when it is over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from citybrain.apps.operations.detect.air import LIMITS, MARKS, index
from citybrain.apps.operations.detect.all import MERGES, air, crowd, flood, noise
from citybrain.apps.operations.detect.crowd import area_m2
from citybrain.apps.operations.detect.watching import Watch
from citybrain.kernel.app import App, Frame
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Batch, Because, Column, Entity, Event, Json, Severity

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)  # twelve in China
MIDNIGHT = datetime(2026, 6, 1, 16, tzinfo=UTC)
HERE = {"type": "Point", "coordinates": [120.1, 30.2]}


def thing(type: str, name: str = "1", geometry: Json = HERE, **facts: Json) -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:{type}:{name}",
        type=type,
        source="test",
        observed_at=NOON,
        geometry=geometry,
        attributes=facts,
    )


def batch(at: datetime, values: Mapping[str, Mapping[str, float]]) -> Batch:
    columns = tuple(
        Column(attribute=name, entity_ids=tuple(of), values=np.array(list(of.values()))) for name, of in values.items()
    )
    return Batch(id=f"b{at:%H%M%S}", source="test", observed_at=at, received_at=at, columns=columns)


def told(
    watch: Watch, entity: Entity, attribute: str, rows: Sequence[tuple[float, float | None]], since: datetime = NOON
) -> list[Event]:
    """What is told of rows of minutes and value; None is a batch without it."""
    return [
        event
        for minutes, value in rows
        for event in watch(
            batch(since + timedelta(minutes=minutes), {} if value is None else {attribute: {entity.id: value}})
        )
    ]


@pytest.mark.parametrize(
    ("depth_m", "severity"),
    [
        (0.14, None),
        (0.15, Severity.IV),
        (0.27, Severity.III),
        (0.40, Severity.II),
        (0.50, Severity.I),
    ],
)
def test_a_road_is_flooded_by_depth(depth_m: float, severity: Severity | None) -> None:
    gauge = thing("FloodMonitoring", road="urn:ngsi-ld:RoadSegment:7")
    events = told(flood([gauge]), gauge, "currentLevel", [(0, depth_m)])
    assert [event.severity for event in events] == ([severity] if severity else [])
    for event in events:
        assert event.evidence["depth_m"] == depth_m
        assert event.evidence["place"] == {"road": "urn:ngsi-ld:RoadSegment:7"}


def test_a_river_gauge_has_marks_of_its_own_and_a_gauge_over_a_datum_is_read_from_there() -> None:
    river = thing("FloodMonitoring", "river", alertLevel=3.0, dangerLevel=4.0)
    datum = thing("FloodMonitoring", "datum", referenceLevel=2.0)
    watch = flood([river, datum])
    assert told(watch, river, "currentLevel", [(0, 2.6)]) == []
    (opened,) = told(watch, river, "currentLevel", [(1, 3.1)])
    assert (opened.severity, opened.because.facts["limit_m"]) == (Severity.III, 3.0)
    (worse,) = told(watch, river, "currentLevel", [(2, 4.0)])
    assert (worse.id, worse.severity, worse.at) == (opened.id, Severity.II, opened.at)
    (over,) = told(watch, datum, "currentLevel", [(3, 2.2)])
    assert over.because.facts["depth_m"] == 0.2


def test_in_a_downpour_water_that_rises_is_an_event_before_it_is_deep() -> None:
    gauge, near = thing("FloodMonitoring"), thing("WeatherObserved")
    far = thing("WeatherObserved", "far", {"type": "Point", "coordinates": [120.3, 30.2]})
    rising: list[tuple[float, float | None]] = [(1, 0.05), (2, 0.09)]
    for rain, found in ((near, 1), (far, 0)):
        watch = flood([gauge, rain])
        watch(batch(NOON, {"precipitation": {rain.id: 30.0}}))
        events = told(watch, gauge, "currentLevel", rising)
        assert [event.because.code for event in events] == ["operations.flood_rising"] * found
    assert told(flood([gauge]), gauge, "currentLevel", rising) == []


def test_a_flood_is_over_when_it_stayed_below_for_ten_minutes_and_waves_are_one_event() -> None:
    gauge = thing("WaterLevelObserved")
    rows = [(0, 0.2), (1, 0.1), (5, 0.16), (6, 0.1), (15, None), (16, None)]
    opened, ended = told(flood([gauge]), gauge, "waterLevel", rows)
    assert opened.id == ended.id
    assert (ended.ended_at, ended.because.code) == (NOON + timedelta(minutes=16), "operations.flood_over")


def test_water_that_stood_there_before_the_city_began_is_found_though_the_gauge_says_nothing_new() -> None:
    gauge = thing("FloodMonitoring", currentLevel=0.3)
    (event,) = flood([gauge])(batch(NOON, {}))
    assert (event.severity, event.because.facts["depth_m"]) == (Severity.III, 0.3)


@pytest.mark.parametrize(
    ("people", "severity"),
    [
        (216, None),
        (217, Severity.IV),
        (400, Severity.III),
        (470, Severity.II),
        (700, Severity.I),
    ],
)
def test_a_crowd_is_dense_by_people_a_square_metre(people: float, severity: Severity | None) -> None:
    square = thing("CrowdFlowObserved", measuredArea=100.0)
    events = told(crowd([square]), square, "peopleCount", [(0, people)])
    assert [event.severity for event in events] == ([severity] if severity else [])


def test_a_place_is_full_by_its_capacity_and_without_area_and_capacity_nothing_is_said() -> None:
    park, meadow = thing("CrowdFlowObserved", "park", capacity=1000), thing("CrowdFlowObserved", "meadow")
    watch = crowd([park, meadow])
    (event,) = told(watch, park, "peopleCount", [(0, 1000)])
    assert (event.severity, event.because.facts) == (
        Severity.III,
        {"people": 1000, "percent": 100, "capacity": 1000},
    )
    assert told(watch, meadow, "peopleCount", [(0, 1e6)]) == []


def test_the_area_of_a_polygon_is_without_its_holes() -> None:
    degree = 111_194.9
    square = [[0.0, 0.0], [100 / degree, 0.0], [100 / degree, 100 / degree], [0.0, 100 / degree], [0.0, 0.0]]
    hole = [[x / 2, y / 2] for x, y in square]
    assert area_m2({"type": "Polygon", "coordinates": [square]}) == pytest.approx(10_000, rel=1e-4)
    assert area_m2({"type": "Polygon", "coordinates": [square, hole]}) == pytest.approx(7_500, rel=1e-4)
    assert np.isnan(area_m2(HERE))


@pytest.mark.parametrize(
    ("pollutant", "concentration", "expected"),
    [("pm25", 35, 50), ("pm25", 115, 150), ("pm10", 300, 175), ("o3", 800, 300), ("no2", 150, 75), ("so2", 9999, 200)],
)
def test_the_index_is_that_of_the_standard(pollutant: str, concentration: float, expected: float) -> None:
    assert index(pollutant, np.array([float(concentration)])) == pytest.approx([expected])
    assert set(MARKS) | {"nox"} >= set(LIMITS)


@pytest.mark.parametrize(
    ("pollutant", "mean", "severity"),
    [
        ("o3", 200, None),
        ("o3", 201, Severity.IV),
        ("o3", 301, Severity.III),
        ("no2", 1201, Severity.II),
        ("pm25", 115, None),
        ("pm25", 116, Severity.III),
        ("pm25", 251, Severity.I),
    ],
)
def test_air_is_over_its_limit_by_the_hour_s_mean(pollutant: str, mean: float, severity: Severity | None) -> None:
    station = thing("AirQualityObserved", averagedOver_s=3600)
    events = told(air([station]), station, pollutant, [(0, mean)])
    assert [event.severity for event in events] == ([severity] if severity else [])


def test_a_station_that_reports_each_minute_is_judged_after_three_quarters_of_an_hour() -> None:
    station = thing("AirQualityObserved")
    rows: list[tuple[float, float | None]] = [(minute, 400.0) for minute in range(60)]
    (event,) = told(air([station]), station, "no2", rows)
    assert event.at == NOON + timedelta(minutes=44)
    rows = [(minute, 3000.0 if minute == 50 else 40.0) for minute in range(60)]
    assert told(air([station]), station, "no2", rows) == [], "one value is no hour"


@pytest.mark.parametrize(
    ("zone", "at", "limit"),
    [
        ("0", NOON, 50),
        ("1", NOON, 55),
        (None, NOON, 60),
        ("3", NOON, 65),
        ("4a", MIDNIGHT, 55),
        ("4b", MIDNIGHT, 60),
        ("1", MIDNIGHT, 45),
    ],
)
def test_noise_is_held_against_its_zone_and_the_hour(zone: str | None, at: datetime, limit: float) -> None:
    facts = {"noiseZone": zone} if zone else {}
    meter = thing("NoiseLevelObserved", averagedOver_s=600, **facts)
    assert told(noise([meter]), meter, "LAeq", [(0, limit)], at) == []
    for over, severity in ((0.5, Severity.IV), (6, Severity.III), (11, Severity.II)):
        (event,) = told(noise([meter]), meter, "LAeq", [(0, limit + over)], at)
        assert (event.severity, event.evidence["limit_db"]) == (severity, limit)


def test_noise_is_averaged_as_energy_over_ten_minutes() -> None:
    meter = thing("NoiseLevelObserved")
    rows: list[tuple[float, float | None]] = [(minute, 75.0 if minute == 5 else 50.0) for minute in range(10)]
    (event,) = told(noise([meter]), meter, "LAeq", rows)
    assert event.at == NOON + timedelta(minutes=8)
    assert event.evidence["level_db"] == pytest.approx(65.5, abs=0.1)


def test_a_single_noise_at_night_may_be_louder_by_fifteen_and_no_more() -> None:
    meter = thing("NoiseLevelObserved", noiseZone="1")
    assert told(noise([meter]), meter, "LAmax", [(0, 60.0)], MIDNIGHT) == []
    (event,) = told(noise([meter]), meter, "LAmax", [(1, 60.5)], MIDNIGHT)
    assert event.because.code == "operations.noise_limit_sudden"
    assert told(noise([meter]), meter, "LAmax", [(0, 90.0)], NOON) == []


Begin = Callable[[Sequence[Entity]], Watch]


@pytest.mark.parametrize(
    ("begin", "entity", "attribute", "value"),
    [
        (flood, thing("FloodMonitoring"), "currentLevel", 0.6),
        (crowd, thing("CrowdFlowObserved", measuredArea=10.0), "peopleCount", 60.0),
        (air, thing("AirQualityObserved", averagedOver_s=3600), "pm25", 300.0),
        (noise, thing("NoiseLevelObserved", averagedOver_s=600), "LAeq", 80.0),
    ],
)
def test_a_thing_that_comes_while_the_city_runs_is_watched_and_one_that_goes_ends_its_event(
    begin: Begin, entity: Entity, attribute: str, value: float
) -> None:
    watch = begin(())
    assert told(watch, entity, attribute, [(0, value)]) == []
    watch.meet([entity], ())
    (opened,) = told(watch, entity, attribute, [(1, value)])
    watch.meet((), [entity.id])
    (ended,) = told(watch, entity, attribute, [(2, None)])
    assert (ended.id, ended.because.code) == (opened.id, "operations.thing_gone")
    assert told(watch, entity, attribute, [(3, value)]) == []


def test_many_things_are_looked_at_together_and_each_has_its_own_event() -> None:
    gauges = [thing("FloodMonitoring", str(number)) for number in range(200)]
    values = {gauge.id: 0.2 if number % 2 else 0.0 for number, gauge in enumerate(gauges)}
    events = flood(gauges)(batch(NOON, {"currentLevel": values}))
    assert {event.entity_id for event in events} == {id for id, depth in values.items() if depth}
    assert len({event.id for event in events}) == 100


def test_the_nearest_road_is_where_it_is() -> None:
    line = {"type": "LineString", "coordinates": [[120.09, 30.2001], [120.11, 30.2001]]}
    other = {"type": "LineString", "coordinates": [[120.09, 30.21], [120.11, 30.21]]}
    roads = [thing("RoadSegment", "near", line), thing("RoadSegment", "far", other)]
    gauge = thing("FloodMonitoring")
    (event,) = told(flood([*roads, gauge]), gauge, "currentLevel", [(0, 0.2)])
    assert event.evidence["place"] == {"road": roads[0].id}
    (event,) = told(flood([roads[1], gauge]), gauge, "currentLevel", [(0, 0.2)])
    assert "place" not in event.evidence


def test_an_anomaly_of_a_gauge_and_its_flood_are_one_event() -> None:
    gauge = thing("FloodMonitoring")
    odd = Event(
        id="odd",
        kind="operations.anomaly",
        severity=Severity.IV,
        at=NOON,
        entity_id=gauge.id,
        because=Because(code="operations.anomaly_high"),
    )
    watch = flood([gauge])

    class Both:
        def __call__(self, batch: Batch) -> list[Event]:
            return [odd] if batch.observed_at == NOON else watch(batch)

    app = App(name="operations", folder=Path(), detectors=(lambda _: Both(),), merges=MERGES)
    loop = Loop([app], [gauge], arm="brain", decide=True)
    first = loop.step(Frame(batch=batch(NOON, {})))
    assert [event.id for event in first.events] == ["odd"]
    deep = loop.step(Frame(batch=batch(NOON + timedelta(minutes=1), {"currentLevel": {gauge.id: 0.3}})))
    told = {event.kind: event for event in deep.events}
    assert told["operations.anomaly"].ended_at is not None
    assert told["operations.flood"].evidence["signs"][0]["kind"] == "operations.anomaly"
