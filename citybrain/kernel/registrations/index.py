# SPDX-License-Identifier: Apache-2.0
"""Which registrations could hold what is asked for: by look-up, never by walking through all (CIM 009 clause 5.12)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from citybrain.kernel.registrations.model import EntityInfo, Information, Registration


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation is about; empty means it does not say.

    `types` are all types named by a selection: a source that holds one of them may hold a match.
    """

    ids: tuple[str, ...] = ()
    id_pattern: str = ""
    types: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    dataset_ids: frozenset[str] = frozenset()


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that could hold some of it, and which part: the limits to send along.

    `ids` and `types` are those both wanted and registered; `ids` stays empty when none is wanted and the source is not
    limited to single ids. `attributes` is None when the source is not limited to attributes, else those that are both
    wanted and registered; `claimed` all that it registered for these entities.
    """

    registration: Registration
    ids: tuple[str, ...] = ()
    id_patterns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    attributes: frozenset[str] | None = None
    claimed: frozenset[str] | None = None

    def covers(self, name: str) -> bool:
        """Whether an attribute is in what the source registered."""
        return self.claimed is None or name in self.claimed

    def takes_entity(self, id: str, types: Iterable[str]) -> bool:
        """Whether an entity is in what the source registered."""
        wanted = Wanted(ids=(id,), types=tuple(types))
        return any(_information_matches(one, wanted) for one in self.registration.information)


class Index:
    """The registrations of one tenant, findable by type, by id and by attribute."""

    def __init__(self) -> None:
        self._all: dict[str, Registration] = {}
        self._by_id: dict[str, set[str]] = defaultdict(set)
        self._by_type: dict[str, set[str]] = defaultdict(set)
        self._groups: set[str] = set()
        self._groups_by_type: dict[str, set[str]] = defaultdict(set)
        self._any_type: set[str] = set()
        self._by_attribute: dict[str, set[str]] = defaultdict(set)
        self._any_attribute: set[str] = set()

    def __len__(self) -> int:
        return len(self._all)

    def get(self, id: str) -> Registration | None:
        """One by its id."""
        return self._all.get(id)

    def all(self) -> list[Registration]:
        """All, in the order in which they came."""
        return list(self._all.values())

    def add(self, registration: Registration) -> None:
        """Take one in, in place of one with the same id."""
        self.remove(registration.id)
        self._all[registration.id] = registration
        for found in self._places(registration):
            found.add(registration.id)

    def remove(self, id: str) -> None:
        """Forget one; unknown ones are none."""
        registration = self._all.pop(id, None)
        if registration is not None:
            for found in self._places(registration):
                found.discard(id)

    def find(self, wanted: Wanted) -> list[Match]:
        """Those that match, in the order of their ids, each with the part it is asked for."""
        matches = (match_of(self._all[id], wanted) for id in sorted(self._candidates(wanted)))
        return [match for match in matches if match is not None]

    def _candidates(self, wanted: Wanted) -> set[str]:
        """A set that holds all matches: the smaller of what ids and types leave, then what attributes leave."""
        found: set[str] | None = None
        if wanted.ids and wanted.types:
            named = set().union(*(self._by_id.get(id, ()) for id in wanted.ids))
            of_type = set().union(*(self._groups_by_type.get(type, ()) for type in wanted.types))
            found = named | of_type | (self._groups & self._any_type)
        elif wanted.ids:
            found = set().union(self._groups, *(self._by_id.get(id, ()) for id in wanted.ids))
        elif wanted.types:
            found = set().union(self._any_type, *(self._by_type.get(type, ()) for type in wanted.types))
        if not wanted.attributes:
            return set(self._all) if found is None else found
        having = set().union(self._any_attribute, *(self._by_attribute.get(name, ()) for name in wanted.attributes))
        return having if found is None else found & having

    def _places(self, registration: Registration) -> Iterable[set[str]]:
        for one in registration.information:
            for info in one.entities or (EntityInfo(),):
                yield from self._places_of(info)
            if one.attributes:
                yield from (self._by_attribute[name] for name in one.attributes)
            else:
                yield self._any_attribute

    def _places_of(self, info: EntityInfo) -> Iterable[set[str]]:
        if info.types:
            yield from (self._by_type[type] for type in info.types)
        else:
            yield self._any_type
        if info.id:
            yield self._by_id[info.id]
        else:
            yield self._groups
            yield from (self._groups_by_type[type] for type in info.types)


def match_of(registration: Registration, wanted: Wanted) -> Match | None:
    """What of the wanted a registration could hold, None when nothing (clause 5.12)."""
    if not _datasets_meet(registration, wanted):
        return None
    matched = [one for one in registration.information if _information_matches(one, wanted)]
    if not matched:
        return None
    infos = [info for one in matched for info in one.entities if entity_matches(info, wanted)]
    grouped = any(not one.entities for one in matched) or any(not info.id for info in infos)
    claimed = _claimed(matched)
    return Match(
        registration=registration,
        ids=_ids(matched, infos, wanted, is_grouped=grouped),
        id_patterns=tuple(dict.fromkeys(info.id_pattern for info in infos if info.id_pattern)) if infos else (),
        types=_types(infos, wanted),
        attributes=_asked(claimed, wanted),
        claimed=claimed,
    )


def entity_matches(info: EntityInfo, wanted: Wanted) -> bool:
    """The conditions of clause 5.12 on one EntityInfo."""
    if info.types and wanted.types and not set(info.types) & set(wanted.types):
        return False
    if not info.id and not info.id_pattern:
        return True
    if wanted.ids:
        # Ids win over a pattern that stands beside them, as in a query (clause 5.2.8).
        return info.id in wanted.ids or any(_searches(info.id_pattern, id) for id in wanted.ids)
    if not wanted.id_pattern or not info.id:
        return True
    return _searches(wanted.id_pattern, info.id)


def _information_matches(one: Information, wanted: Wanted) -> bool:
    if one.entities and not any(entity_matches(info, wanted) for info in one.entities):
        return False
    names = one.attributes
    return not names or not wanted.attributes or bool(names & wanted.attributes)


def _datasets_meet(registration: Registration, wanted: Wanted) -> bool:
    registered = registration.members.get("datasetId", ())
    return not wanted.dataset_ids or not registered or bool(wanted.dataset_ids.intersection(registered))


def _claimed(matched: Sequence[Information]) -> frozenset[str] | None:
    if any(not one.attributes for one in matched):
        return None
    return frozenset().union(*(one.attributes for one in matched))


def _asked(claimed: frozenset[str] | None, wanted: Wanted) -> frozenset[str] | None:
    if claimed is None:
        return wanted.attributes or None
    return claimed & wanted.attributes if wanted.attributes else claimed


def _ids(
    matched: Sequence[Information], infos: Sequence[EntityInfo], wanted: Wanted, *, is_grouped: bool
) -> tuple[str, ...]:
    """The ids to ask for: of those wanted the ones it could hold, or all it registered when none is wanted."""
    if not wanted.ids:
        return () if is_grouped else tuple(dict.fromkeys(info.id for info in infos))
    if any(not one.entities for one in matched):
        return wanted.ids
    each = {id: msgspec.structs.replace(wanted, ids=(id,)) for id in wanted.ids}
    return tuple(id for id, alone in each.items() if any(entity_matches(info, alone) for info in infos))


def _types(infos: Sequence[EntityInfo], wanted: Wanted) -> tuple[str, ...]:
    if not infos or any(not info.types for info in infos):
        return wanted.types
    registered = tuple(dict.fromkeys(type for info in infos for type in info.types))
    return tuple(type for type in registered if type in wanted.types) if wanted.types else registered


@lru_cache(maxsize=16_384)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _searches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; anchors are the pattern's own affair (clause 5.2.8)."""
    compiled = _compiled(pattern) if pattern else None
    return compiled is not None and compiled.search(text) is not None
