# SPDX-License-Identifier: Apache-2.0
"""What people call the place of an event."""

from collections.abc import Callable

from citybrain.kernel.records import Entity, Facts, Text
from citybrain.kernel.routing import roads_said

Find = Callable[[str], Entity | None]


def place_name(entity_id: str, evidence: Facts, find: Find) -> Text:
    """The name of the thing, or else of the road on which it or the event is; empty where none has one."""
    entity = find(entity_id)
    if entity is not None and entity.name:
        return entity.name
    known = evidence.get("place")
    roads = [known.get("road")] if isinstance(known, dict) else []
    roads += roads_said(entity.attributes) if entity is not None else ()
    for road in roads:
        found = find(road) if isinstance(road, str) else None
        if found is not None and found.name:
            return found.name
    return {}
