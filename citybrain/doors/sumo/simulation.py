# SPDX-License-Identifier: Apache-2.0
"""The one SUMO that a process can have: started, stepped and closed, with its complaints heard."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libsumo

from citybrain.doors.sumo.configuration import Configuration
from citybrain.kernel.errors import Conflict, Unavailable

TRIPS = "trips.xml"
COMPLAINTS = "complaints.txt"

DECIMALS = 6
"""Of outputs: with SUMO's own two, a sum over thousands of trips drifts away."""

STATE_DECIMALS = 12
"""Of states: with so many a resumed run goes on exactly as the one that was saved."""

ALL_AT_ONCE = "0"
"""Demand is read whole at the start. Read in parts, the state has what was read; when two vehicles depart in the last
second of a part and only one was read, SUMO 1.28 skips the other when it resumes."""

STDERR = 2
COMPLAINT_LINES = 5


class SumoRefused(Unavailable):
    """SUMO does not open this city, or gave up on it."""


class SumoBusy(Conflict):
    """This process has a simulation already."""


class Simulation:
    """SUMO in this process, in a folder of its own for what it writes."""

    def __init__(self, configuration: Configuration, folder: Path, *, seed: int, state: Path | None = None) -> None:
        if libsumo.simulation.isLoaded():
            raise SumoBusy("sumo.busy", {})
        self._folder = folder
        self._path = configuration.path
        self._complaints: int | None = os.open(folder / COMPLAINTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with self._complaining():
            libsumo.start(["sumo", *configuration.arguments(), *self._own_arguments(seed, state)])
        self._on_road = dict.fromkeys(libsumo.vehicle.getIDList())

    @property
    def trips(self) -> Path:
        """The trips, complete once closed."""
        return self._folder / TRIPS

    def now_s(self) -> float:
        """SUMO's time."""
        return float(libsumo.simulation.getTime())

    def run_until(self, time_s: float) -> None:
        """Go on to a time, in steps of the length the configuration asks for."""
        with self._complaining():
            libsumo.simulationStep(time_s)
        self._on_road.update(dict.fromkeys(libsumo.simulation.getDepartedIDList()))
        for vehicle in libsumo.simulation.getArrivedIDList():
            self._on_road.pop(vehicle, None)

    @property
    def vehicles(self) -> Collection[str]:
        """The vehicles on the road, by departure. SUMO's own list is slow: it looks through all that ever will be."""
        return self._on_road.keys()

    def save(self, path: Path) -> None:
        """Write SUMO's own state, from which `state` resumes."""
        with self._complaining():
            libsumo.simulation.saveState(str(path))

    def close(self) -> None:
        """End the simulation; unfinished trips are written now."""
        if libsumo.simulation.isLoaded():
            with self._complaining():
                libsumo.close()
        if self._complaints is not None:
            os.close(self._complaints)
            self._complaints = None

    def _own_arguments(self, seed: int, state: Path | None) -> list[str]:
        load = ["--load-state", str(state)] if state else []
        return [
            *("--seed", str(seed)),
            *("--time-to-teleport", "-1"),
            *("--no-step-log", "true"),
            *("--no-warnings", "true"),
            *("--duration-log.disable", "true"),
            *("--tripinfo-output", str(self.trips)),
            *("--tripinfo-output.write-unfinished", "true"),
            *("--tripinfo-output.write-undeparted", "true"),
            *("--precision", str(DECIMALS)),
            *("--save-state.rng", "true"),
            *("--save-state.precision", str(STATE_DECIMALS)),
            *("--route-steps", ALL_AT_ONCE),
            *load,
        ]

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        """SUMO says why on stderr only; its exception says `Process Error`. So stderr goes to a file meanwhile."""
        assert self._complaints is not None, "closed"
        kept = os.dup(STDERR)
        os.dup2(self._complaints, STDERR)
        try:
            yield
        except libsumo.TraCIException as error:
            detail = said(self._folder / COMPLAINTS) or str(error)
            raise SumoRefused("sumo.refused", {"path": str(self._path), "detail": detail}) from error
        finally:
            os.dup2(kept, STDERR)
            os.close(kept)


def said(path: Path) -> str:
    """SUMO's last words, on one line."""
    with suppress(FileNotFoundError):
        lines = path.read_text(errors="replace").splitlines()
        return " ".join(line.strip() for line in lines[-COMPLAINT_LINES:] if line.strip())
    return ""
