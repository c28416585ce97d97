# SPDX-License-Identifier: Apache-2.0
"""One run of a method on a net, and the file in which results are kept: one JSON line each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from bench.traffic import baselines
from bench.traffic.nets import Net
from citybrain.apps.traffic.app import APP
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import App
from citybrain.kernel.records import Batch, Facts
from citybrain.serve import catalog
from citybrain.serve.experiment import BRAIN, FIXED, Task, opening_of, run_once

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = HERE / "results.jsonl"

SUMO_ONLY = ("doors/sumo/simulation.py", "doors/sumo/configuration.py", "doors/sumo/judge.py")
PROGRAMS = (*SUMO_ONLY, "doors/sumo/cabinet.py", "doors/sumo/programs.py")
CABINETS = (*PROGRAMS, "doors/sumo/guard.py", "doors/sumo/signals.py", "doors/sumo/sensors.py")
BRAINS = (*CABINETS, "doors/sumo/eyes.py", "doors/sumo/faults.py", "doors/sumo/loops.py", "apps/traffic/*.py")


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """Who steers: an arm of the experiment, what the simulator does for it, deciders in place of the brain's own.

    `code`: the files whose change makes an old result worthless.
    """

    arm: str
    options: Facts = {}
    decider: Callable[..., Any] | None = None
    code: tuple[str, ...]


METHODS: Mapping[str, Method] = {
    "fixed": Method(arm=FIXED, code=SUMO_ONLY),
    "actuated": Method(arm=FIXED, options={"program": "actuated"}, code=PROGRAMS),
    "delay_based": Method(arm=FIXED, options={"program": "delay_based"}, code=PROGRAMS),
    "max_pressure": Method(arm=BRAIN, decider=baselines.max_pressure, code=CABINETS),
    "greedy": Method(arm=BRAIN, decider=baselines.greedy, code=CABINETS),
    "brain": Method(arm=BRAIN, code=BRAINS),
}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a result: net, method, seed, and what is simulated differently from the shipped city."""

    net: str
    method: str
    seed: int
    options: dict[str, float | str] = {}

    @property
    def key(self) -> str:
        """The same for the same run, whatever the code."""
        return (
            f"{self.net} {self.method} {self.seed} {msgspec.json.encode(dict(sorted(self.options.items()))).decode()}"
        )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file. `code` is the fingerprint of the code that was run."""

    run: Run
    code: str
    summary: dict[str, Any]
    indices: dict[str, float]
    wall_s: float


def options_of(net: Net, method: str, *, demand: float = 1.0, sensors: Facts | None = None) -> dict[str, float | str]:
    """The options of a run. The shipped plan keeps its own yellows on every net, as in RESCO's table."""
    yellow = {"yellow": net.yellow} if method != "fixed" and net.yellow != "shipped" else {}
    scaled = {"demand": demand} if demand != 1.0 else {}
    return {**METHODS[method].options, **yellow, **scaled, **(sensors or {})}


def measure(run: Run, net: Net) -> Result:
    """Run it from begin to end in this process, which must not have run one before."""
    method = METHODS[run.method]
    task = Task(door="sumo", scenario=net.scenario, arm=method.arm, seed=run.seed, options=run.options)
    began_s = perf_counter()
    summary, indices = _by_plans(task) if method.arm == FIXED else _by_deciders(task, method)
    wall_s = round(perf_counter() - began_s, 1)
    return Result(run=run, code=fingerprint(run.method), summary=summary, indices=indices, wall_s=wall_s)


def _by_deciders(task: Task, method: Method) -> tuple[dict[str, Any], dict[str, float]]:
    """The loop of a city; a rival takes the place of the brain in its app."""
    apps: Sequence[App] = catalog.apps()
    if method.decider is not None:
        apps = [msgspec.structs.replace(APP, deciders=(method.decider,), detectors=())]
    finished = run_once(task, lambda _share: None, apps=apps)
    return dict(finished.summary), finished.indices


def _by_plans(task: Task) -> tuple[dict[str, Any], dict[str, float]]:
    """Signals by themselves: nobody looks, which changes nothing on the street and takes half the time."""
    field = SumoField(opening_of(task))
    inside: Any = field
    inside._look = lambda at: Batch(id="", source="bench", observed_at=at, received_at=at, columns=())
    try:
        while not field.step(()).finished:
            pass
        return dict(field.summary()), {}
    finally:
        field.close()


@cache
def fingerprint(method: str) -> str:
    """Changes with the code that decides a method's results."""
    files = [path for pattern in METHODS[method].code for path in sorted((ROOT / "citybrain").glob(pattern))]
    if METHODS[method].decider:
        files.append(HERE / "baselines.py")
    content = b"".join(path.read_bytes() for path in files)
    return blake2b(content, digest_size=4).hexdigest()


class Kept:
    """The results on disk. A run is not run again while its code is the same."""

    def __init__(self, path: Path = RESULTS) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        self._newest = {result.run.key: result for line in lines if (result := _read(line))}

    def get(self, run: Run, *, any_code: bool) -> Result | None:
        """The result of this code, or (`any_code`) else the newest."""
        result = self._newest.get(run.key)
        is_current = result is not None and result.code == fingerprint(run.method)
        return result if is_current or any_code else None

    def missing(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that this code has no result of, each once."""
        once = {run.key: run for run in runs}
        return [run for run in once.values() if self.get(run, any_code=False) is None]

    def add(self, result: Result) -> None:
        """Keep a result."""
        self._newest[result.run.key] = result
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")


def _read(line: bytes) -> Result | None:
    """A line, unless the program was killed in the middle of it."""
    try:
        return msgspec.json.decode(line, type=Result)
    except msgspec.DecodeError:
        return None
