# SPDX-License-Identifier: Apache-2.0
"""What all apps and doors together give the city: types, tables, permissions, words."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from citybrain.kernel.app import App, Door, EntityType
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.orders import Trade
from citybrain.kernel.sensing import Meaning
from citybrain.serve import catalog


def entity_types() -> tuple[EntityType, ...]:
    """Every declared type; types of one name that several parts declare are joined."""
    joined: dict[str, EntityType] = {}
    for part in _parts():
        for each in part.entity_types:
            known = joined.get(each.name)
            attributes = (*known.attributes, *each.attributes) if known else each.attributes
            joined[each.name] = EntityType(name=each.name, attributes=attributes)
    return tuple(joined.values())


def migrations() -> Mapping[str, Path]:
    """The folder of migrations of each app and door that has one."""
    folders = {part.name: part.folder / "migrations" for part in _parts()}
    return {name: folder for name, folder in folders.items() if folder.is_dir()}


def permissions() -> list[Mapping[str, Sequence[str]]]:
    """What apps and doors grant, beside the kernel's own."""
    return [part.permissions for part in _parts()]


def senses() -> Mapping[str, frozenset[str]]:
    """What doors bring in that detectors look at: attributes by type."""
    joined: dict[str, frozenset[str]] = {}
    for app in catalog.apps():
        for type, attributes in app.senses.items():
            joined[type] = joined.get(type, frozenset()).union(attributes)
    return joined


def meanings() -> Mapping[str, Meaning]:
    """What entities that doors keep in forms of their own are for detectors, by type."""
    return {type: meaning for door in catalog.doors() for type, meaning in door.meanings.items()}


def trade() -> Trade:
    """Every means of the apps, and those that an app or a door carries out."""
    return Trade(
        means={means.name: means for app in catalog.apps() for means in app.means},
        executed=frozenset(name for part in _parts() for name in part.executes),
    )


@cache
def words() -> Words:
    """Every sentence of kernel, serve, doors and apps."""
    folders = [Path(__file__).parent, *(part.folder for part in _parts())]
    return load_words(folders)


def _parts() -> Sequence[App | Door]:
    return [*catalog.doors(), *catalog.apps()]
