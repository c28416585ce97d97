# SPDX-License-Identifier: Apache-2.0
"""What an app or a door may contribute to the city: all of it is declared as one value."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from citybrain.kernel.asgi import Answer, AsgiApp
from citybrain.kernel.errors import Refusal
from citybrain.kernel.importing import Importer
from citybrain.kernel.merging import Damp, Merge, Storm
from citybrain.kernel.records import Batch, Entity, Event, Facts, Json, Order, Outcome, Reading, Text


class Keep(StrEnum):
    """How an attribute's observations enter the history; the current state always has the newest."""

    NEVER = "never"
    CHANGE = "change"
    EVERY = "every"


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """An observed attribute: its unit and what the history keeps of it."""

    name: str
    unit: str = ""
    keep: Keep = Keep.EVERY
    every: timedelta = timedelta(0)


class EntityType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of thing with its observed attributes."""

    name: str
    attributes: tuple[Attribute, ...] = ()


Becomes = Literal["falls", "rises", "below", "above", "is", "changes", "ordered"]
Where = Literal["entity", "road", "junction"]
APPROVE_WITHIN = timedelta(minutes=10)
"""So long the second person of a means for two has: both must look at the same street."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a means promises: `attribute` of what the order is on, or of the road or junction there, `becomes` so
    `within` a time after the order was carried out.

    `falls` and `rises` are against the value before it, by at least `value` where one is given; `below`, `above` and
    `is` compare with `value`, which may name a parameter of the order (`{level}`); `changes` is another value, or one
    that was observed anew; `ordered` is: as the order said, the outcome itself being the proof. A `value` like `"10%"`
    is a share of the value before. `mean` takes means over so long before the order and before it is looked at: what
    flickers from minute to minute says nothing by two of its values.
    """

    attribute: str
    within: timedelta
    becomes: Becomes
    on: Where = "entity"
    value: float | str | None = None
    mean: timedelta | None = None


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of act the city can do. A door or app that can carry it out lists its name in `executes`.

    `lasts`: an order of it stands until somebody ends it, it expires, or a newer one of the same means on the same
    entity replaces it; it is given again whenever the city opens. What ends is undone by an order of `undone_by` with
    the parameters that `undo` makes of the order that ended (none without it). `two_person`: a second person must
    approve. `lasts_for` says of its parameters how long an order stands from when it is carried out, if that is known.
    `entity_types` are what it can be used on; empty is anything, also what is no entity.

    Its words are `means.<name>`, `means.<name>.effect` and `means.<name>.undo`; without `undone_by` the last one says
    why there is nothing to undo. `group` is where people look for it, `effect` what is checked afterwards,
    `precondition` the code of the words for what must be so before.
    """

    name: str
    permission: str
    parameters: type[msgspec.Struct]
    undone_by: str
    two_person: bool = False
    lasts: bool = False
    undo: Callable[[Order], Facts] | None = None
    lasts_for: Callable[[Facts], timedelta] | None = None
    entity_types: tuple[str, ...] = ()
    group: str = ""
    effect: Effect | None = None
    precondition: str = ""


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with formula and source; its words are `indicator.<name>` and `indicator.<name>.formula`."""

    name: str
    unit: str
    owner: str
    source: str
    lower_is_better: bool = True


class Detector(Protocol):
    """Finds events in observations. It keeps what it must remember; equal batches give equal events."""

    def __call__(self, batch: Batch) -> Sequence[Event]: ...


@runtime_checkable
class Meeting(Protocol):
    """A detector of what doors bring in: while the city runs it is told, before the next batch, of things that are new
    or known otherwise, and of those that are gone. A thing that it knows already takes the place of the earlier."""

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None: ...


class Decider(Protocol):
    """Turns observations, events and the outcomes of earlier orders into orders."""

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> Sequence[Order]: ...


@runtime_checkable
class Obeying(Protocol):
    """A decider that executes orders itself: those of its `means`, which its app lists in `App.executes`.

    `obey` is called before it decides and answers at once; a `Refusal` that it raises is a refused outcome. An order
    keeps its id when it is given again to a city that opens anew. A newer order of a means that lasts, on the same
    entity, replaces the older one.
    """

    @property
    def means(self) -> frozenset[str]:
        """The names of the means it executes."""
        ...

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Take an order in; `at` is the city's time."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A decider whose acts last and can be watched: `tells` gives the events that changed, once after each decision."""

    def tells(self) -> Sequence[Event]: ...


@runtime_checkable
class Following(Protocol):
    """What an app keeps open (`App.opens`) and that reads of deciders while they work: it is told of those of a city
    each time it opens, before their first decision."""

    def follow(self, deciders: Sequence[Decider]) -> None: ...


class Measure(Protocol):
    """Turns observations and what the judge counted into readings of indicators for one arm."""

    def __call__(self, frame: "Frame", arm: str) -> Sequence[Reading]: ...


class Values(Protocol):
    """The state of the city at one time, live or replayed: the newest values of an attribute, None where unknown."""

    def __call__(self, attribute: str, entity_ids: tuple[str, ...]) -> Sequence[Json]: ...


class Show(Protocol):
    """What an app adds to the state that screens draw; equal for live and replay."""

    def __call__(self, values: Values) -> Facts: ...


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One domain of the city. Words lie in its `i18n/`, tables in its `migrations/`, found beside `folder`.

    `subjects` are first words of its means beside its own name, for a catalogue that people read by subject.
    `executes` names the means that its own deciders obey (`Obeying`) or its `executors` carry out, whichever app
    declares them.
    `merges`, `damps` and `storms` are rules by which signs of one thing become one event (`kernel.merging`).
    `senses` are the attributes, by type of thing, of what doors bring in that its detectors look at (`Meeting`).
    `opens` is entered with the open `Store` and left when the city stops; what it gives is found by the app's routes as
    `store.of_apps[name]`. `commands` is a typer application: the command line has it under the name of the app.
    """

    name: str
    folder: Path
    entity_types: tuple[EntityType, ...] = ()
    detectors: tuple[Callable[[Sequence[Entity]], Detector], ...] = ()
    senses: Mapping[str, tuple[str, ...]] = {}
    deciders: tuple[Callable[[Sequence[Entity]], Decider], ...] = ()
    measures: tuple[Callable[[Sequence[Entity]], Measure], ...] = ()
    shows: tuple[Callable[[Sequence[Entity]], Show], ...] = ()
    means: tuple[Means, ...] = ()
    subjects: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    kinds: tuple[str, ...] = ()
    merges: tuple[Merge, ...] = ()
    damps: tuple[Damp, ...] = ()
    storms: tuple[Storm, ...] = ()
    permissions: Mapping[str, tuple[str, ...]] = {}
    routes: tuple[Any, ...] = ()
    opens: Callable[[Any], AbstractAsyncContextManager[Any]] | None = None
    executors: "tuple[Drives, ...]" = ()
    commands: Any = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge of a simulated city counted since the start of the run. The brain never sees it.

    Times are sums in seconds over vehicles. `due` = arrived + running + waiting to enter.
    Delay of a trip = timeLoss + departDelay (RESCO, Ault & Sharon, NeurIPS 2021).
    """

    due: int
    arrived: int
    running: int
    waiting: int
    delay_arrived_s: float
    delay_running_s: float
    delay_waiting_s: float
    travel_time_arrived_s: float


class Vehicles(msgspec.Struct, frozen=True, kw_only=True):
    """Moving things for the map only, never kept.

    `rows` holds 16 little-endian bytes each: uint32 id, float32 longitude and latitude less the origin's,
    uint16 heading_deg × 100, uint16 speed_kmh × 100.
    """

    at: datetime
    origin: tuple[float, float]
    count: int
    rows: bytes


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a field: what sensors saw, what became of orders, what the judge counted, what the map may draw."""

    batch: Batch
    outcomes: tuple[Outcome, ...] = ()
    score: Score | None = None
    vehicles: Vehicles | None = None
    finished: bool = False


class Field(Protocol):
    """The street as a door sees it: it is stepped with orders and answers with a frame.

    `entities` is what there is; `step` carries out the orders and goes on for one control step, with vehicles in the
    frame when asked; `save` writes a state that an opening can resume; `summary` ends the run and gives the judge's
    final figures.
    """

    def entities(self) -> Sequence[Entity]: ...

    def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame: ...

    def save(self, path: str) -> None: ...

    def summary(self) -> Facts: ...

    def close(self) -> None: ...


class HostedField(Protocol):
    """A field in a process of its own. A process that died raises `Unavailable`."""

    async def start(self) -> Sequence[Entity]: ...

    async def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame: ...

    async def save(self, path: str) -> None: ...

    async def summary(self) -> Facts: ...

    async def close(self) -> None: ...


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated city that can be opened: where it lies and what is known before opening it.

    In a `trusted` one the brain acts from the first second; in any other a person must let it, junction by junction.
    """

    id: str
    name: Text
    path: str
    begin_s: float
    end_s: float
    timezone: str
    signals: int | None = None
    attribution: str = ""
    trusted: bool = False


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How to open a scenario. `begins_at` is the city's time at the scenario's begin; orders are obeyed when `obey`.

    `state_path` resumes a saved run. `options` are the door's own: what it simulates differently from the shipped city.
    """

    scenario: Scenario
    seed: int
    begins_at: datetime
    obey: bool
    state_path: str | None = None
    options: Facts = {}


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def safe_methods_read(method: str, _path: str) -> bool:
    """The usual rule: methods that are safe (RFC 9110 section 9.2.1) read, all others write."""
    return method in SAFE_METHODS


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A protocol that says every detail of HTTP itself, under a path of its own.

    `make` gets the open `Store`. `reads` and `writes` are the permissions of the two kinds of requests, which
    `is_read` tells apart by method and by the path below the prefix; `refuse` says no in the protocol's own form.
    """

    prefix: str
    reads: str
    writes: str
    make: Callable[[Any], AsgiApp]
    refuse: Callable[[Refusal], Answer]
    is_read: Callable[[str, str], bool] = safe_methods_read


Service = Callable[[Any], AbstractAsyncContextManager[None]]
"""What runs as long as the city does: entered with the open `Store`, left when the city stops."""


Drives = Callable[[Any], AbstractAsyncContextManager[Sequence[Any]]]
"""A service that gives executors (`kernel.executing.Executor`): of the machines that it drives, or of its means. It is
entered after everything that apps keep open, perhaps gives none."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One way the outside connects. A door that can simulate a city lists `scenarios` and opens a `Field`; one that
    drives machines in the street gives `executors`, which alone carry out orders for the entities that they claim.
    `emulate` sets an emulated controller of its own up after a signal (`kernel.controllers.emulating.Emulate`).
    `meanings` say of entities of the door's own types what they are for detectors (`kernel.sensing.Meaning`).
    `importers` bring cities out of other programs' files: `citybrain import <name of the format> …`.
    `plays` are means that others carry out, and that the simulated street plays along with once they did: whom people
    send drives there too.
    """

    name: str
    folder: Path
    entity_types: tuple[EntityType, ...] = ()
    kinds: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()
    plays: tuple[str, ...] = ()
    scenarios: Callable[[], Sequence[Scenario]] | None = None
    find: Callable[[str], Scenario] | None = None
    open: Callable[[Opening], Field] | None = None
    host: Callable[[Opening], HostedField] | None = None
    routes: tuple[Any, ...] = ()
    mounts: tuple[Mount, ...] = ()
    services: tuple[Service, ...] = ()
    executors: tuple[Drives, ...] = ()
    emulate: Callable[..., Any] | None = None
    meanings: Mapping[str, Callable[[Any], Any]] = {}
    importers: tuple[Importer, ...] = ()
    permissions: Mapping[str, tuple[str, ...]] = {}
