# SPDX-License-Identifier: Apache-2.0
"""What the other one would have made of it: brain and plan at the same junction, under the same vehicles, compared."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from functools import partial
from math import sqrt

import msgspec
import numpy as np

from citybrain.apps.traffic.choice.mind import Choice, Mind, Tracks
from citybrain.apps.traffic.control.modes import Mode, Modes
from citybrain.apps.traffic.measure.queues import Arrivals, Flows, Lamps, Places, Queues, Stops, by_junction, drive_s
from citybrain.apps.traffic.measure.twin import DrivenTwin, PlannedTwin, TwinTracks
from citybrain.apps.traffic.model import SIGNAL, Junction
from citybrain.kernel.records import Batch, Entity

WINDOW_S = 900
"""A comparison is made over a quarter of an hour of the city's clock: some ten cycles, and a rush has several."""

ENOUGH_S = 600
"""A window of which less was seen, or in which somebody else had the say for longer than the rest, is not kept."""

# Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond the table the normal one.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10)
Z95 = 1.96
FEWEST = 3
"""No interval is told from fewer windows."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One junction in one quarter of an hour. `acting` really steered; the other one is modelled.

    Delays are sums in vehicle-seconds at the stop lines: `plan_s` and `brain_s` by the model, `measured_s` what the
    detectors saw under the one that acted. `came` counts vehicles.
    """

    signals: tuple[str, ...]
    begins_at: datetime
    seconds: int
    acting: str
    came: float
    plan_s: float
    brain_s: float
    measured_s: float

    @property
    def acted_s(self) -> float:
        """The modelled delay of what really happened."""
        return self.brain_s if self.acting == Mode.BRAIN else self.plan_s


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What windows of one junction come to. Shares are of the plan's delay; `low` and `high` hold 95 %.

    `model_error` is how much more (or less) delay the model gives than was measured of what really happened.
    """

    windows: int
    came: float
    plan_s_per_vehicle: float | None
    brain_s_per_vehicle: float | None
    measured_s_per_vehicle: float | None
    model_error: float | None
    gain: float | None
    low: float | None
    high: float | None


class Shadow:
    """Compares at every junction, second by second; kept windows are fetched with `take`.

    Where the brain acts, its shipped plan is the one that is modelled; everywhere else it is the brain. `ended` are the
    windows that ended in the second of the last step.
    """

    def __init__(self, minds: Sequence[Mind], entities: Sequence[Entity], modes: Modes) -> None:
        self._junctions = [mind.junction for mind in minds]
        self._minds = minds
        self._modes = modes
        self._plans = {one.id: one.attributes.get("plan") for one in entities if one.type == SIGNAL}
        self._stops = stops = Stops(self._junctions)
        self._arrivals = Arrivals(stops)
        self._flows = Flows(stops.size)
        self._real = World(stops, self._junctions)
        self._other = World(stops, self._junctions)
        self._twins: dict[int, DrivenTwin | PlannedTwin] = {}
        self._shown: list[str] = [""] * len(minds)
        self._acting: list[Mode | None] = [None] * len(minds)
        self._sums = np.zeros((4, len(minds)))
        self._seconds = np.zeros(len(minds), dtype=np.int64)
        self._window = 0
        self._finished: list[Window] = []
        self.ended: Sequence[Window] = ()

    def step(self, batch: Batch, tracks: Tracks, claimed: Set[str], now_s: float) -> None:
        """One second at all junctions. Those of which a detector is blind, or that are claimed, do not count it."""
        if not self._stops.size:
            return
        self._turn(now_s)
        self._arrivals.see(batch)
        blind = np.bincount(self._stops.junction_of[~self._arrivals.seen], minlength=len(self._junctions))
        seen = [number for number, lanes in enumerate(blind.tolist()) if not lanes]
        for number in seen:
            self._show(number, now_s)
        self._drive(seen, tracks, now_s)
        self._flows.learn(self._arrivals, self._real.queues, self._real.lamps)
        drive = drive_s(self._arrivals.from_m, self._stops.limit_mps)
        for world in (self._real, self._other):
            world.lamps.second()
            world.queues.step(self._arrivals.came, drive, world.lamps, self._flows.per_s, now_s)
        self._count(seen, claimed, drive)

    def take(self) -> list[Window]:
        """The windows that ended since the last call."""
        taken, self._finished = self._finished, []
        return taken

    def now(self, number: int) -> Window | None:
        """The window that runs at one junction, by its place among the minds; None before anything was seen."""
        return self._of(number) if self._seconds[number] else None

    def queues(self, number: int) -> list[float] | None:
        """Per approach of a junction the vehicles that the other one would have wait; None before the first second."""
        if number not in self._twins:
            return None
        queues: list[float] = self._other.queues.queue[self._stops.of[number]].tolist()
        return queues

    def lamps(self, number: int) -> str | None:
        """What the other one would show now."""
        return self._twins[number].lamps if number in self._twins else None

    def would(self, number: int) -> tuple[Choice, Mind, Tracks] | None:
        """What the brain chose last where it does not act, and on which tracks."""
        twin = self._twins.get(number)
        if not isinstance(twin, DrivenTwin) or twin.chose is None:
            return None
        return twin.chose[0], twin.mind, twin.chose[1]

    def _show(self, number: int, now_s: float) -> None:
        """The real lamps of a junction, and its other world where it must begin: with what stands there now."""
        signals = self._minds[number].signals
        lamps = signals[0].lamps if len(signals) == 1 else "".join(signal.lamps for signal in signals)
        if lamps != self._shown[number]:
            self._shown[number] = lamps
            self._real.lamps.show(number, lamps)
        acting = self._modes.joint(self._junctions[number].signals)
        if acting is not self._acting[number]:
            self._begin(number, acting, now_s)

    def _begin(self, number: int, acting: Mode, now_s: float) -> None:
        first = self._acting[number] is None
        self._acting[number] = acting
        self._seconds[number] = 0
        self._sums[:, number] = 0.0
        twin = self._twin(number, acting, now_s)
        if twin is None:
            self._twins.pop(number, None)
            return
        self._twins[number] = twin
        self._other.lamps.show(number, twin.lamps)
        if first:
            self._real.queues.begin(number, self._arrivals.standing, now_s)
        self._other.queues.copy(number, self._real.queues)

    def _twin(self, number: int, acting: Mode, now_s: float) -> DrivenTwin | PlannedTwin | None:
        junction = self._junctions[number]
        if acting is not Mode.BRAIN:
            return DrivenTwin(junction, self._shown[number], now_s)
        plans = [self._plans[name] or () for name in junction.signals]
        return PlannedTwin(plans) if all(plans) else None

    def _drive(self, seen: Sequence[int], tracks: Tracks, now_s: float) -> None:
        for number in seen:
            twin = self._twins.get(number)
            if twin is None:
                continue
            was = twin.lamps
            now = (
                twin.step(now_s)
                if isinstance(twin, PlannedTwin)
                else twin.step(self._twin_tracks(number, tracks, now_s), now_s)
            )
            if now != was:
                self._other.lamps.show(number, now)

    def _twin_tracks(self, number: int, tracks: Tracks, now_s: float) -> TwinTracks:
        start = self._stops.of[number].start
        lanes = enumerate(self._junctions[number].approaches, start=start)
        queued = self._other.queues.tracks
        return TwinTracks(
            {lane.detector_id: partial(queued, at, lane.speed_limit_mps, now_s) for at, lane in lanes}, tracks
        )

    def _count(self, seen: Sequence[int], claimed: Set[str], drive: Places) -> None:
        size = len(self._junctions)
        arrivals = self._arrivals
        figures = np.stack(
            [
                by_junction(self._stops, arrivals.came, size),
                by_junction(self._stops, self._real.queues.queue, size),
                by_junction(self._stops, self._other.queues.queue, size),
                by_junction(self._stops, arrivals.within - arrivals.came * drive, size),
            ]
        )
        counted = [number for number in seen if number in self._twins]
        if claimed:
            counted = [number for number in counted if not claimed & set(self._junctions[number].signals)]
        self._sums[:, counted] += figures[:, counted]
        self._seconds[counted] += 1

    def _turn(self, now_s: float) -> None:
        """Keep the window that is over, and begin the next one."""
        window = int(now_s // WINDOW_S)
        self.ended = ()
        if window == self._window:
            return
        if self._window:
            self.ended = [
                self._of(number) for number in range(len(self._junctions)) if self._seconds[number] >= ENOUGH_S
            ]
            self._finished.extend(self.ended)
        self._window = window
        self._sums[:] = 0.0
        self._seconds[:] = 0

    def _of(self, number: int) -> Window:
        came, real_s, other_s, measured_s = self._sums[:, number].tolist()
        brain_acts = self._acting[number] is Mode.BRAIN
        return Window(
            signals=self._junctions[number].signals,
            begins_at=datetime.fromtimestamp(self._window * WINDOW_S, tz=UTC),
            seconds=int(self._seconds[number]),
            acting=Mode.BRAIN if brain_acts else Mode.PLAN,
            came=round(came, 1),
            plan_s=round(other_s if brain_acts else real_s, 1),
            brain_s=round(real_s if brain_acts else other_s, 1),
            measured_s=round(max(measured_s, 0.0), 1),
        )


class World:
    """Lamps and queues that belong together."""

    def __init__(self, stops: Stops, junctions: Sequence[Junction]) -> None:
        self.lamps = Lamps(stops, junctions)
        self.queues = Queues(stops)


def gain_of(windows: Sequence[Window]) -> Gain:
    """What windows come to, of one junction or of several: ratio of sums, and its interval from how quarters of an hour
    differ. Junctions share the traffic of a quarter of an hour, so together they are one sample of it."""
    came = sum(one.came for one in windows)
    acted_s, measured_s = sum(one.acted_s for one in windows), sum(one.measured_s for one in windows)
    samples: dict[datetime, tuple[float, float]] = {}
    for one in windows:
        plan_s, brain_s = samples.get(one.begins_at, (0.0, 0.0))
        samples[one.begins_at] = (plan_s + one.plan_s, brain_s + one.brain_s)
    plan_s, brain_s = (sum(each) for each in zip(*samples.values(), strict=True)) if samples else (0.0, 0.0)
    gain = 1.0 - brain_s / plan_s if plan_s > 0 else None
    half = _half_width(list(samples.values()), gain) if gain is not None else None
    return Gain(
        windows=len(samples),
        came=round(came, 1),
        plan_s_per_vehicle=_ratio(plan_s, came),
        brain_s_per_vehicle=_ratio(brain_s, came),
        measured_s_per_vehicle=_ratio(measured_s, came),
        model_error=_ratio(acted_s - measured_s, measured_s),
        gain=None if gain is None else round(gain, 3),
        low=None if gain is None or half is None else round(gain - half, 3),
        high=None if gain is None or half is None else round(gain + half, 3),
    )


def _half_width(samples: Sequence[tuple[float, float]], gain: float) -> float | None:
    """Half of the 95 % interval of a ratio of sums (Cochran, Sampling Techniques, 1977, section 6.4)."""
    count = len(samples)
    if count < FEWEST:
        return None
    off = [(plan_s - brain_s) - gain * plan_s for plan_s, brain_s in samples]
    mean_s = sum(plan_s for plan_s, _ in samples) / count
    deviation = sqrt(sum(each * each for each in off) / (count * (count - 1))) / mean_s
    return deviation * (T95[count - 2] if count - 2 < len(T95) else Z95)


def _ratio(above: float, below: float) -> float | None:
    return round(above / below, 3) if below > 0 else None
