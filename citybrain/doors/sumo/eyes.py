# SPDX-License-Identifier: Apache-2.0
"""All that is sensed at the signals in one second: what the centre is told, and what each cabinet sees itself."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from citybrain.doors.sumo.faults import NOBODY, Faults, Mask, Numbers, missed
from citybrain.doors.sumo.figures import Watch
from citybrain.doors.sumo.loops import Loops, standing
from citybrain.doors.sumo.options import Options
from citybrain.doors.sumo.sensors import Sensors, Zone
from citybrain.kernel.records import Column


class Eyes:
    """The detectors of one run, with their faults.

    A cabinet is wired to its own detectors: it shares their faults, but not the noise of places, which it does not
    use. Where one is silent it clears the box for the fixed time of the plan and takes somebody to wait there, so that
    no lane is red without end. With loops it sees who stands at the stop line, but nobody in the box.
    """

    def __init__(
        self, watched: Mapping[tuple[str, str, str], Zone], ids: tuple[str, ...], options: Options, seed: int
    ) -> None:
        zones = tuple(watched.values())
        names = [":".join(key) for key in watched]
        ranges_m = np.array([zone.range_m for zone in zones])
        self.sensors = Sensors(zones, missed(options.missed, seed))
        self.watch = Watch(watched)
        self._loops = Loops(zones) if options.sensors == "loops" else None
        self._faults = Faults(options, seed, names, ranges_m)
        self._told = Watch(watched) if options.noise_m else self.watch
        self._ids = ids
        self._speaking: dict[bytes, tuple[str, ...]] = {}

    def look(self, vehicles: Iterable[str], passed_s: float) -> list[Column]:
        """The columns of all detectors, `passed_s` after the begin of the scenario."""
        seen: Sequence[Numbers] = self.sensors.read(1.0, vehicles)
        if self._loops is not None:
            return self._by_loops(self._loops, passed_s)
        silent = self._faults.silent(passed_s)
        told = self._faults.tracks(self._faults.blurred(seen), passed_s)
        if self._told is not self.watch:
            self._told.see(told)
            seen = self._faults.tracks(seen, passed_s, to="cabinet")
        else:
            seen = told
        self.watch.see([NOBODY if dead else one for one, dead in zip(seen, silent.tolist(), strict=True)], blind=silent)
        figures = self._faults.figures(self._told.figures(), passed_s, loops=False)
        spoken = tuple(one for one, dead in zip(told, silent.tolist(), strict=True) if not dead)
        return [Column(attribute="tracks", entity_ids=self._without(silent), values=spoken), *self._columns(figures)]

    def _by_loops(self, loops: Loops, passed_s: float) -> list[Column]:
        true = loops.read(self.sensors.rows, self.sensors.speeds_mps)
        figures = self._faults.figures(true, passed_s, loops=True)
        self.watch.feel(standing(figures), blind=self._faults.silent(passed_s))
        return self._columns(figures)

    def _columns(self, figures: Mapping[str, Numbers]) -> list[Column]:
        return [Column(attribute=name, entity_ids=self._ids, values=values) for name, values in figures.items()]

    def _without(self, silent: Mask) -> tuple[str, ...]:
        """The ids of those that speak: the same tuple as long as it is the same ones."""
        key = silent.tobytes()
        if key not in self._speaking:
            self._speaking[key] = tuple(one for one, dead in zip(self._ids, silent.tolist(), strict=True) if not dead)
        return self._speaking[key]
