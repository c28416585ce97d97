# SPDX-License-Identifier: Apache-2.0
"""What this city consists of: our own apps and doors, found by walking, and those of installed packages."""

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import msgspec

import citybrain.apps
import citybrain.doors
from citybrain.kernel import i18n
from citybrain.kernel.app import App, Door
from citybrain.kernel.errors import Refusal, Unavailable

# First words of what belongs to kernel and serve: their words, tables, permissions.
RESERVED = ("audit", "case", "city", "kernel", "order", "people", "serve", "session")

Part = TypeVar("Part", App, Door)


class BrokenPart(Unavailable):
    """A package that cannot be imported, or whose value is not one. What was installed is never left out silently."""


class DuplicatePart(Unavailable):
    """Two parts of the city have one name, so nobody could say whose tables and words are whose."""


class ForeignName(Unavailable):
    """An app or door claims a name outside its own: kinds, means and permissions begin with `<its name>.`."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part is to be found: the package to blame if it cannot be used, and how to get its value."""

    package: str
    load: Callable[[], object]


def apps() -> tuple[App, ...]:
    """All apps of this city, our own first, by name."""
    return _city()[0]


def doors() -> tuple[Door, ...]:
    """All doors of this city, our own first, by name."""
    return _city()[1]


@cache
def words() -> i18n.Words:
    """All sentences of this city. While a part is broken those of kernel and serve, so that this can be told."""
    try:
        parts: tuple[App | Door, ...] = (*apps(), *doors())
    except Refusal:
        return own_words()
    return _words_of(*parts)


@cache
def own_words() -> i18n.Words:
    """The sentences of kernel and serve, for which no app or door is loaded."""
    return _words_of()


def _words_of(*parts: App | Door) -> i18n.Words:
    return i18n.load_words([Path(__file__).parent, *(part.folder for part in parts)])


@cache
def _city() -> tuple[tuple[App, ...], tuple[Door, ...]]:
    found_apps = load(App, [*ours(citybrain.apps, "app", "APP"), *installed("citybrain.apps")])
    found_doors = load(Door, [*ours(citybrain.doors, "door", "DOOR"), *installed("citybrain.doors")])
    refuse_confusion(found_apps, found_doors)
    return found_apps, found_doors


def ours(package: ModuleType, room: str, value: str) -> Iterator[Place]:
    """The folders of one of our own packages; `room` is the module that ends in `value`."""
    for folder in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        path = f"{package.__name__}.{folder.name}"
        yield Place(package=path, load=EntryPoint(path, f"{path}.{room}:{value}", "").load)


def installed(group: str) -> Iterator[Place]:
    """What installed packages offer under an entry point group."""
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        package = point.dist.name if point.dist else point.value
        yield Place(package=package, load=point.load)


def load(kind: type[Part], places: Iterable[Place]) -> tuple[Part, ...]:
    """The values at these places. One that cannot be had is refused with the name of its package."""
    return tuple(_loaded(kind, place) for place in places)


def _loaded(kind: type[Part], place: Place) -> Part:
    try:
        value = place.load()
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        raise BrokenPart("serve.broken_part", {"entry_point": place.package, "detail": detail}) from error
    if not isinstance(value, kind):
        detail = f"{type(value).__name__} instead of {kind.__name__}"
        raise BrokenPart("serve.broken_part", {"entry_point": place.package, "detail": detail})
    return value


def refuse_confusion(apps: Iterable[App], doors: Iterable[Door]) -> None:
    """Every part has a name of its own, and every kind, means and permission begins with its owner's.

    Means may begin with a subject of their app instead; no two apps declare the same one.
    """
    owners: dict[str, str] = {name: f"citybrain.{name}" for name in RESERVED}
    declared: set[str] = set()
    parts: tuple[App | Door, ...] = (*apps, *doors)
    for part in parts:
        if part.name in owners:
            facts = {"name": part.name, "first": owners[part.name], "second": str(part.folder)}
            raise DuplicatePart("serve.duplicate_part", facts)
        owners[part.name] = str(part.folder)
        for name in _owned(part):
            if not name.startswith(f"{part.name}."):
                raise ForeignName("serve.foreign_name", {"name": name, "owner": part.name})
        if isinstance(part, App):
            _refuse_means(part, declared)


def _owned(part: App | Door) -> list[str]:
    """The names that only this part may use."""
    return [*part.kinds, *part.permissions]


def _refuse_means(app: App, declared: set[str]) -> None:
    for means in app.means:
        if means.name in declared or means.name.partition(".")[0] not in {app.name, *app.subjects}:
            raise ForeignName("serve.foreign_name", {"name": means.name, "owner": app.name})
        declared.add(means.name)
