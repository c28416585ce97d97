# SPDX-License-Identifier: Apache-2.0
"""What all apps and doors together give the city: types, tables, permissions, words."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from citybrain.kernel import access
from citybrain.kernel.app import EntityType
from citybrain.kernel.i18n import Words, load_words
from citybrain.serve import catalog

KERNEL_MIGRATIONS = Path(access.__file__).parent / "migrations"


def entity_types() -> tuple[EntityType, ...]:
    """Every declared type; types of one name that several parts declare are joined."""
    joined: dict[str, EntityType] = {}
    for part in (*catalog.doors(), *catalog.apps()):
        for each in part.entity_types:
            known = joined.get(each.name)
            attributes = (*known.attributes, *each.attributes) if known else each.attributes
            joined[each.name] = EntityType(name=each.name, attributes=attributes)
    return tuple(joined.values())


def migrations() -> Mapping[str, Path]:
    """The folder of migrations of each owner that has one, the kernel's first."""
    owners = {"kernel": KERNEL_MIGRATIONS}
    for part in (*catalog.doors(), *catalog.apps()):
        if (part.folder / "migrations").is_dir():
            owners[part.name] = part.folder / "migrations"
    return owners


def permissions() -> Mapping[str, tuple[str, ...]]:
    """Which roles have which permission: the kernel's own and those of apps and doors."""
    granted = dict(access.PERMISSIONS)
    for part in (*catalog.doors(), *catalog.apps()):
        granted.update(part.permissions)
    return granted


@cache
def words() -> Words:
    """Every sentence of kernel, serve, doors and apps."""
    folders = [Path(__file__).parent, *(part.folder for part in (*catalog.doors(), *catalog.apps()))]
    return load_words(folders)
