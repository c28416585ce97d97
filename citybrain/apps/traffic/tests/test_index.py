# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.traffic import index
from citybrain.kernel.records import Batch, Column, Entity

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# fmt: off
LEVELS = [
    (100.0, 1, "free"),
    (70.1,  1, "above 70 % is 畅通"),
    (70.0,  2, "70 % itself is 基本畅通"),
    (50.1,  2, "above 50 %"),
    (50.0,  3, "50 % itself is 轻度拥堵"),
    (40.1,  3, "above 40 %"),
    (40.0,  4, "40 % itself is 中度拥堵"),
    (30.1,  4, "above 30 %"),
    (30.0,  5, "30 % itself is 严重拥堵"),
    (0.0,   5, "a road that stands"),
    (130.0, 1, "faster than free"),
    (np.nan, 0, "no data is no level"),
]
TPI = [
    (0.0, 0.0,  "no delay"),
    (0.15, 1.0, "half of the first band"),
    (0.3, 2.0,  "基本畅通 begins"),
    (0.4, 3.0,  "half of the second band"),
    (0.5, 4.0,  "轻度拥堵 begins"),
    (0.6, 6.0,  "中度拥堵 begins"),
    (0.7, 8.0,  "严重拥堵 begins"),
    (0.85, 9.0, "half of the last band"),
    (1.0, 10.0, "all time is delay"),
]
# fmt: on

speeds = st.floats(min_value=0.0, max_value=200.0)


@pytest.mark.parametrize(("speed_kmh", "level", "why"), LEVELS)
def test_the_level_of_a_road_follows_the_share_of_its_free_speed(speed_kmh: float, level: int, why: str) -> None:
    assert index.levels([speed_kmh], [100.0]).tolist() == [level], why


@pytest.mark.parametrize(("dtp", "tpi", "why"), TPI)
def test_tpi_goes_through_the_band_limits_of_appendix_c(dtp: float, tpi: float, why: str) -> None:
    assert float(index.performance_index(dtp)) == pytest.approx(tpi), why


def test_a_road_without_a_known_free_speed_has_no_level() -> None:
    assert index.levels([30.0, 30.0], [np.nan, 0.0]).tolist() == [0, 0]


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_tpi_is_within_0_and_10_and_never_falls_when_delay_grows(one: float, other: float) -> None:
    low, high = (float(index.performance_index(dtp)) for dtp in sorted((one, other)))
    assert 0.0 <= low <= high <= 10.0


@given(speeds, speeds)
def test_a_slower_road_never_has_a_better_level(one: float, other: float) -> None:
    slow, fast = index.levels(sorted((one, other)), [50.0, 50.0])
    assert 1 <= fast <= slow <= 5


@given(st.floats(1.0, 1000.0))
def test_dtp_is_the_share_of_the_time_that_is_delay(delay_index: float) -> None:
    assert float(index.delay_time_proportion(delay_index)) == pytest.approx((delay_index - 1.0) / delay_index)


def measured(speed_kmh: list[float], vehicles: list[float]) -> index.Network:
    count = len(speed_kmh)
    return index.network(
        length_m=[100.0 * (place + 1) for place in range(count)],
        free_kmh=[50.0] * count,
        speed_kmh=speed_kmh,
        vehicles=vehicles,
    )


def test_a_network_at_half_its_free_speed_takes_twice_the_time() -> None:
    now = measured([25.0, 25.0], [3.0, 1.0])
    assert now.delay_index == pytest.approx(2.0)
    assert now.dtp == pytest.approx(0.5)
    assert now.tpi == pytest.approx(4.0)


def test_the_index_is_all_travel_time_over_all_free_flow_time_of_the_same_kilometres() -> None:
    now = measured([50.0, 10.0], [2.0, 4.0])
    vehicle_km_per_h = np.array([2.0 * 50.0, 4.0 * 10.0])
    travel_h = (vehicle_km_per_h / [50.0, 10.0]).sum()
    free_h = (vehicle_km_per_h / 50.0).sum()
    assert now.delay_index == pytest.approx(travel_h / free_h)
    assert (now.travel_s, now.free_s) == pytest.approx((6.0, 2.0 + 0.8))


def test_a_road_without_data_counts_for_nothing_and_not_for_free_flow() -> None:
    assert measured([25.0, np.nan], [3.0, np.nan]).delay_index == measured([25.0], [3.0]).delay_index
    assert measured([25.0, np.nan], [3.0, np.nan]).covered == pytest.approx(1 / 3)


def test_a_network_without_any_data_has_no_index() -> None:
    now = measured([np.nan], [0.0])
    assert now.roads == 0
    assert np.isnan([now.delay_index, now.dtp, now.tpi, now.congested_share]).all()


def test_driving_faster_than_free_does_not_pay_for_delay_elsewhere() -> None:
    assert measured([100.0, 25.0], [1.0, 1.0]).delay_index == measured([50.0, 25.0], [1.0, 1.0]).delay_index


def test_the_shares_of_length_per_level_are_of_the_length_with_data() -> None:
    now = measured([45.0, 10.0, np.nan], [1.0, 1.0, 1.0])
    assert now.level_share == pytest.approx((1 / 3, 0.0, 0.0, 0.0, 2 / 3))
    assert now.congested_share == pytest.approx(2 / 3)


@given(st.lists(st.tuples(speeds, st.floats(0.5, 500.0)), min_size=1, max_size=8))
def test_the_index_of_a_network_is_finite_and_never_below_1(roads: list[tuple[float, float]]) -> None:
    now = measured([speed for speed, _ in roads], [vehicles for _, vehicles in roads])
    assert 1.0 - 1e-9 <= now.delay_index < 1000.0
    assert 0.0 <= now.tpi <= 10.0
    assert sum(now.level_share) == pytest.approx(1.0)


@given(st.lists(st.tuples(speeds, speeds), min_size=1, max_size=8))
def test_the_index_never_falls_when_every_road_gets_slower(pairs: list[tuple[float, float]]) -> None:
    vehicles = [2.0] * len(pairs)
    slow = measured([min(pair) for pair in pairs], vehicles)
    fast = measured([max(pair) for pair in pairs], vehicles)
    assert slow.delay_index >= fast.delay_index - 1e-9


def road(name: str, free_kmh: float = 50.0) -> Entity:
    return Entity(
        id=name,
        type="RoadSegment",
        source="test",
        observed_at=NOON,
        attributes={"length": 100.0, "maximumAllowedSpeed": free_kmh},
    )


def batch(*columns: Column) -> Batch:
    return Batch(id="1", source="test", observed_at=NOON, received_at=NOON, columns=columns)


def speed_column(ids: tuple[str, ...], values: list[float]) -> Column:
    return Column(attribute="averageVehicleSpeed", entity_ids=ids, values=np.array(values))


def test_columns_fall_on_their_places_in_whatever_order_they_come() -> None:
    places = index.Places([road("a"), road("b"), road("c")], "RoadSegment")
    first = batch(speed_column(("c", "stranger", "a"), [30.0, 99.0, 10.0]))
    assert np.array_equal(places.observed(first, "averageVehicleSpeed"), [10.0, np.nan, 30.0], equal_nan=True)
    second = batch(speed_column(("a",), [11.0]), speed_column(("b",), [22.0]))
    assert np.array_equal(places.observed(second, "averageVehicleSpeed"), [11.0, 22.0, np.nan], equal_nan=True)
    third = batch(speed_column(("c", "a", "b"), [1.0, 2.0, 3.0]))
    assert places.observed(third, "averageVehicleSpeed").tolist() == [2.0, 3.0, 1.0]


def test_screens_get_a_level_for_every_road_and_0_where_nothing_is_known() -> None:
    show = index.RoadLevels([road("a"), road("b"), road("c", free_kmh=100.0)])
    assert show(lambda _, ids: [dict(a=50.0, c=30.0).get(one) for one in ids]) == {"road_levels": [1, 0, 5]}
