# SPDX-License-Identifier: Apache-2.0
"""All detectors of operations, and what of the pool they look at."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from citybrain.apps.operations.detect.air import AIR, POLLUTANTS, Air
from citybrain.apps.operations.detect.anomalies import Anomalies
from citybrain.apps.operations.detect.crowd import CROWD, Crowd
from citybrain.apps.operations.detect.flood import FLOOD, Flood
from citybrain.apps.operations.detect.noise import NOISE, Noise
from citybrain.apps.operations.detect.offline import OFFLINE, Offline
from citybrain.apps.operations.detect.reports import CLUSTER, REQUEST, Reports
from citybrain.apps.operations.detect.watching import Watch
from citybrain.apps.operations.model import ANOMALY, WATCHED
from citybrain.kernel.merging.rules import Merge, Near
from citybrain.kernel.records import Entity

OF_ONE_THING = timedelta(minutes=30)
QUEUES = ("traffic.congestion", "traffic.spillback")
MERGES = (
    *(
        Merge(cause=kind, signs=(ANOMALY,), within=OF_ONE_THING, near=Near.ENTITY)
        for kind in (FLOOD, CROWD, AIR, NOISE)
    ),
    Merge(cause=FLOOD, signs=QUEUES, within=OF_ONE_THING, near=Near.ADJACENT),
)
"""What is out of the ordinary because it is over its limit is one event, and so are queues before water. Our marks."""

KINDS = (AIR, ANOMALY, CLUSTER, CROWD, FLOOD, NOISE, OFFLINE)

_RULES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("AirQualityObserved", POLLUTANTS),
    ("NoiseLevelObserved", ("LAeq", "LAmax")),
    ("FloodMonitoring", ("currentLevel",)),
    ("WaterLevelObserved", ("waterLevel",)),
    ("WeatherObserved", ("precipitation",)),
    ("CrowdFlowObserved", ("peopleCount",)),
    *((type, (attribute,)) for type, attribute in WATCHED),
)

DEVICES: Mapping[str, tuple[str, ...]] = {
    type: tuple(sorted({name for other, names in _RULES if other == type for name in names})) for type, _ in _RULES
}
"""What reports, with the attributes that say it is alive."""

SENSES: Mapping[str, tuple[str, ...]] = {**DEVICES, REQUEST: ()}


def flood(entities: Sequence[Entity]) -> Watch:
    """Roads and waters that are flooded."""
    return Watch(Flood(), entities)


def crowd(entities: Sequence[Entity]) -> Watch:
    """Crowds that are too dense or too many."""
    return Watch(Crowd(), entities)


def offline(entities: Sequence[Entity]) -> Watch:
    """Devices that fell silent."""
    return Watch(Offline(DEVICES), entities)


def air(entities: Sequence[Entity]) -> Watch:
    """Air over a limit."""
    return Watch(Air(), entities)


def noise(entities: Sequence[Entity]) -> Watch:
    """Noise over a limit."""
    return Watch(Noise(), entities)


DETECTORS = (Anomalies, flood, crowd, offline, air, noise, Reports)
