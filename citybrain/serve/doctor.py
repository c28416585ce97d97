# SPDX-License-Identifier: Apache-2.0
"""What the city needs on this machine: each check says what it found and, when bad, what to do."""

import json
import platform
import socket
import sys
from collections.abc import Awaitable, Callable
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import msgspec

from citybrain.kernel.cases.holidays import missing_year
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.records import Facts
from citybrain.kernel.settings import Settings
from citybrain.serve import catalog, contributions, scenarios

ASK_WITHIN_S = 3.0


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


class CityNotRunning(Unavailable):
    """Nobody answers at the city's address."""


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order a start needs them."""
    checks: list[Callable[[Settings], Awaitable[Check]]] = [
        _python,
        _simulator,
        _scenarios,
        _parts,
        _pages,
        _data_folder,
        _database,
        _port,
        _holidays,
    ]
    return [await check(settings) for check in checks]


async def _python(_settings: Settings) -> Check:
    found = platform.python_version()
    return Check(name="Python", ok=sys.version_info >= (3, 11), found=found, remedy="Install Python 3.11 or newer.")


async def _simulator(_settings: Settings) -> Check:
    return Check(name="SUMO", ok=True, found=f"libsumo {version('libsumo')}")


async def _scenarios(_settings: Settings) -> Check:
    names = [each.scenario.id for each in scenarios.installed()]
    remedy = "Install the networks: pip install --no-deps sumo-rl==1.4.5"
    return Check(name="scenarios", ok=bool(names), found=", ".join(names) or "none", remedy=remedy)


async def _parts(_settings: Settings) -> Check:
    try:
        names = [*(app.name for app in catalog.apps()), *(door.name for door in catalog.doors())]
    except Refusal as refusal:
        sentence = contributions.words().sentence(refusal.code, dict(refusal.facts), _settings.lang)
        return Check(name="apps and doors", ok=False, found=sentence, remedy="Repair or uninstall that package.")
    return Check(name="apps and doors", ok=True, found=", ".join(names))


async def _pages(settings: Settings) -> Check:
    page = pages_folder(settings) / "index.html"
    found = "built" if page.exists() else "not built"
    return Check(
        name="web pages", ok=page.exists(), found=found, remedy="Build them: cd web && npm ci && npm run build"
    )


async def _data_folder(settings: Settings) -> Check:
    folder = settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        remedy = "Make it writable, or set CITYBRAIN_DATA to a folder that is."
        return Check(name="data folder", ok=False, found=f"{folder}: {error.strerror}", remedy=remedy)
    return Check(name="data folder", ok=True, found=str(folder))


async def _database(settings: Settings) -> Check:
    if settings.database_url is None:
        return Check(name="database", ok=True, found="embedded PostgreSQL, started with the city")
    try:
        database = await Database.connect(settings.database_url)
        found = await database.read_one("SHOW server_version", as_=str)
        await database.close()
    except Refusal as refusal:
        sentence = contributions.words().sentence(refusal.code, dict(refusal.facts), settings.lang)
        return Check(name="database", ok=False, found=sentence, remedy="Check CITYBRAIN_DATABASE_URL and the server.")
    return Check(name="database", ok=True, found=f"PostgreSQL {found}")


async def _port(settings: Settings) -> Check:
    free = port_is_free(settings.host, settings.port)
    found = f"{settings.host}:{settings.port} is {'free' if free else 'taken'}"
    remedy = "A running city? See `citybrain status`. Otherwise choose another: --port or CITYBRAIN_PORT."
    return Check(name="port", ok=free, found=found, remedy=remedy)


async def _holidays(_settings: Settings) -> Check:
    """Whether working days of this year, and a month before its end of the next, can be told."""
    year = missing_year(utc_now())
    found = "known" if year is None else f"of {year} not known: weekends and fixed holidays are taken"
    return Check(name="holidays", ok=year is None, found=found, remedy="Update the package chinesecalendar.")


def port_is_free(host: str, port: int) -> bool:
    """Whether a server can listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def pages_folder(settings: Settings) -> Path:
    """Where the built web front end lies."""
    return settings.pages or Path(str(resources.files("citybrain"))) / "static"


def ask_running(settings: Settings) -> Facts:
    """What the running city says of itself.

    Refuses `serve.city_not_running` when nobody answers in time.
    """
    address = f"http://{settings.host}:{settings.port}/api/status"
    try:
        with urlopen(address, timeout=ASK_WITHIN_S) as answer:
            facts: Facts = json.load(answer)
    except (URLError, TimeoutError, ValueError) as error:
        raise CityNotRunning("serve.city_not_running", {"address": address, "detail": str(error)}) from error
    return facts
