# SPDX-License-Identifier: Apache-2.0
"""What people call the ways at a junction: the road, the side one comes from, and where one turns."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import atan2, cos, degrees, radians

from citybrain.apps.traffic.model import DETECTOR, RANK, SIGNAL, Junction
from citybrain.kernel.records import Entity, Json, Text

# Where a vehicle comes from, by eighths of the compass, clockwise from north.
SIDES: tuple[Text, ...] = (
    {"zh": "北", "en": "north"},
    {"zh": "东北", "en": "north-east"},
    {"zh": "东", "en": "east"},
    {"zh": "东南", "en": "south-east"},
    {"zh": "南", "en": "south"},
    {"zh": "西南", "en": "south-west"},
    {"zh": "西", "en": "west"},
    {"zh": "西北", "en": "north-west"},
)


class Turn(StrEnum):
    """Where a way leads, as one drives."""

    THROUGH = "through"
    LEFT = "left"
    RIGHT = "right"
    BACK = "back"


TURNS: Mapping[Turn, Text] = {
    Turn.THROUGH: {"zh": "直行", "en": "through"},
    Turn.LEFT: {"zh": "左转", "en": "left"},
    Turn.RIGHT: {"zh": "右转", "en": "right"},
    Turn.BACK: {"zh": "掉头", "en": "U-turn"},
}

THROUGH_WITHIN_DEG, BACK_FROM_DEG = 45.0, 150.0

NONE: Text = {"zh": "无", "en": "none"}


class Names:
    """Names of approaches and stages, each worked out when it is first asked for."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        by_id = {one.id: one for one in entities}
        self._detectors = {one.id: one for one in entities if one.type == DETECTOR}
        self._roads = _roads(by_id)
        self._stages: dict[tuple[tuple[str, ...], int], Text] = {}

    def approach(self, detector_id: str) -> Text:
        """Side and road of an approach lane; its number where neither is known."""
        one = self._detectors[detector_id]
        side = self.side(detector_id)
        road = self._roads.get((str(one.attributes["controller"]), str(one.attributes["lane"])))
        if side is None:
            return road or _both(str(one.attributes["lane"]))
        if road is None:
            return {"zh": f"{side['zh']}进口", "en": f"the approach from the {side['en']}"}
        return {"zh": f"{road['zh']}{side['zh']}进口", "en": f"{road['en']} from the {side['en']}"}

    def side(self, detector_id: str) -> Text | None:
        """The side one comes from, if it is known where the lane lies."""
        heading = _heading(self._detectors[detector_id].geometry, last=True)
        return None if heading is None else SIDES[round((heading + 180.0) / 45.0) % 8]

    def turn(self, approach_id: str, exit_id: str) -> Turn | None:
        """Where a way turns, if it is known where its lanes lie."""
        came = _heading(self._detectors[approach_id].geometry, last=True)
        goes = _heading(self._detectors[exit_id].geometry, last=False)
        if came is None or goes is None:
            return None
        off = (goes - came + 180.0) % 360.0 - 180.0
        if abs(off) <= THROUGH_WITHIN_DEG:
            return Turn.THROUGH
        if abs(off) >= BACK_FROM_DEG:
            return Turn.BACK
        return Turn.RIGHT if off > 0 else Turn.LEFT

    def stage(self, junction: Junction, stage: int) -> Text:
        """Who has green in a stage: sides with their turns, those that must give way only where nobody else has."""
        key = (junction.signals, stage)
        if key not in self._stages:
            self._stages[key] = self._stage(junction, junction.stages[stage])
        return self._stages[key]

    def _stage(self, junction: Junction, lamps: str) -> Text:
        for letters in ("G", tuple(RANK)):
            sides: dict[str, tuple[Text, set[Turn]]] = {}
            for way in junction.ways:
                if lamps[way.lamp] in letters:
                    into = junction.approaches[way.approach].detector_id
                    side = self.side(into) or _both(junction.approaches[way.approach].lane)
                    turns = sides.setdefault(side["en"], (side, set()))[1]
                    turn = self.turn(into, junction.exits[way.exit].detector_id)
                    turns.update({turn} if turn else set())
            if sides:
                return _told(list(sides.values()))
        return NONE


def _told(sides: Sequence[tuple[Text, set[Turn]]]) -> Text:
    parts: dict[str, list[str]] = {"zh": [], "en": []}
    for side, turns in sides:
        ordered = [TURNS[turn] for turn in Turn if turn in turns]
        parts["zh"].append(side["zh"] + "、".join(turn["zh"] for turn in ordered))
        parts["en"].append(" ".join([side["en"], " and ".join(turn["en"] for turn in ordered)]).strip())
    return {"zh": "，".join(parts["zh"]), "en": ", ".join(parts["en"])}


def _roads(by_id: Mapping[str, Entity]) -> dict[tuple[str, str], Text]:
    """The name of the road of each approach lane, by signal and lane, where the signal's heads tell."""
    found: dict[tuple[str, str], Text] = {}
    for one in by_id.values():
        if one.type != SIGNAL:
            continue
        lane_of = {link["index"]: link["approach"] for link in one.attributes.get("links", ())}
        for head in one.attributes.get("heads", ()):
            lane = by_id.get(head.get("lane", ""))
            road = by_id.get(str(lane.attributes.get("road", ""))) if lane else None
            if road is not None and road.name:
                found.update({(one.id, lane_of[link]): road.name for link in head["links"] if link in lane_of})
    return found


def _heading(geometry: Json, *, last: bool) -> float | None:
    """Degrees clockwise from north in which a line runs at its end or beginning."""
    points = geometry["coordinates"] if geometry and geometry.get("type") == "LineString" else []
    if len(points) < 2:
        return None
    (west, south), (east, north) = (point[:2] for point in (points[-2:] if last else points[:2]))
    return degrees(atan2((east - west) * cos(radians(south)), north - south)) % 360.0


def _both(name: str) -> Text:
    return {"zh": name, "en": name}
