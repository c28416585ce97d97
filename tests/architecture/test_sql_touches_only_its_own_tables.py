# SPDX-License-Identifier: Apache-2.0
"""SQL stands in files, and each app's SQL touches only its own tables."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, files, modules, parts, refuse

COMMENT = re.compile(r"--[^\n]*")
EXTRACT = re.compile(r"\b(?:extract|substring|trim|overlay)\s*\([^()]*?\bFROM\b", re.I)
TEXT = re.compile(r"'(?:[^']|'')*'")
CTE = re.compile(
    r"(?:\bWITH(?:\s+RECURSIVE)?|,)\s+(\w+)\s*(?:\([^()]*\)\s*)?AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\(", re.I
)
TABLE = re.compile(
    r"(?<!\bDISTINCT )\b(?:FROM|JOIN|INTO|UPDATE|TABLE|REFERENCES|ON(?=\s+\w+\s*(?:USING\s+\w+\s*)?\())"
    r"\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?\"?(\w+)\"?(\s*\()?",
    re.I,
)
# Words that stand where a table could: FOR UPDATE OF …, a trigger BEFORE UPDATE OR DELETE,
# ON CONFLICT DO UPDATE SET, EXTRACT(… FROM x), LATERAL, VALUES.
NOT_TABLES = {
    "set",
    "of",
    "or",
    "skip",
    "nowait",
    "lateral",
    "select",
    "values",
    "unnest",
    "generate_series",
    "only",
    "conflict",
}
SPATIAL = re.compile(r"\bST_\w+|<->|&&|\b(?:point|box|polygon|circle|lseg)\s*\(|::(?:point|box|polygon)\b", re.I)
STATEMENT = re.compile(r"\b(?:SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\s", re.S)


def tables(sql: str) -> set[str]:
    """The tables that a text of SQL reads or writes; names of CTEs and functions are none."""
    bare = EXTRACT.sub("(", TEXT.sub("''", COMMENT.sub("", sql)))
    ctes = {name.lower() for name in CTE.findall(bare)}
    named = {match[1].lower() for match in TABLE.finditer(bare) if not match[2] or _takes_columns(match)}
    return named - ctes - NOT_TABLES


def _takes_columns(match: re.Match[str]) -> bool:
    """`INTO t (a, b)`, `TABLE t (`, `REFERENCES t (` and `ON t (` name a table; `FROM f(…)` calls a function."""
    return match[0].split()[0].upper() in {"INTO", "TABLE", "REFERENCES", "ON"}


def complaints(root: Path) -> list[str]:
    """SQL in the wrong place or about the wrong tables."""
    return sorted([*_foreign_tables(root), *_spatial_outside_the_pool(root), *_sql_in_python(root)])


def _foreign_tables(root: Path) -> Iterator[str]:
    for kind in ("apps", "doors"):
        for folder in parts(root, kind):
            for path in files(folder, ".sql"):
                for table in sorted(tables(path.read_text(encoding="utf-8"))):
                    if not table.startswith(f"{folder.name}_"):
                        yield f"{path.relative_to(root)}: touches {table}"


def _spatial_outside_the_pool(root: Path) -> Iterator[str]:
    pool = root / "citybrain" / "kernel" / "pool"
    for path in files(root / "citybrain", ".sql"):
        kernels_own = path.is_relative_to(root / "citybrain" / "kernel" / "migrations")
        if path.is_relative_to(pool) or kernels_own:
            continue
        for what in SPATIAL.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(root)}: spatial SQL outside the pool: {what}"


def _sql_in_python(root: Path) -> Iterator[str]:
    kernel = root / "citybrain" / "kernel"
    for path, module in modules(root / "citybrain"):
        if path.is_relative_to(kernel) or "tests" in path.parts:
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.search(node.value):
                yield f"{path.relative_to(root)}:{node.lineno}: SQL outside a queries file"


def test_every_app_keeps_to_its_own_tables() -> None:
    refuse(complaints(ROOT))


def test_reading_sql_finds_tables_and_not_what_looks_like_one() -> None:
    sql = """
    -- FROM a_comment
    WITH late AS (SELECT id FROM library_item WHERE note = 'FROM nowhere' FOR UPDATE SKIP LOCKED)
    UPDATE library_reader SET n = 1 FROM late JOIN library_loan USING (id)
    WHERE extract(epoch FROM at) > 0 AND id IN (SELECT x FROM unnest(%(ids)s));
    INSERT INTO library_log (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2;
    CREATE TABLE IF NOT EXISTS library_copy (id text REFERENCES library_item (id));
    CREATE INDEX copy_by_id ON library_copy (id);
    DELETE FROM other_table;
    """
    assert tables(sql) == {
        "library_item", "library_reader", "library_loan", "library_log", "library_copy", "other_table"
    }  # fmt: skip
