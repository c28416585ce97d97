# SPDX-License-Identifier: Apache-2.0
"""What lies around an event: the road it is on, the signal at its end, the signals that traffic comes from."""

from collections.abc import Iterable, Sequence

from citybrain.kernel.records import Entity, Event, Json
from citybrain.kernel.routing import ROAD, Whereabouts

SIGNAL = "TrafficSignalController"


class Network:
    """Roads, their signals and what leads to them, as the entities say."""

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        known = tuple(entities)
        self._whereabouts = Whereabouts(known)
        self._roads = {one.id for one in known if one.type == ROAD}
        self._controller = {
            one.id: str(one.attributes["controller"]) for one in known if one.attributes.get("controller")
        }
        self._road_of_detector = {
            one.id: road for one in known if one.id in self._controller for road in self._whereabouts.roads(one)
        }
        self._into: dict[str, list[str]] = {}
        self._onto: dict[str, list[str]] = {}
        for one in known:
            for onward in one.attributes.get("leadsTo", ()) if one.type == ROAD else ():
                self._into.setdefault(onward, []).append(one.id)
                self._onto.setdefault(one.id, []).append(onward)
        self.limit_kmh = {
            one.id: float(limit)
            for one in known
            if one.type == ROAD and (limit := one.attributes.get("maximumAllowedSpeed"))
        }
        self._entering: dict[str, tuple[str, ...]] = {}
        self._signal_of: dict[str, str] = {}
        for one in known:
            if one.type == SIGNAL:
                self._signals(one)

    def _signals(self, signal: Entity) -> None:
        roads = self._whereabouts.roads(signal)
        self._entering[signal.id] = roads
        for road in roads:
            self._signal_of.setdefault(road, signal.id)

    def road(self, event: Event) -> str | None:
        """The road of an event: what its place says, or the road or lane that it is on, or one whose lanes it names;
        else the one whose detector saw it, as of what stands in a junction."""
        seen = (self._road_of_detector.get(each) for each in _named(event.evidence.get("detectors")))
        return self._road_told(event) or next((road for road in seen if road in self._roads), None)

    def _road_told(self, event: Event) -> str | None:
        place = event.evidence.get("place")
        told = str(place.get("road", "")) if isinstance(place, dict) else ""
        if told in self._roads:
            return told
        lanes = (self._whereabouts.of_lane(lane) for lane in _named(event.evidence.get("lanes")))
        return self.road_of(event.entity_id) or next((road for road in lanes if road in self._roads), None)

    def road_of(self, entity_id: str) -> str | None:
        """An entity that is a road, or the road of a lane."""
        for id in (entity_id, self._whereabouts.of_lane(entity_id)):
            if id in self._roads:
                return id
        return None

    def junction(self, event: Event) -> str | None:
        """The signal that an event is on, that its detector belongs to, or that stands at the end of its road."""
        road = self.road(event)
        return self.junction_of(event.entity_id) or (self._signal_of.get(road) if road else None)

    def junction_of(self, entity_id: str) -> str | None:
        """An entity that is a signal, the signal of a detector, or the one at the end of a road."""
        for id in (entity_id, self._controller.get(entity_id, "")):
            if id in self._entering:
                return id
        road = self.road_of(entity_id)
        return self._signal_of.get(road) if road else None

    def around(self, road: str, hops: int) -> tuple[str, ...]:
        """The roads that are at most so many roads away, whichever way one drives; not the road itself."""
        found, edge = {road}, [road]
        for _ in range(hops):
            joined = [one for each in edge for one in (*self._into.get(each, ()), *self._onto.get(each, ()))]
            edge = [one for one in dict.fromkeys(joined) if one in self._roads and one not in found]
            found.update(edge)
        return tuple(sorted(found - {road}))

    def upstream(self, event: Event) -> tuple[str, ...]:
        """The signals from which traffic comes to the event's road, or to all roads of its signal; each once."""
        road, junction = self._road_told(event), self.junction(event)
        roads: Sequence[str] = (road,) if road else self._entering.get(junction, ()) if junction else ()
        before = [self._signal_of.get(one) for each in roads for one in self._into.get(each, ())]
        return tuple(dict.fromkeys(one for one in before if one is not None and one != junction))


def _named(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
