# SPDX-License-Identifier: Apache-2.0
"""`citybrain up`: the composition root of the running city, from the database to the pages."""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from rich.console import Console

from citybrain.kernel.access import OPERATOR_NAME
from citybrain.kernel.app import App, Door
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.executing import Executing, Executor
from citybrain.kernel.records import Facts
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, address_of, open_store
from citybrain.serve import catalog, contributions, scenarios
from citybrain.serve.city import City
from citybrain.serve.desk import Desk
from citybrain.serve.doctor import pages_folder, port_is_free
from citybrain.serve.front import Front
from citybrain.serve.web import create

FASTEST = "max"
# Open streams end by themselves when the desk closes; a reader that hangs does not hold up the end.
STOP_WITHIN_S = 5.0


class PortTaken(Conflict):
    """Somebody listens at the city's address."""


class InvalidSpeed(Invalid):
    """The speed is neither a positive number nor `max`."""


class OutsideUnusable(Invalid):
    """The file of signals with outside controllers cannot be read."""


class PagesNotBuilt(NotFound):
    """The web front end has not been built."""


def with_options(settings: Settings, **said: str | int | None) -> Settings:
    """The settings with what the command line says instead."""
    return msgspec.structs.replace(settings, **{name: value for name, value in said.items() if value})


def speed_of(text: str) -> float | None:
    """City seconds per second; `max` is None, as fast as the machine can."""
    if text == FASTEST:
        return None
    try:
        speed = float(text)
    except ValueError as error:
        raise InvalidSpeed("serve.invalid_speed", {"speed": text}) from error
    if not 0 < speed < float("inf"):
        raise InvalidSpeed("serve.invalid_speed", {"speed": text})
    return speed


async def serve(settings: Settings, console: Console, *, new_password: bool = False) -> None:
    """Run the city until told to stop (Ctrl-C or SIGTERM); what was acknowledged is on disk whenever it ends."""
    speed = speed_of(settings.speed)
    found = scenarios.find(settings.scenario)
    if not port_is_free(settings.host, settings.port):
        raise PortTaken("serve.port_taken", {"host": settings.host, "port": settings.port})
    if not (pages_folder(settings) / "index.html").is_file():
        raise PagesNotBuilt("serve.pages_not_built", {"folder": str(pages_folder(settings))})
    _quiet_logs()
    telling = _Telling(console, settings.lang)
    telling.say("serve.up_database", folder=str(settings.data))
    async with open_store(
        settings,
        types=contributions.entity_types(),
        migrations=contributions.migrations(),
        permissions=contributions.permissions(),
        words=contributions.words(),
        trade=contributions.trade(),
    ) as kept:
        store = msgspec.structs.replace(kept, timezone=found.scenario.timezone)
        password = await store.access.ensure_operator(now=utc_now(), renew=new_password)
        if password is not None:
            telling.say("serve.up_operator", name=OPERATOR_NAME, password=password)
        if found.door:
            telling.say("serve.up_opening", scenario=found.scenario.id)
        else:
            telling.say("serve.up_pool_alone")
        city = City(found, store, states_folder(settings), speed=speed)
        desk = Desk(city, catalog.apps(), contributions.entity_types(), words=contributions.words())
        async with AsyncExitStack() as running:
            of_doors = await _start_doors(store, running)
            city.options = _options(settings)
            for app in catalog.apps():
                if app.opens:
                    store.of_apps[app.name] = await running.enter_async_context(app.opens(store))
            city.executing = Executing([*of_doors, *await _executors(catalog.apps(), store, running)])
            await _until_told(desk, settings, telling)
        telling.say("serve.up_stopping")


def _options(settings: Settings) -> Facts:
    """What is simulated differently: what goes wrong, and signals whose lamps are shown by controllers outside."""
    wrong = {"incidents": settings.incidents} if settings.incidents else {}
    if settings.outside is None:
        return wrong
    try:
        return {**wrong, "outside": msgspec.json.decode(settings.outside.read_bytes())}
    except (OSError, msgspec.DecodeError) as error:
        raise OutsideUnusable("serve.outside_unusable", {"path": str(settings.outside), "why": str(error)}) from error


async def _start_doors(store: Store, running: AsyncExitStack) -> list[Executor]:
    """Start what doors run as long as the city does; the machines that some of them drive."""
    for door in catalog.doors():
        for service in door.services:
            await running.enter_async_context(service(store))
    return await _executors(catalog.doors(), store, running)


async def _executors(parts: Sequence[App | Door], store: Store, running: AsyncExitStack) -> list[Executor]:
    executors: list[Executor] = []
    for part in parts:
        for drives in part.executors:
            executors += await running.enter_async_context(drives(store))
    return executors


def states_folder(settings: Settings) -> Path:
    """Where simulators' saved states lie."""
    folder = settings.data / "states"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Telling:
    """Progress in the reader's language, each line with the seconds since the start."""

    def __init__(self, console: Console, lang: str) -> None:
        self._console = console
        self._lang = lang
        self._words = contributions.words()
        self._began_s = monotonic_s()

    def say(self, code: str, **facts: object) -> None:
        """One line."""
        passed_s = monotonic_s() - self._began_s
        sentence = self._words.sentence(code, facts, self._lang)
        self._console.print(f"[dim]{passed_s:6.1f} s[/dim]  {sentence}", highlight=False, soft_wrap=True)


async def _until_told(desk: Desk, settings: Settings, telling: _Telling) -> None:
    store = desk.city.store
    mounts = [(mount, mount.make(store)) for door in catalog.doors() for mount in door.mounts]
    server = Server(
        Front(
            create(desk, store.access, pages_folder(settings), address=address_of(settings)),
            store.access,
            mounts,
            address=address_of(settings),
        ),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        log_level=LogLevels.error,
    )
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(desk.city.live())]
    stopping = asyncio.create_task(stop.wait())
    telling.say("serve.up_ready", url=f"http://{settings.host}:{settings.port}")
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    desk.closing.set()
    await desk.whatifs.close()
    tasks[1].cancel()
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([*tasks, stopping], timeout=STOP_WITHIN_S)
    for task in done - {stopping}:
        task.result()


def _quiet_logs() -> None:
    """The console tells a person how the city is; libraries speak only when something is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )
