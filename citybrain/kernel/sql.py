# SPDX-License-Identifier: Apache-2.0
"""Named queries: SQL stands in `.sql` files, each under `-- name: x`, and is used as a typed record."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec

Sql = TypeVar("Sql", bound=msgspec.Struct)

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class UnnamedQuery(Exception):
    """The file and the record that is to hold its queries do not have the same names: a bug, seen at start."""


def load(path: Path, as_: type[Sql]) -> Sql:
    """Read the queries of `path` into a record with one `str` field per name.

    A name that is missing, unknown or there twice fails here, when the module is imported.
    """
    pieces = _NAME.split(path.read_text("utf-8"))[1:]
    names = pieces[0::2]
    queries = dict(zip(names, (text.strip() for text in pieces[1::2]), strict=True))
    wanted = set(as_.__struct_fields__)
    if len(names) != len(queries) or set(queries) != wanted:
        twice = {name for name in names if names.count(name) > 1}
        raise UnnamedQuery(str(path), sorted(wanted ^ set(queries) | twice))
    return as_(**queries)
