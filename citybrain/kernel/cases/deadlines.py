# SPDX-License-Identifier: Apache-2.0
"""Time limits of cases: which clock runs, when it is over, when to warn and whom to tell afterwards. Pure.

A type has rules; rules of one name are alternatives for one clock, of which the first that fits a case counts. All
that was measured lies in the case (`Case.clocks`), so a limit can be worked out again at any time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.lengths import Length, LengthUnreadable, after, at_share, before, put_off, read_length
from citybrain.kernel.cases.worktime import USUAL, Hours
from citybrain.kernel.errors import Invalid

RECIPIENTS = ("assignee", "department", "opener")  # or role:<name> in the department, department:<id>, account:<name>
NAMED_RECIPIENTS = ("role:", "department:", "account:")
EVENTS = ("opened", "reopened", "closed", "assigned", "transferred")  # or state:<name>
WHOLE = 100  # percent
REFERENCES = ("priority", "category", "channel", "type_version")  # a limit is worked out again when these change


class RuleUnusable(Invalid):
    """A rule for a time limit that cannot work."""


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell when a limit has been over for a while; `after` None means at once."""

    to: tuple[str, ...]
    after: str | None = None


class DeadlineRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long something may take, counted from one of `begins` to one of `ends`.

    It fits cases of its `priorities`, `channels` and `categories` (with those below them, `road` also `road.hole`);
    where none is named, all. `warn` are shares of the limit (`80%`) or lengths before its end (`4h`, `1wd`), told to
    `warn_to`. With `pauses` it stands still while a case is suspended.
    """

    name: str
    within: str
    begins: tuple[str, ...] = ("opened", "reopened")
    ends: tuple[str, ...] = ("closed",)
    priorities: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    pauses: bool = True
    warn: tuple[str, ...] = ("80%",)
    warn_to: tuple[str, ...] = ("assignee",)
    escalate: tuple[Escalation, ...] = ()
    hours: Hours = USUAL

    @property
    def length(self) -> Length:
        """`within` as a length."""
        return read_length(self.within)

    def fits(self, case: Case) -> bool:
        """Whether it is meant for a case."""
        below = any(case.category == each or case.category.startswith(f"{each}.") for each in self.categories)
        return (
            (not self.priorities or case.priority in self.priorities)
            and (not self.channels or case.channel in self.channels)
            and (not self.categories or below)
        )


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a case was suspended; `until` None: it still is."""

    since: datetime
    until: datetime | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of a case: `rule` is the place of its rule in the type, `is_set` that somebody set its end by hand."""

    begun_at: datetime
    due_at: datetime
    rule: int
    ended_at: datetime | None = None
    is_set: bool = False

    @property
    def in_time(self) -> bool | None:
        """Whether it ended in time, None while it runs. The limit itself is in time."""
        return None if self.ended_at is None else self.ended_at <= self.due_at


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """What `Case.clocks` holds."""

    running: Mapping[str, Clock] = {}
    pauses: tuple[Pause, ...] = ()


class AlarmKind(StrEnum):
    """What an alarm is about."""

    WARN = "warn"
    ESCALATE = "escalate"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A time at which somebody is to be told of a clock; `step` counts the warnings or escalations of its rule."""

    clock: str
    kind: AlarmKind
    step: int
    at: datetime
    due_at: datetime
    to: tuple[str, ...]


def read_clocks(case: Case) -> Clocks:
    """The clocks of a case."""
    return msgspec.convert(dict(case.clocks), Clocks)


def rules_of(type: CaseType) -> tuple[DeadlineRule, ...]:
    """The rules of a type; refuses `RuleUnusable` naming the one that cannot work."""
    return _rules(msgspec.json.encode(type.deadlines))


@lru_cache(maxsize=2_000)
def _rules(written: bytes) -> tuple[DeadlineRule, ...]:
    try:
        rules = msgspec.json.decode(written, type=tuple[DeadlineRule, ...])
    except msgspec.ValidationError as problem:
        raise RuleUnusable("kernel.deadline_unreadable", {"why": str(problem)}) from problem
    for rule in rules:
        _check(rule)
    return rules


def _check(rule: DeadlineRule) -> None:
    for text in [rule.within, *rule.warn, *(each.after for each in rule.escalate if each.after)]:
        if not (_is_share(text) if text in rule.warn and text.endswith("%") else _is_length(text)):
            raise RuleUnusable("kernel.deadline_length", {"rule": rule.name, "length": text})
    for event in (*rule.begins, *rule.ends):
        if event not in EVENTS and not event.startswith("state:"):
            raise RuleUnusable("kernel.deadline_event", {"rule": rule.name, "event": event})
    for to in (*rule.warn_to, *(each for step in rule.escalate for each in step.to)):
        if to not in RECIPIENTS and not to.startswith(NAMED_RECIPIENTS):
            raise RuleUnusable("kernel.deadline_recipient", {"rule": rule.name, "to": to})


def _is_share(text: str) -> bool:
    return text[:-1].isdecimal() and 0 < int(text[:-1]) < WHOLE


def _is_length(text: str) -> bool:
    try:
        read_length(text)
    except LengthUnreadable:
        return False
    return True


def check_rules(type: CaseType) -> None:
    """Refuse `RuleUnusable` when a rule of a type cannot work or names a state that the type has not."""
    for rule in rules_of(type):
        for event in (*rule.begins, *rule.ends):
            if event.startswith("state:") and event.removeprefix("state:") not in type.states:
                raise RuleUnusable("kernel.deadline_event", {"rule": rule.name, "event": event})


def keep_time(type: CaseType, before: Case | None, after: Case, now: datetime) -> Case:
    """The planner: a case after an act with its clocks, the soonest end of those that run, and no stale warning.

    A suspended case is due at no time. One that is closed keeps the end of the clock that stopped with it.
    """
    rules = rules_of(type)
    old = read_clocks(before) if before else Clocks()
    if not rules and not old.running:
        return after
    pauses = _paused(old.pauses, before, after, now)
    running = dict(_by_hand(old.running, before, after))
    happened = _happened(before, after)
    changed = before is not None and any(getattr(before, each) != getattr(after, each) for each in REFERENCES)
    if changed:
        running = _worked_out_again(rules, running, after, pauses)
    elif len(pauses) and pauses != old.pauses and pauses[-1].until:
        running = {name: _put_off(rules, clock, pauses[-1]) for name, clock in running.items()}
    begin = after.created_at if before is None else now
    running = _begun(rules, _ended(rules, running, happened, begin), after, happened, begin)
    if changed:
        running = _begun_late(rules, running, after, pauses)
    return _shown(before, after, Clocks(running=running, pauses=pauses))


def _happened(before: Case | None, after: Case) -> frozenset[str]:
    """The events of an act that rules may name."""
    found: set[str] = set()
    if before is None or before.state != after.state:
        found.add(f"state:{after.state}")
    if before is None:
        found.add("opened")
    if after.phase is Phase.CLOSED and (before is None or before.phase is not Phase.CLOSED):
        found.add("closed")
    if before and before.phase is Phase.CLOSED and after.phase is not Phase.CLOSED:
        found.add("reopened")
    if after.assignee and (before is None or before.assignee is None):
        found.add("assigned")
    if before and before.department != after.department:
        found.add("transferred")
    return frozenset(found)


def _paused(pauses: tuple[Pause, ...], before: Case | None, after: Case, now: datetime) -> tuple[Pause, ...]:
    was = before is not None and before.phase is Phase.SUSPENDED
    is_now = after.phase is Phase.SUSPENDED
    if is_now and not was:
        return (*pauses, Pause(since=after.suspended_at or now))
    if was and not is_now and pauses:
        return (*pauses[:-1], replace(pauses[-1], until=now))
    return pauses


def _by_hand(running: Mapping[str, Clock], before: Case | None, after: Case) -> Mapping[str, Clock]:
    """An end that somebody set is that of the clock that was due first."""
    if before is None or after.due_at is None or before.due_at == after.due_at:
        return running
    name = _first(running)
    return {**running, name: replace(running[name], due_at=after.due_at, is_set=True)} if name else running


def _first(running: Mapping[str, Clock]) -> str | None:
    open_ones = {name: clock.due_at for name, clock in running.items() if clock.ended_at is None}
    return min(open_ones, key=lambda name: (open_ones[name], name)) if open_ones else None


def _fitting(rules: Sequence[DeadlineRule], case: Case) -> dict[str, int]:
    """Of each clock the rule that counts for a case."""
    found: dict[str, int] = {}
    for place, rule in enumerate(rules):
        if rule.name not in found and rule.fits(case):
            found[rule.name] = place
    return found


def due(rule: DeadlineRule, begun_at: datetime, pauses: Sequence[Pause] = ()) -> datetime:
    """When a limit that began at a time is over, with all pauses that have ended."""
    end = after(begun_at, rule.length, rule.hours)
    for pause in pauses if rule.pauses else ():
        if pause.until and pause.until > begun_at:
            end = put_off(end, max(pause.since, begun_at), pause.until, rule.length.unit, rule.hours)
    return end


def _worked_out_again(
    rules: Sequence[DeadlineRule], running: Mapping[str, Clock], case: Case, pauses: Sequence[Pause]
) -> dict[str, Clock]:
    """Clocks after a change of what rules go by. What ended or was set by hand stays; what no rule has goes."""
    fitting = _fitting(rules, case)
    found: dict[str, Clock] = {}
    for name, clock in running.items():
        if clock.ended_at is not None:
            found[name] = clock
        elif name in fitting:
            place = fitting[name]
            end = clock.due_at if clock.is_set else due(rules[place], clock.begun_at, pauses)
            found[name] = replace(clock, rule=place, due_at=end)
    return found


def _begun_late(
    rules: Sequence[DeadlineRule], running: Mapping[str, Clock], case: Case, pauses: Sequence[Pause]
) -> dict[str, Clock]:
    """Clocks that would run since the case was opened, had it been then what it is now."""
    late = {
        name: Clock(begun_at=case.created_at, due_at=due(rules[place], case.created_at, pauses), rule=place)
        for name, place in _fitting(rules, case).items()
        if name not in running and "opened" in rules[place].begins and case.phase is not Phase.CLOSED
    }
    return {**running, **late}


def _put_off(rules: Sequence[DeadlineRule], clock: Clock, pause: Pause) -> Clock:
    rule = rules[clock.rule] if clock.rule < len(rules) else None
    if clock.ended_at is not None or rule is None or not rule.pauses or pause.until is None:
        return clock
    since = max(pause.since, clock.begun_at)
    return replace(clock, due_at=put_off(clock.due_at, since, pause.until, rule.length.unit, rule.hours))


def _ended(
    rules: Sequence[DeadlineRule], running: Mapping[str, Clock], happened: frozenset[str], now: datetime
) -> dict[str, Clock]:
    """Clocks after what stops them. A closed case has none that runs."""
    return {
        name: replace(clock, ended_at=now)
        if clock.ended_at is None and not happened.isdisjoint({*rules[clock.rule].ends, "closed"})
        else clock
        for name, clock in running.items()
    }


def _begun(
    rules: Sequence[DeadlineRule], running: Mapping[str, Clock], case: Case, happened: frozenset[str], now: datetime
) -> dict[str, Clock]:
    """Clocks after what starts them; one that runs is not started again."""
    found = dict(running)
    for name, place in _fitting(rules, case).items():
        rule = rules[place]
        runs = name in found and found[name].ended_at is None
        if runs or happened.isdisjoint(rule.begins) or case.phase is Phase.CLOSED:
            continue
        # What begins and ends at once, as taking a case that is opened with somebody, counts as done in time.
        ended_at = None if happened.isdisjoint(rule.ends) else now
        found[name] = Clock(begun_at=now, due_at=due(rule, now), rule=place, ended_at=ended_at)
    return found


def _shown(before: Case | None, after: Case, clocks: Clocks) -> Case:
    first = _first(clocks.running)
    if after.phase is Phase.CLOSED:
        due_at = _last_due(clocks) or after.due_at
    elif after.phase is Phase.SUSPENDED or first is None:
        due_at = None
    else:
        due_at = clocks.running[first].due_at
    is_new = before is not None and due_at is not None and before.due_at != due_at and before.warned_at is not None
    warned_at = None if is_new and after.phase is not Phase.CLOSED else after.warned_at
    return replace(after, due_at=due_at, warned_at=warned_at, clocks=msgspec.to_builtins(clocks))


def _last_due(clocks: Clocks) -> datetime | None:
    """The end of the clock that stopped last; of those that stopped together the one that was due first."""
    ended = [(clock.ended_at, clock.due_at) for clock in clocks.running.values() if clock.ended_at]
    last = max((at for at, _ in ended), default=None)
    return min((due_at for at, due_at in ended if at == last), default=None)


def alarms(type: CaseType, case: Case) -> list[Alarm]:
    """When somebody is to be told of the clocks of a case, in order of time. None while none runs."""
    if case.phase is not Phase.OPEN:
        return []
    rules = rules_of(type)
    found: list[Alarm] = []
    for name, clock in read_clocks(case).running.items():
        if clock.ended_at is None and clock.rule < len(rules):
            found += _alarms_of(rules[clock.rule], name, clock)
    return sorted(found, key=lambda alarm: (alarm.at, alarm.clock, alarm.kind, alarm.step))


def _alarms_of(rule: DeadlineRule, name: str, clock: Clock) -> Iterator[Alarm]:
    for step, text in enumerate(rule.warn):
        if text.endswith("%"):
            at = at_share(clock.due_at, rule.length, int(text[:-1]) / WHOLE, rule.hours)
        else:
            at = before(clock.due_at, read_length(text), rule.hours)
        at = max(at, clock.begun_at)
        yield Alarm(clock=name, kind=AlarmKind.WARN, step=step, at=at, due_at=clock.due_at, to=rule.warn_to)
    for step, each in enumerate(rule.escalate):
        at = after(clock.due_at, read_length(each.after), rule.hours) if each.after else clock.due_at
        yield Alarm(clock=name, kind=AlarmKind.ESCALATE, step=step, at=at, due_at=clock.due_at, to=each.to)
