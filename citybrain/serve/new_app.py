# SPDX-License-Identifier: Apache-2.0
"""Writes the skeleton of a new app: a folder in this repository, or a package of its own anywhere else."""

import keyword
import re
from pathlib import Path
from string import Template

from citybrain.kernel.errors import Invalid
from citybrain.serve.catalog import RESERVED

SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
OURS = Path("citybrain") / "apps"


class NewAppRefused(Invalid):
    """A name that cannot be folder, Python package and first word of kinds at once, or a folder that is taken."""


def write_app(name: str, where: Path | None = None) -> Path:
    """Write the app `name` under `where` (here, if not given) and return its folder.

    In a checkout of citybrain it becomes `citybrain/apps/<name>`, anywhere else a package `citybrain-<name>` with an
    entry point, which the city finds once it is installed.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name in RESERVED:
        raise NewAppRefused("serve.app_name_unusable", {"name": name})
    where = where or Path.cwd()
    if (where / OURS).is_dir():
        return _write(where / OURS / name, name, f"citybrain.apps.{name}")
    distribution = where / f"citybrain-{name.replace('_', '-')}"
    folder = _write(distribution / f"citybrain_{name}", name, f"citybrain_{name}")
    for file in ("pyproject.toml", "README.md"):
        (folder / file).rename(distribution / file)
    return distribution


def _write(folder: Path, name: str, package: str) -> Path:
    if folder.exists():
        raise NewAppRefused("serve.folder_taken", {"folder": str(folder)})
    words = {"name": name, "package": package, "distribution": package.replace("_", "-")}
    for template in sorted(SKELETON.rglob("*.txt")):
        file = folder / template.relative_to(SKELETON).with_suffix("")
        if file.name == "pyproject.toml" and package.startswith("citybrain.apps."):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
    return folder
