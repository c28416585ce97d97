# SPDX-License-Identifier: Apache-2.0
"""Where imported cities lie: each in a folder of its own, which appears whole or not at all."""

import fcntl
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from citybrain.doors.sumo.configuration import read as read_configuration
from citybrain.kernel.errors import Conflict, Invalid
from citybrain.kernel.importing import Report, Wish
from citybrain.kernel.settings import load_settings

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
CARD = "import.json"
NET = "city.net.xml"
REPORT = "report.json"
SOURCE = "SOURCE.md"
CONFIGURATION = "city.sumocfg"
HALF = ".import-"
OLD = ".old-"
LOCK = ".lock"


class NameUnfit(Invalid):
    """A city's name is part of a path and of an address."""


class NameTaken(Conflict):
    """There is a city of this name already."""


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the city was made of."""

    name: str
    bytes: int
    sha256: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an imported city; its folder has a card or is none."""

    name: str
    kind: str
    timezone: str
    attribution: str
    imported_at: datetime
    sources: tuple[SourceFile, ...]
    begin_s: float
    end_s: float
    signals: int


def scenarios_folder() -> Path:
    """The folder of all imported cities."""
    return load_settings().data / "scenarios"


def cards() -> list[tuple[Path, Card]]:
    """The imported cities by name. What is half, or has no readable card, is none."""
    found = []
    for folder in sorted(scenarios_folder().glob("*")):
        if folder.name.startswith(".") or not all((folder / name).is_file() for name in (CONFIGURATION, NET)):
            continue
        try:
            found.append((folder, msgspec.json.decode((folder / CARD).read_bytes(), type=Card)))
        except (OSError, msgspec.MsgspecError):
            continue
    return found


def name_of(wish: Wish) -> str:
    """The city's name: the wished one, or one made of the first file's; refuses what is no name."""
    name = wish.name or _made(wish.files[0])
    if not NAME.fullmatch(name):
        raise NameUnfit("sumo.import_name_unfit", {"name": name})
    return name


@contextmanager
def half_city(wish: Wish, name: str) -> Iterator[Path]:
    """A folder to write the city into; it is gone at the end unless `appear` made it the city's."""
    root = scenarios_folder()
    if (root / name).exists() and not wish.replace and not wish.dry_run:
        raise NameTaken("sumo.import_name_taken", {"name": name})
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOCK).open("w") as lock:
        # One import at a time: what is half now was left by one that was killed.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _tidy(root)
        folder = Path(mkdtemp(prefix=HALF, dir=root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def appear(folder: Path, name: str) -> Path:
    """The half city becomes the city of this name, in place of an older one."""
    root = scenarios_folder()
    target, old = root / name, root / f"{OLD}{name}"
    folder.chmod(0o755)
    _sync(folder)
    if target.exists():
        target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def describe(folder: Path, wish: Wish, report: Report) -> None:
    """Write the card, the report and the note of sources."""
    read = read_configuration(folder / CONFIGURATION)
    sources = tuple(_source(path) for path in wish.files if path.is_file())
    card = Card(
        name=report.name,
        kind=report.kind,
        timezone=wish.timezone,
        attribution=str(report.figures["attribution"]),
        imported_at=wish.at,
        sources=sources,
        begin_s=read.begin_s,
        end_s=read.end_s,
        signals=int(report.figures["signals"]),
    )
    (folder / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2))
    (folder / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    (folder / SOURCE).write_text(_note(card), encoding="utf-8")


def configuration(folder: Path, *, routes: str, end_s: float) -> None:
    """Write the configuration of a city of one net and one file of routes."""
    demand = f'<route-files value="{routes}"/>' if routes else ""
    (folder / CONFIGURATION).write_text(
        f'<configuration>\n  <input><net-file value="city.net.xml"/>{demand}</input>\n'
        f'  <time><begin value="0"/><end value="{end_s:g}"/></time>\n</configuration>\n'
    )


def _tidy(root: Path) -> None:
    """Remove what killed imports left; an old city whose successor did not come takes its place again."""
    for half in root.glob(f"{HALF}*"):
        shutil.rmtree(half, ignore_errors=True)
    for old in root.glob(f"{OLD}*"):
        target = root / old.name.removeprefix(OLD)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(target)


def _sync(folder: Path) -> None:
    """What is renamed must be on the disk before its name is."""
    for path in (*folder.iterdir(), folder):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _made(path: Path) -> str:
    """A folder's name says more than `roadnet.json` does."""
    stem = path.name.split(".")[0]
    word = path.resolve().parent.name if stem in ("roadnet", "city", "run", "map", "net", "osm") else stem
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_.-]+", "-", plain).strip("-.")[:60] or "city"


def _source(path: Path) -> SourceFile:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return SourceFile(name=path.name, bytes=path.stat().st_size, sha256=digest.hexdigest())


def _note(card: Card) -> str:
    rows = "\n".join(f"| {one.name} | {one.bytes} | `{one.sha256}` |" for one in card.sources)
    licence = card.attribution or "not stated: ask who gave the files before the city is shown to others"
    return (
        f"# {card.name}\n\nImported {card.imported_at:%Y-%m-%d %H:%M} UTC by `citybrain import {card.kind}`. "
        f"What was found and what was changed: `{REPORT}`.\n\nLicence and attribution: {licence}\n\n"
        f"| file | bytes | SHA-256 |\n|---|---|---|\n{rows}\n"
    )
