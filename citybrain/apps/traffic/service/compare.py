# SPDX-License-Identifier: Apache-2.0
"""Before and after: what the roads of an area did in two spans of time, with how sure the difference is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite, nan, sqrt
from typing import Annotated

import msgspec
import numpy as np

from citybrain.apps.traffic.index import network
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Entity, Json, Text
from citybrain.kernel.store import Store

WINDOW = timedelta(minutes=5)
"""Samples of one window are one value: neighbours within it say almost the same."""

CONFIDENCE = 0.95
LONGEST = timedelta(days=31)

Box = tuple[float, float, float, float]


class SpanUnusable(Invalid):
    """A span that ends before it begins, is too long, or in which nothing was observed."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From a time to before another one."""

    since: datetime
    until: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to compare: the roads whose middle lies in a box (west, south, east, north; without one, all)."""

    before: Span
    after: Span
    box: Annotated[tuple[float, ...], msgspec.Meta(min_length=4, max_length=4)] | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure before and after.

    `low` and `high` bound the difference with 95 % confidence (Welch 1947, windows of 5 minutes taken as independent);
    None where a span has fewer than two windows.
    """

    figure: str
    unit: str
    before: float | None
    after: float | None
    change_percent: float | None
    low: float | None
    high: float | None
    windows_before: int
    windows_after: int
    lower_is_better: bool


class RoadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One road of the area: its mean speed before and after, and from how many samples."""

    road_id: str
    name: Text
    length_m: float
    limit_kmh: float
    before_kmh: float | None
    after_kmh: float | None
    samples_before: int
    samples_after: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, and the rows behind them: those roads first that got slower."""

    before: Span
    after: Span
    figures: tuple[Difference, ...]
    roads: tuple[RoadRow, ...]


FIGURES = (("delay_index", "", True), ("tpi", "", True), ("congested_share", "%", True), ("speed_kmh", "km/h", False))
"""Name, unit, whether lower is better. The first three as on the page of indices (GB/T 33171-2016, AMAP)."""


async def compare(store: Store, asked: Asked) -> Comparison:
    """The figures of an area in two spans; refuses spans that cannot be compared, naming which."""
    roads = [one for one in store.pool.entities("RoadSegment") if _is_inside(one, asked.box)]
    sides = {name: await _side(store, roads, span, name) for name, span in _spans(asked)}
    before, after = sides["before"], sides["after"]
    return Comparison(
        before=asked.before,
        after=asked.after,
        figures=tuple(
            difference(name, unit, before.windows[name], after.windows[name], lower) for name, unit, lower in FIGURES
        ),
        roads=tuple(sorted((_row(one, before, after) for one in roads), key=_slower_first)),
    )


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one span holds: values per figure and window, speeds per road."""

    windows: Mapping[str, Sequence[float]]
    speeds: Mapping[str, Sequence[float]]


def difference(name: str, unit: str, before: Sequence[float], after: Sequence[float], lower: bool) -> Difference:
    """The difference of two means with its bounds."""
    was, now = _mean(before), _mean(after)
    low = high = None
    if was is not None and now is not None and min(len(before), len(after)) > 1:
        low, high = welch(before, after)
    return Difference(
        figure=name,
        unit=unit,
        before=was,
        after=now,
        change_percent=100.0 * (now - was) / was if was and now is not None else None,
        low=low,
        high=high,
        windows_before=len(before),
        windows_after=len(after),
        lower_is_better=lower,
    )


def welch(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Bounds of mean(after) − mean(before) at 95 %: Student's t with Welch's degrees of freedom."""
    # Loading it takes a second, which a city that compares nothing need not wait.
    from scipy import stats

    parts = [float(np.var(one, ddof=1)) / len(one) for one in (before, after)]
    middle = float(np.mean(after) - np.mean(before))
    error = sqrt(sum(parts))
    if error == 0.0:
        return middle, middle
    freedom = sum(parts) ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (before, after), strict=True))
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * error
    return middle - reach, middle + reach


def _spans(asked: Asked) -> Iterable[tuple[str, Span]]:
    for name, span in (("before", asked.before), ("after", asked.after)):
        if not timedelta(0) < span.until - span.since <= LONGEST:
            raise SpanUnusable("traffic.span_unusable", {"span": name, "days": LONGEST.days})
        yield name, span


async def _side(store: Store, roads: Sequence[Entity], span: Span, name: str) -> Side:
    ids = [one.id for one in roads]
    speeds = await store.pool.histories(ids, "averageVehicleSpeed", since=span.since, until=span.until)
    counts = await store.pool.histories(ids, "vehicleCount", since=span.since, until=span.until)
    if not any(speeds.values()):
        raise SpanUnusable("traffic.span_without_data", {"span": name})
    return Side(
        windows=windows(roads, speeds, counts),
        speeds={id: [float(kmh) for _, kmh in rows if kmh is not None] for id, rows in speeds.items()},
    )


History = Mapping[str, Sequence[tuple[datetime, Json]]]


def windows(roads: Sequence[Entity], speeds: History, counts: History) -> dict[str, list[float]]:
    """Each figure in each window of five minutes that has any data."""
    length_m = np.array([float(one.attributes["length"]) for one in roads])
    free_kmh = np.array([float(one.attributes["maximumAllowedSpeed"]) for one in roads])
    place = {one.id: at for at, one in enumerate(roads)}
    speed_at, count_at = _by_time(speeds, place), _by_time(counts, place)
    gathered: dict[float, list[tuple[float, ...]]] = defaultdict(list)
    for at, kmh in speed_at.items():
        vehicles = count_at.get(at, np.full(len(roads), nan))
        now = network(length_m=length_m, free_kmh=free_kmh, speed_kmh=kmh, vehicles=np.nan_to_num(vehicles))
        seen = np.isfinite(kmh) & (np.nan_to_num(vehicles) > 0)
        mean_kmh = float(np.average(kmh[seen], weights=vehicles[seen])) if seen.any() else nan
        values = (now.delay_index, now.tpi, 100.0 * now.congested_share, mean_kmh)
        gathered[at.timestamp() // WINDOW.total_seconds()].append(values)
    found: dict[str, list[float]] = {name: [] for name, _, _ in FIGURES}
    for _, rows in sorted(gathered.items()):
        for (name, _, _), column in zip(FIGURES, zip(*rows, strict=True), strict=True):
            known = [value for value in column if isfinite(value)]
            if known:
                found[name].append(float(np.mean(known)))
    return found


def _by_time(
    history: History, place: Mapping[str, int]
) -> dict[datetime, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    found: dict[datetime, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for id, rows in history.items():
        for at, value in rows:
            if at not in found:
                found[at] = np.full(len(place), nan)
            found[at][place[id]] = nan if value is None else float(value)
    return found


def _row(road: Entity, before: Side, after: Side) -> RoadRow:
    was, now = before.speeds[road.id], after.speeds[road.id]
    return RoadRow(
        road_id=road.id,
        name=road.name,
        length_m=float(road.attributes["length"]),
        limit_kmh=float(road.attributes["maximumAllowedSpeed"]),
        before_kmh=_mean(was),
        after_kmh=_mean(now),
        samples_before=len(was),
        samples_after=len(now),
    )


def _slower_first(row: RoadRow) -> tuple[bool, float]:
    known = row.before_kmh is not None and row.after_kmh is not None
    return not known, (row.after_kmh or 0.0) - (row.before_kmh or 0.0)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _is_inside(road: Entity, box: Sequence[float] | None) -> bool:
    if box is None:
        return True
    line = (road.geometry or {}).get("coordinates") or [(nan, nan)]
    lon, lat = line[len(line) // 2][:2]
    west, south, east, north = box
    return bool(west <= lon <= east and south <= lat <= north)
