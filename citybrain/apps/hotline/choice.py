# SPDX-License-Identifier: Apache-2.0
"""Which department gets a ticket: rules of which the most specific one counts, and why. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

import msgspec

from citybrain.apps.hotline.model import DESK, Category, Reason, Ticket, Tree
from citybrain.kernel.errors import Invalid

ZONE = ZoneInfo("Asia/Shanghai")
WORKDAYS = 5


class RuleUnusable(Invalid):
    """A rule that can never apply, or leads nowhere."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the routing table. Everything that it names must fit; what it does not name may be anything.

    `area` is a ring of longitude and latitude in WGS-84, called `area_name`. `from_` until `until` may pass midnight.
    """

    number: int
    department: str
    category: str = ""
    area: tuple[tuple[float, float], ...] = ()
    area_name: str = ""
    channels: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    from_: time | None = None
    until: time | None = None
    days: str = "all"  # all | workdays | weekends
    active: bool = True


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule looks at."""

    category: str
    channel: str
    urgency: str
    text: str
    at: datetime
    longitude: float | None = None
    latitude: float | None = None


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """The department with the reason; `rule` is the number of the rule, None when the category decided."""

    department: str
    because: Reason
    rule: int | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that other rules would have given to another department."""

    case_id: int
    number: str
    category: str
    before: Routed
    after: Routed


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What other rules would have changed: how many tickets were looked at, and each that goes elsewhere."""

    looked: int
    moved: tuple[Moved, ...]
    flows: tuple[tuple[str, str, int], ...]


def check(rules: Sequence[Rule], departments: Iterable[str] | None = None) -> None:
    """Refuse rules with one number, without department, with an area that is none, or half a time of day.

    With `departments` also one that is not among them.
    """
    seen: set[int] = set()
    known = None if departments is None else set(departments)
    for rule in rules:
        area_ok = not rule.area or len(rule.area) >= 3
        there = bool(rule.department) and (known is None or rule.department in known)
        if rule.department and not there:
            raise RuleUnusable("hotline.rule_department", {"rule": rule.number, "department": rule.department})
        whole = (rule.from_ is None) is (rule.until is None)
        if rule.number in seen or not area_ok or not there or not whole or rule.days not in _DAYS:
            raise RuleUnusable("hotline.rule_unusable", {"rule": rule.number})
        seen.add(rule.number)


def specificity(rule: Rule) -> tuple[int, int, int]:
    """How narrow a rule is: the levels of its category first, then how much else it names, then words."""
    levels = rule.category.count(".") + 1 if rule.category else 0
    named = sum(map(bool, (rule.area, rule.channels, rule.urgencies, rule.from_ is not None, rule.days != "all")))
    return (levels + named, levels, len(rule.words) > 0)


def fits(rule: Rule, matter: Matter) -> bool:
    """Whether all that a rule names fits."""
    below = matter.category == rule.category or matter.category.startswith(f"{rule.category}.")
    return (
        rule.active
        and (not rule.category or below)
        and (not rule.channels or matter.channel in rule.channels)
        and (not rule.urgencies or matter.urgency in rule.urgencies)
        and (not rule.words or any(word in matter.text for word in rule.words))
        and _in_time(rule, matter.at)
        and (not rule.area or _inside(rule.area, matter.longitude, matter.latitude))
    )


def route(rules: Sequence[Rule], tree: Tree, matter: Matter) -> Routed:
    """The department of the most specific rule that fits; of equals the lowest number. Else that of the category.

    What nothing says goes to the hotline's own desk, where a person decides.
    """
    fitting = [rule for rule in rules if fits(rule, matter)]
    if fitting:
        best = min(fitting, key=lambda rule: (*(-each for each in specificity(rule)), rule.number))
        return Routed(department=best.department, because=_why(best), rule=best.number)
    department = tree.department(matter.category)
    if department:
        facts: dict[str, str | int] = {"category": matter.category, "department": department}
        return Routed(department=department, because=Reason(code="hotline.because_category", facts=facts))
    return Routed(department=DESK, because=Reason(code="hotline.because_nothing_said", facts={}))


def dry_run(before: Sequence[Rule], after: Sequence[Rule], tree: Tree, tickets: Iterable[Ticket]) -> Diff:
    """What would have gone elsewhere under other rules, ticket by ticket."""
    moved: list[Moved] = []
    looked = 0
    for ticket in tickets:
        looked += 1
        matter = matter_of(ticket)
        was, now = route(before, tree, matter), route(after, tree, matter)
        if was.department != now.department:
            moved.append(
                Moved(case_id=ticket.case_id, number=ticket.number, category=ticket.category, before=was, after=now)
            )
    flows = Counter((each.before.department, each.after.department) for each in moved)
    counted = tuple((was, now, count) for (was, now), count in flows.most_common())
    return Diff(looked=looked, moved=tuple(moved), flows=counted)


def matter_of(ticket: Ticket) -> Matter:
    """A ticket as rules saw it when it came."""
    return Matter(
        category=ticket.category,
        channel=ticket.channel,
        urgency=ticket.urgency,
        text=ticket.text,
        at=ticket.created_at,
        longitude=ticket.longitude,
        latitude=ticket.latitude,
    )


def by_words(tree: Tree, text: str) -> list[tuple[Category, int]]:
    """Categories whose words stand in a text, most letters first; the narrower of equals."""
    found = [(each, sum(len(word) for word in each.words if word in text)) for each in tree.categories.values()]
    return sorted((pair for pair in found if pair[1]), key=lambda pair: (-pair[1], -pair[0].id.count("."), pair[0].id))


_DAYS = {"all": range(7), "workdays": range(WORKDAYS), "weekends": range(WORKDAYS, 7)}


def _in_time(rule: Rule, at: datetime) -> bool:
    local = at.astimezone(ZONE)
    if local.weekday() not in _DAYS[rule.days]:
        return False
    if rule.from_ is None or rule.until is None:
        return True
    moment = local.time()
    if rule.from_ <= rule.until:
        return rule.from_ <= moment < rule.until
    return moment >= rule.from_ or moment < rule.until


def _inside(ring: Sequence[tuple[float, float]], longitude: float | None, latitude: float | None) -> bool:
    """Whether a place lies in a ring: a ray to the east crosses it an odd number of times."""
    if longitude is None or latitude is None:
        return False
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > latitude) is not (y2 > latitude):
            inside ^= longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1
    return inside


def _why(rule: Rule) -> Reason:
    hours = f"{rule.from_:%H:%M}–{rule.until:%H:%M}" if rule.from_ and rule.until else ""
    parts = (
        ("category", rule.category),
        ("area", rule.area_name or ("*" if rule.area else "")),
        ("channel", ", ".join(rule.channels)),
        ("urgency", ", ".join(rule.urgencies)),
        ("words", ", ".join(rule.words)),
        ("hours", hours),
        ("days", "" if rule.days == "all" else rule.days),
    )
    conditions = "; ".join(f"{name} {value}" for name, value in parts if value)
    facts: dict[str, str | int] = {"rule": rule.number, "department": rule.department, "conditions": conditions}
    return Reason(code="hotline.because_rule", facts=facts)
