# SPDX-License-Identifier: Apache-2.0
"""Storms are grouped: very many events of one kind in a short time are shown under the first of them."""

import sys
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.geo import distance_m
from citybrain.kernel.merging.nearness import Key, Nearness, Point, around
from citybrain.kernel.merging.rules import STORMS, Storm, fits
from citybrain.kernel.records import Event

FORGOTTEN_AT = 10_000

Place = tuple[int, str, Key]
"""A rule, a kind and a square of the map, or none where the rule is for the whole city."""


UNGROUPED = sys.maxsize


class Member(msgspec.Struct):
    """An event that began lately; `rule` is the number of the rule by which it is in a group."""

    id: str
    at: datetime
    point: Point | None
    rule: int = UNGROUPED


class Group(msgspec.Struct):
    """A storm, under the id of its head; it goes on as long as something joins it."""

    id: str
    began_at: datetime
    joined_at: datetime
    point: Point | None


class Storms:
    """Remembers what began lately, and the groups that go on. Equal events give equal answers."""

    def __init__(self, rules: Sequence[Storm] = STORMS, nearness: Nearness | None = None) -> None:
        self._rules = tuple(rules)
        self._nearness = nearness or Nearness(())
        self._lately: dict[Place, deque[Member]] = {}
        self._groups: dict[Place, list[Group]] = {}
        self._events: dict[str, Event] = {}
        self._newest_at: datetime | None = None
        self._forgotten_at = FORGOTTEN_AT

    def __call__(self, events: Iterable[Event]) -> list[Event]:
        """The events with the groups that they are in, and those that began before and are in one only now."""
        told: dict[str, Event] = {}
        for event in events:
            known = self._events.get(event.id)
            told[event.id] = (
                event if known is None else msgspec.structs.replace(event, group=known.group or event.group)
            )
            if "merged_into" in event.evidence:
                self._events.pop(event.id, None)
            else:
                self._events[event.id] = told[event.id]
                if known is None and event.group is None:
                    self._count(told[event.id], told)
            self._newest_at = event.at if self._newest_at is None else max(self._newest_at, event.at)
        if len(self._events) > self._forgotten_at:
            self._forget()
        return list(told.values())

    def _count(self, event: Event, told: dict[str, Event]) -> None:
        """An event that is new joins the first storm that there is, or makes one with those before it.

        Rules come in order of their rank: a storm takes over what is in one of a later rule, as a city does a quarter.
        """
        new = Member(event.id, event.at, self._nearness.point(event))
        for number, rule in enumerate(self._rules):
            if not fits(rule.kinds, event.kind):
                continue
            group = self._going_on(number, rule, event.kind, new)
            if group is not None:
                group.joined_at = new.at
                return self._put(number, [new], group.id, told)
            members = self._together(number, rule, event.kind, new)
            if len(members) >= rule.number:
                head = members[0]
                group = Group(id=head.id, began_at=head.at, joined_at=new.at, point=head.point)
                for place in self._places(number, rule, event.kind, head.point)[:1]:
                    self._groups.setdefault(place, []).append(group)
                return self._put(number, members, head.id, told)
        return None

    def _going_on(self, number: int, rule: Storm, kind: str, new: Member) -> Group | None:
        for place in self._places(number, rule, kind, new.point):
            groups = self._groups.get(place)
            if not groups:
                continue
            groups[:] = [each for each in groups if new.at - each.joined_at <= rule.within]
            for group in groups:
                if new.at - group.began_at < rule.lasts and _is_within(rule, group.point, new.point):
                    return group
        return None

    def _together(self, number: int, rule: Storm, kind: str, new: Member) -> list[Member]:
        """This event and those before it that count with it, the oldest first."""
        places = self._places(number, rule, kind, new.point)
        if not places:
            return []
        self._lately.setdefault(places[0], deque()).append(new)
        found: list[Member] = []
        for place in places:
            lately = self._lately.get(place)
            while lately and (lately[0].at < new.at - rule.within or lately[0].rule <= number):
                lately.popleft()
            found += [each for each in lately or () if each.rule > number and _is_within(rule, each.point, new.point)]
        return sorted(found, key=lambda each: (each.at, each.id))

    def _places(self, number: int, rule: Storm, kind: str, point: Point | None) -> list[Place]:
        """Where to look: the square of the event first, then those around it. Without a point there is none."""
        if rule.radius_m is None:
            return [(number, kind, ())]
        if point is None:
            return []
        own = self._nearness.grid.cell(point, rule.radius_m)
        return [(number, kind, own), *((number, kind, each) for each in around([own]) if each != own)]

    def _put(self, number: int, members: Sequence[Member], group: str, told: dict[str, Event]) -> None:
        for member in members:
            member.rule = number
            event = self._events.get(member.id)
            if event is not None and event.group != group:
                self._events[member.id] = told[member.id] = msgspec.structs.replace(event, group=group)

    def _forget(self) -> None:
        """Forget events that are over for longer than any rule looks back, when there are very many."""
        longest = max((rule.within for rule in self._rules), default=timedelta(0))
        newest_at = self._newest_at
        assert newest_at is not None
        self._events = {
            id: event
            for id, event in self._events.items()
            if event.ended_at is None or event.ended_at > newest_at - longest
        }
        self._lately = {
            place: lately for place, lately in self._lately.items() if lately and lately[-1].at >= newest_at - longest
        }
        self._forgotten_at = max(FORGOTTEN_AT, 2 * len(self._events))


def _is_within(rule: Storm, one: Point | None, other: Point | None) -> bool:
    if rule.radius_m is None:
        return True
    return one is not None and other is not None and distance_m(one, other) <= rule.radius_m
