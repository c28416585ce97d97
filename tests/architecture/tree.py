# SPDX-License-Identifier: Apache-2.0
"""The tree of the repository as the rules read it: any copy of it, with what was built or installed left out."""

import ast
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {
    ".git",
    ".venv",
    ".clients",
    ".citybrain",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "__pycache__",
    "node_modules",
    "static",
    "dist",
    "build",
    "out",
    "test-results",
    "playwright-report",
}
PICTURES = {".png", ".jpg", ".ico", ".woff2", ".gz", ".pbf"}


def files(root: Path, *suffixes: str) -> Iterator[Path]:
    """All files of ours under a folder, or those with these suffixes."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_OURS and not name.endswith(".egg-info"))
        for name in sorted(names):
            if not suffixes or name.endswith(suffixes):
                yield Path(folder, name)


def texts(root: Path) -> Iterator[tuple[Path, str]]:
    """All text files of ours with their content."""
    for path in files(root):
        if path.suffix not in PICTURES and not path.name.startswith("."):
            yield path, path.read_text(encoding="utf-8")


def modules(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    """All Python files of ours, parsed."""
    for path in files(root, ".py"):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def parts(root: Path, kind: str) -> list[Path]:
    """The folders of `citybrain/apps` or `citybrain/doors`."""
    return sorted(init.parent for init in (root / "citybrain" / kind).glob("*/__init__.py"))


def refuse(found: Sequence[str]) -> None:
    """Fail with every complaint on a line of its own."""
    assert not found, "\n" + "\n".join(found)
