# SPDX-License-Identifier: Apache-2.0
"""Profiles: rules that a country adds to CAP, as a table: pure. An alert is held to those that its codes name.

What breaks a profile is remarked and never refused: whether to believe a message is not for a foreign profile to say.
China's rules for exchange between its warning centres are in no public text that is known here, so they have no row.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from citybrain.doors.cap.model import Alert, Info, Named
from citybrain.doors.cap.problems import Problem

Check = Callable[[Alert], Iterator[tuple[str, str, str]]]
"""Gives a code, a path and what is meant, for each place where an alert breaks a rule."""

NEEDS, SAME = "cap.profile_needs", "cap.profile_same"


class Profile(msgspec.Struct, frozen=True):
    """A profile: its name, the `code` by which an alert names it, where it is written, and its rules."""

    name: str
    code: str
    source: str
    checks: tuple[Check, ...]


def check(alert: Alert) -> list[Problem]:
    """What breaks the profiles that an alert names."""
    return [
        Problem(code=code, path=path, facts={"profile": profile.name, "what": what})
        for profile in PROFILES
        if profile.code in alert.codes
        for rule in profile.checks
        for code, path, what in rule(alert)
    ]


def _each_info(what: str, is_there: Callable[[Info], object]) -> Check:
    """Every info must have something."""

    def rule(alert: Alert) -> Iterator[tuple[str, str, str]]:
        for number, info in enumerate(alert.infos, 1):
            if not is_there(info):
                yield NEEDS, f"/alert/info[{number}]", what

    return rule


def _each_area(what: str, is_there: Callable[[Sequence[Named]], object]) -> Check:
    """Every area must have a geocode of some kind."""

    def rule(alert: Alert) -> Iterator[tuple[str, str, str]]:
        for number, info in enumerate(alert.infos, 1):
            for place, area in enumerate(info.areas, 1):
                if not is_there(area.geocodes):
                    yield NEEDS, f"/alert/info[{number}]/area[{place}]", what

    return rule


def _same(what: str, of: Callable[[Info], frozenset[object]]) -> Check:
    """All infos must say the same."""

    def rule(alert: Alert) -> Iterator[tuple[str, str, str]]:
        for number, info in enumerate(alert.infos[1:], 2):
            if of(info) != of(alert.infos[0]):
                yield SAME, f"/alert/info[{number}]", what

    return rule


def _named(names: Sequence[Named], name: str) -> list[str]:
    """The values under a name; one that ends in a colon stands for all versions behind it."""
    return [each.value for each in names if each.name == name or (name[-1] == ":" and each.name.startswith(name))]


_EVENT, _LOCATION = "profile:CAP-CP:Event", "profile:CAP-CP:Location"
PROFILES: tuple[Profile, ...] = (
    Profile(
        "IPAWS 1.0",
        "IPAWSv1.0",
        "OASIS CAP v1.2 USA IPAWS Profile v1.0, section 2",
        (
            _each_info("expires", lambda info: info.expires),
            _each_info("area", lambda info: info.areas),
            _each_info("eventCode SAME", lambda info: [len(each) for each in _named(info.event_codes, "SAME")] == [3]),
            _each_area("geocode SAME", lambda codes: any(len(each) == 6 for each in _named(codes, "SAME"))),
            _same("category", lambda info: frozenset(info.categories)),
            _same("eventCode", lambda info: frozenset((each.name, each.value) for each in info.event_codes)),
        ),
    ),
    Profile(
        "CAP-CP 0.4",
        "profile:CAP-CP:0.4",
        "Canadian Profile of the Common Alerting Protocol (CAP-CP), Event and Location References",
        (
            _each_info("area", lambda info: info.areas),
            _each_info(
                "eventCode profile:CAP-CP:Event", lambda info: _named(info.event_codes, "profile:CAP-CP:Event:")
            ),
            _each_area("geocode profile:CAP-CP:Location", lambda codes: _named(codes, "profile:CAP-CP:Location:")),
        ),
    ),
)
