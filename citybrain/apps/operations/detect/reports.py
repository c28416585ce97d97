# SPDX-License-Identifier: Apache-2.0
"""Reports of citizens that cluster in place and time, whatever they are about.

The space-time permutation scan of Kulldorff, Heffernan, Hartman, Assunção and Mostashari (PLoS Medicine 2(3), 2005):
cylinders of several radii and lengths that end now are held against what chance makes of the same places and times,
by the Poisson likelihood ratio. The places of all reports are kept and their times shuffled; to the largest ratios of
the shuffles a Gumbel distribution is fitted, so that chances far smaller than one in the number of shuffles can be told
(Abrams, Kulldorff and Kleinman, International Journal of Health Geographics 9:61, 2010). Hours and days on which
everybody reports more raise what is expected everywhere, so they are no cluster.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import cos, radians

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.operations.detect.roster import Numbers
from citybrain.apps.operations.detect.watching import event_id, short
from citybrain.kernel.geo import EARTH_RADIUS_M
from citybrain.kernel.records import Batch, Because, Entity, Event, Severity

CLUSTER = "operations.reports_cluster"
REQUEST = "Open311ServiceRequest"

RADII_M = (300.0, 600.0, 1000.0)
WINDOWS_S = (1800.0, 3600.0, 7200.0, 21_600.0)
BEFORE = timedelta(days=28)
MOST_REPORTS, MOST_CENTRES, MOST_CLUSTERS = 5_000, 60, 5
SHUFFLES = 99
FEWEST = 5
TIMES = 3.0  # fewer than so many times the expected are not tried
FEWEST_KNOWN = 30  # before so many reports are known nothing can be called unusual
# So rare that chance alone makes one in a year of looking each hour (recurrence interval: Kleinman, Lazarus & Platt,
# American Journal of Epidemiology 159(3), 2004).
MOST_CHANCE = 1 / (365 * 24)
SEVERE = 20  # from so many reports on II, else III; our convention
LOOK_EVERY_S = 60.0
ENDS_AFTER_S = 7200.0
EULER = 0.577_215_664_9


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Reports by their places in the list, where they are, and how unlikely that is."""

    rows: tuple[int, ...]
    radius_m: float
    window_s: float
    expected: float
    ratio: float
    chance: float


def scan(x_m: Numbers, y_m: Numbers, age_s: Numbers, *, seed: int = 1) -> list[Cluster]:
    """The clusters among reports `age_s` ago at places on a plane, the least likely first; none shares a report."""
    count = len(age_s)
    recent = np.flatnonzero(age_s <= WINDOWS_S[-1])
    if count < FEWEST_KNOWN or len(recent) < FEWEST:
        return []
    centres = recent[np.argsort(age_s[recent], kind="stable")][:MOST_CENTRES]
    distance = np.hypot(x_m[centres, None] - x_m, y_m[centres, None] - y_m)
    inside = np.concatenate([distance <= radius for radius in RADII_M]).astype(np.float32)
    late = np.stack([age_s <= window for window in WINDOWS_S], axis=1).astype(np.float32)
    ratio, expected, seen = _ratios(inside, late, count)
    hopeful = (seen >= FEWEST) & (seen >= TIMES * expected)
    if not hopeful.any():
        return []
    place, scale = _chance(inside, late, count, np.random.default_rng(seed))
    found: list[Cluster] = []
    taken = np.zeros(count, np.bool_)
    for cell in np.argsort(np.where(hopeful, -ratio, np.inf), axis=None).tolist():
        row, window = divmod(cell, len(WINDOWS_S))
        chance = float(-np.expm1(-np.exp(-(float(ratio[row, window]) - place) / scale)))
        if not hopeful[row, window] or chance > MOST_CHANCE or len(found) == MOST_CLUSTERS:
            break
        rows = np.flatnonzero((inside[row] > 0) & (late[:, window] > 0))
        if not taken[rows].any():
            taken[rows] = True
            found.append(
                Cluster(
                    rows=tuple(rows.tolist()),
                    radius_m=RADII_M[row // len(centres)],
                    window_s=WINDOWS_S[window],
                    expected=float(expected[row, window]),
                    ratio=float(ratio[row, window]),
                    chance=chance,
                )
            )
    return found


def _ratios(
    inside: NDArray[np.float32], late: NDArray[np.float32], count: int
) -> tuple[Numbers, Numbers, NDArray[np.float32]]:
    """Log likelihood ratio, expected and seen of each cylinder: if place and time had nothing to do with each other,
    as many would be in it as its share of places and its share of times say."""
    seen = inside @ late
    expected = inside.sum(axis=1)[:, None].astype(np.float64) * late.sum(axis=0).astype(np.float64) / count
    return _ratio(seen, expected, count), expected, seen


def _ratio(seen: NDArray[np.float32], expected: Numbers, count: int) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = count - seen
        outside = np.where(rest > 0, rest * np.log(rest / np.maximum(count - expected, 1e-9)), 0.0)
        ratio: Numbers = np.where(seen > expected, seen * np.log(seen / expected) + outside, 0.0)
    return ratio


def _chance(
    inside: NDArray[np.float32], late: NDArray[np.float32], count: int, random: np.random.Generator
) -> tuple[float, float]:
    """Place and scale of the Gumbel distribution of the largest ratio under shuffled times, by its moments."""
    shuffled = np.concatenate([late[random.permutation(count)] for _ in range(SHUFFLES)], axis=1)
    expected = inside.sum(axis=1)[:, None].astype(np.float64) * shuffled.sum(axis=0).astype(np.float64) / count
    ratios = _ratio(inside @ shuffled, expected, count)
    largest = ratios.reshape(len(inside), SHUFFLES, len(WINDOWS_S)).max(axis=(0, 2))
    scale = max(float(largest.std()) * np.sqrt(6) / np.pi, 1e-6)
    return float(largest.mean()) - EULER * scale, scale


class Reports:
    """Reports that somebody published in the pool as `Open311ServiceRequest`; the time is theirs, not the city's."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._reports: dict[str, tuple[float, float, float, str]] = {}
        self._news = False
        self._looked_s = -np.inf
        self._newest_s, self._newest_came_s = -np.inf, 0.0
        self._going: dict[str, tuple[Event, frozenset[str], float]] = {}
        self.meet(entities, ())

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None:
        """Reports that were made, changed or taken away."""
        for id in gone:
            self._reports.pop(id, None)
        for entity in entities:
            if entity.type == REQUEST and entity.geometry and entity.geometry["type"] == "Point":
                longitude, latitude = entity.geometry["coordinates"][:2]
                category = str(entity.attributes.get("service_code") or "")
                self._news |= entity.id not in self._reports
                self._reports[entity.id] = (longitude, latitude, _told_s(entity), category)

    def __call__(self, batch: Batch) -> list[Event]:
        """Clusters that are new, grew or are over."""
        at_s = batch.observed_at.timestamp()
        if at_s - self._looked_s < LOOK_EVERY_S and not self._news:
            return []
        newest_s = max((each[2] for each in self._reports.values()), default=-np.inf)
        if newest_s > self._newest_s:
            self._newest_s, self._newest_came_s = newest_s, at_s
        self._looked_s = at_s
        told = self._look(self._newest_s + at_s - self._newest_came_s, at_s, batch) if self._news else []
        self._news = False
        return told + self._over(at_s, batch)

    def _look(self, now_s: float, at_s: float, batch: Batch) -> list[Event]:
        since_s = now_s - BEFORE.total_seconds()
        self._reports = {id: each for id, each in self._reports.items() if each[2] >= since_s}
        newest = sorted(self._reports, key=lambda id: -self._reports[id][2])[:MOST_REPORTS]
        if not newest:
            return []
        longitude, latitude, told_s = np.array([self._reports[id][:3] for id in newest]).T
        metres = radians(1) * EARTH_RADIUS_M
        x_m, y_m = longitude * metres * cos(radians(float(latitude.mean()))), latitude * metres
        told: list[Event] = []
        for cluster in scan(x_m, y_m, np.maximum(now_s - told_s, 0.0)):
            ids = [newest[row] for row in cluster.rows]
            told += self._tell(cluster, ids, at_s, batch)
        return told

    def _tell(self, cluster: Cluster, ids: Sequence[str], at_s: float, batch: Batch) -> list[Event]:
        """One event goes on while its reports are among those of a cluster; it is told again when it has more."""
        going = next((key for key, (_, known, _) in self._going.items() if known.intersection(ids)), None)
        if going is None:
            event = self._event(cluster, ids, None, batch)
            self._going[event.id] = (event, frozenset(ids), at_s)
            return [event]
        before, known, _ = self._going[going]
        if known.issuperset(ids):
            self._going[going] = (before, known, at_s)
            return []
        event = self._event(cluster, sorted(known.union(ids) & self._reports.keys()), before, batch)
        self._going[going] = (event, known.union(ids), at_s)
        return [event]

    def _event(self, cluster: Cluster, ids: Sequence[str], before: Event | None, batch: Batch) -> Event:
        first = min(ids, key=lambda id: self._reports[id][2])
        where = np.array([self._reports[id][:2] for id in ids]).mean(axis=0)
        facts = {
            "count": len(ids),
            "expected": round(cluster.expected, 2),
            "radius_m": cluster.radius_m,
            "hours": cluster.window_s / 3600,
        }
        return Event(
            id=before.id if before else event_id(CLUSTER, first, batch),
            kind=CLUSTER,
            severity=Severity.II if len(ids) >= SEVERE else Severity.III,
            at=before.at if before else batch.observed_at,
            entity_id=before.entity_id if before else first,
            because=Because(code="operations.reports_many", facts=facts, batch_id=batch.id, entity_ids=(first,)),
            geometry={"type": "Point", "coordinates": [round(float(each), 6) for each in where]},
            evidence={
                **facts,
                "chance": short(cluster.chance),
                "categories": dict(Counter(self._reports[id][3] for id in ids).most_common()),
                "report_ids": list(ids),
            },
        )

    def _over(self, at_s: float, batch: Batch) -> list[Event]:
        over = [key for key, (_, _, seen_s) in self._going.items() if at_s - seen_s >= ENDS_AFTER_S]
        return [self._ended(self._going.pop(key)[0], batch) for key in over]

    def _ended(self, event: Event, batch: Batch) -> Event:
        minutes = round((batch.observed_at - event.at).total_seconds() / 60)
        because = Because(code=f"{CLUSTER}_over", facts={"minutes": minutes}, batch_id=batch.id)
        return msgspec.structs.replace(event, ended_at=batch.observed_at, because=because)


def _told_s(entity: Entity) -> float:
    text = entity.attributes.get("requested_datetime")
    if isinstance(text, str):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return entity.observed_at.timestamp()
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return entity.observed_at.timestamp()
