# SPDX-License-Identifier: Apache-2.0
"""Which runs each section of the figures needs."""

from collections.abc import Iterator, Sequence

from bench.traffic.nets import BOLOGNA, RESCO, Net
from bench.traffic.runs import METHODS, Run, options_of
from citybrain.kernel.records import Facts

SEEDS = tuple(range(11, 21))
"""Seeds 11 to 20: no constant of any method was chosen by looking at them."""

DEMANDS = (0.6, 0.8, 1.0, 1.2, 1.4)
NEVER_WORSE = 1.02
"""A run may take 1.02 times the delay of the shipped plan with the same seed and demand."""

SENSORS: dict[str, Facts] = {
    "positions (video, radar)": {},
    "counts and occupancy (loops)": {"sensors": "loops"},
    "5 % of vehicles missed, 2 m of noise": {"missed": 0.05, "noise_m": 2.0},
    "15 % of vehicles missed, 2 m of noise": {"missed": 0.15, "noise_m": 2.0},
    "10 % of detectors dead": {"dead": 0.1},
    "30 % of detectors dead": {"dead": 0.3},
}

SECTIONS = ("resco", "bologna", "never_worse", "sensors", "before_after")


def runs(section: str, nets: Sequence[Net], methods: Sequence[str], seeds: Sequence[int]) -> Iterator[Run]:
    """All runs of a section, seed by seed, so that what is interrupted has something of every net."""
    for seed in seeds:
        for net in nets:
            for method, demand, sensors in _cases(section, net, methods):
                options = options_of(net, method, demand=demand, sensors=sensors)
                yield Run(net=net.name, method=method, seed=seed, options=options)


def _cases(section: str, net: Net, methods: Sequence[str]) -> Iterator[tuple[str, float, Facts]]:
    if section == "resco" and net.name in RESCO:
        yield from ((method, 1.0, {}) for method in methods)
    if section == "bologna" and net.name == BOLOGNA:
        yield from ((method, demand, {}) for method in methods for demand in DEMANDS[1:4])
    if section == "never_worse":
        yield from ((method, demand, {}) for demand in DEMANDS for method in ("fixed", "brain"))
    if section == "sensors":
        yield "fixed", 1.0, {}
        yield from (("brain", 1.0, sensors) for sensors in SENSORS.values())
    if section == "before_after":
        yield from ((method, 1.0, {}) for method in ("fixed", "brain"))


ALL_METHODS = tuple(METHODS)
