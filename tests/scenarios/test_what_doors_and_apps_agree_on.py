# SPDX-License-Identifier: Apache-2.0
"""What one part writes into an entity, another part reads: checked on the entities of a real network."""

from datetime import UTC, datetime
from pathlib import Path

from citybrain.apps.traffic.detect.congestion import neighbours
from citybrain.kernel.app import Opening
from citybrain.serve import scenarios


def test_roads_of_a_network_hang_together_for_the_detector_of_congestion(unsignalled: Path) -> None:
    found = scenarios.find(str(unsignalled))
    begin = scenarios.door_of(found.door).open
    assert begin is not None
    field = begin(Opening(scenario=found.scenario, seed=1, begins_at=datetime(2026, 1, 1, tzinfo=UTC), obey=False))
    try:
        roads = [entity for entity in field.entities() if entity.type == "RoadSegment"]
    finally:
        field.close()
    assert roads and all(neighbours(roads)), "each road of this village leads to another one"
