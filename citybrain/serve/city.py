# SPDX-License-Identifier: Apache-2.0
"""The city that runs: one field under the brain beside its twin under the shipped plans, kept and shown."""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import structlog

from citybrain.kernel.app import Following, HostedField, Opening, Scenario, Score, Vehicles
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.errors import Conflict, Unavailable
from citybrain.kernel.executing import Executing
from citybrain.kernel.loop import NOTHING, Sensed, Step
from citybrain.kernel.records import Because, Entity, Facts, Order, Reading
from citybrain.kernel.runs import Run, read_setting, write_setting
from citybrain.kernel.sensing import Sensing
from citybrain.kernel.store import Store
from citybrain.serve import contributions
from citybrain.serve.experiment import ARMS, BRAIN
from citybrain.serve.pace import Pace
from citybrain.serve.scenarios import Simulated, door_of
from citybrain.serve.side import Side
from citybrain.serve.street import Street

# Wall time: a save takes the simulators about half a second, and a restart runs again what came after the last one.
SAVE_EVERY_S = 20.0
# A pause between two tries of a simulator that dies at once, so that the log stays readable.
RESTART_PAUSE_S = 2.0
# The browser moves vehicles smoothly between pictures.
VEHICLES_EVERY_S = 0.5
SAVED = "saved_states"
OUTSIDE = "outside"
# So often the pool is looked through for new things of the real street.
LOOK_EVERY_S = 10.0

log = structlog.get_logger()


class NotRunning(Conflict):
    """No simulated street runs just now: it is opening, recovering, or there is none."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The pair of simulator states that belong together; it is written after both files are."""

    run: int
    at: datetime
    files: dict[str, str]


class City:
    """Runs day after day of one scenario; screens read its public fields. `folder` takes saved simulator states."""

    arms: Sequence[str] = ARMS

    def __init__(self, found: Simulated, store: Store, folder: Path, *, speed: float | None) -> None:
        self.scenario = found.scenario
        self.store = store
        self.pace = Pace(speed)
        self.run: Run | None = None
        self.entities: Sequence[Entity] = ()
        self.last: Step | None = None
        self.score: Score | None = None
        self.vehicles: Vehicles | None = None
        self.readings: dict[str, dict[str, Reading]] = {}
        self.condition = "starting"
        self.trouble: Facts = {}
        self.vehicle_readers = 0
        self.executing = Executing()
        self.sensing = Sensing(store.pool, contributions.senses(), contributions.meanings())
        self.options: Facts = {}
        self.door = found.door
        self._host_field = door_of(found.door).host if found.door else None
        self._side: Side | None = None
        self._street: Street | None = None
        self.branches = folder / "branches"
        self._folder = folder
        self._again: tuple[Order, ...] = ()
        self._unanswered: set[str] = set()
        self._to_settle: list[asyncio.Future[None]] = []
        self._known_until: datetime | None = None
        self._drawn_s = 0.0

    @property
    def simulated(self) -> bool:
        """Whether streets are simulated here, or the pool is all there is."""
        return self._host_field is not None

    @property
    def heard(self) -> int:
        """How often doors brought something of the real street that screens draw."""
        return self._street.heard if self._street else 0

    @property
    def now(self) -> datetime:
        """The city's time; the clock's where nothing is simulated or nothing has run yet."""
        if self.last is not None:
            return self.last.frame.batch.observed_at
        return self.run.begins_at if self.run else utc_now()

    def lacks(self, means: str) -> Because | None:
        """Why nobody would carry a means out now: its executor says so, or there are no streets; None when somebody
        would."""
        if means in self.executing.means:
            return self.executing.lacks(means)
        return None if self.simulated or self.entities else Because(code="serve.nothing_runs", facts={"means": means})

    def simulates(self, means: str) -> bool:
        """Whether a means acts in the simulated street: its door carries it out or plays along, or a decider does."""
        door = door_of(self.door)
        return self._side is not None and (means in (*door.executes, *door.plays) or self._side.executes(means))

    async def branch(self, path: str) -> Opening:
        """Save the street under the brain as it is now; answers with what goes on from there, apart from the live one.

        Controllers outside are in one street only, so in a branch the simulator shows all lamps. Refuses
        `serve.whatif_not_ready` where no street runs, and what the simulator refuses.
        """
        if self._side is None or self.run is None or self.condition != "running":
            raise NotRunning("serve.whatif_not_ready", {})
        await self._side.field.save(path)
        opening = self._opening(self.run, path, BRAIN)
        options = {name: value for name, value in self.options.items() if name != OUTSIDE}
        return msgspec.structs.replace(opening, options=options)

    async def live(self) -> None:
        """Run the day that was interrupted, then one day after the other, until cancelled.

        A simulator that dies on the way is started again; one that does not open is refused, for it never would.
        A city without a simulator has the real street, as soon as something is observed there; it has no twin.
        """
        if self._host_field is None:
            await self._live_street()
        while True:
            run = await self._next_run()
            self.run = run
            saved = await self._saved(run)
            self.condition = "opening"
            try:
                await self._day(run, saved)
            except Unavailable as death:
                if self.condition == "opening":
                    await self._give_up(saved, death)
                self.condition, self.trouble = "recovering", {"code": death.code, **death.facts}
                log.warning("field_died", run=run.number, code=death.code, facts=death.facts)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def _live_street(self) -> None:
        """Second by second by the clock, for ever; without anything to look at the pool lives by its doors alone."""
        self.arms, self.condition = (BRAIN,), "running"
        self.pace.change(1.0)
        street = self._street = Street(self.store.pool, self.executing)
        side = Side(
            BRAIN, street, decide=True, executing=self.executing, followers=self._followers(), sensing=self.sensing
        )
        await self.store.journal.end_open_events(at=utc_now())
        await side.start()
        await self._take_up_orders(utc_now(), None)
        looked_s = -LOOK_EVERY_S
        while True:
            now = utc_now()
            if side.has_news or monotonic_s() - looked_s >= LOOK_EVERY_S:
                looked_s = monotonic_s()
                if street.has_news or side.has_news:
                    await side.start()
                    await self._end_left(side, now)
                    self.entities = side.entities
                    await self.store.pool.register([each for each in side.entities if self.executing.has(each.id)])
                    await self._take_up_orders(now, None)
            await self._mind_orders(now)
            by_people = await self._next_by_people(now)
            # Where there is nothing to look at, a step is made only for what somebody ordered.
            if side.entities or by_people or self._unanswered or not self.sensing.is_idle:
                step = await side.step(by_people, vehicles=False, sensed=self.sensing.take())
                await self._keep([step], by_people)
            await self.pace.wait(1.0)

    async def _next_run(self) -> Run:
        last = await self.store.runs.last()
        if last is not None and last.finished_at is None and last.scenario == self.scenario.id:
            return last
        number = last.number + 1 if last else 1
        first = await self.store.runs.first_begins_at() or utc_now()
        begins_at = _begins_at(self.scenario, first, number)
        length = timedelta(seconds=self.scenario.end_s - self.scenario.begin_s)
        return await self.store.runs.start(
            number=number, scenario=self.scenario.id, begins_at=begins_at, ends_at=begins_at + length, now=utc_now()
        )

    async def _give_up(self, saved: Saved | None, death: Unavailable) -> None:
        """A day that does not open from a saved state is tried from its beginning; one that has none is refused."""
        if saved is None:
            raise death
        await write_setting(self.store.db, SAVED, None)

    async def _day(self, run: Run, saved: Saved | None) -> None:
        sides = [
            Side(
                arm,
                self._host(run, saved.files[arm] if saved else None, arm),
                decide=arm == BRAIN,
                executing=self.executing if arm == BRAIN else None,
                followers=self._followers() if arm == BRAIN else (),
                sensing=self.sensing if arm == BRAIN else None,
            )
            for arm in ARMS
        ]
        self._side = sides[0]
        sides[0].plays = door_of(self.door).plays
        try:
            await asyncio.gather(*(side.start() for side in sides))
            await self._open(run, sides[0].entities, saved.at if saved else None)
            ended_at = await self._steps(run, sides, begins_at=saved.at if saved else run.begins_at)
            summaries = await asyncio.gather(*(side.field.summary() for side in sides))
            await self.store.journal.end_open_events(at=ended_at)
            figures = {side.arm: summary for side, summary in zip(sides, summaries, strict=True)}
            await self.store.runs.finish(run.number, summary=figures, now=utc_now())
            log.info("run_finished", run=run.number)
        finally:
            self._side = None
            await asyncio.gather(*(side.field.close() for side in sides))

    def _followers(self) -> list[Following]:
        """What apps keep open that reads of deciders."""
        return [one for one in self.store.of_apps.values() if isinstance(one, Following)]

    async def _saved(self, run: Run) -> Saved | None:
        saved = await read_setting(self.store.db, SAVED, as_=Saved)
        return saved if saved is not None and saved.run == run.number and _all_there(saved) else None

    def _host(self, run: Run, state_path: str | None, arm: str) -> HostedField:
        assert self._host_field is not None
        return self._host_field(self._opening(run, state_path, arm))

    def _opening(self, run: Run, state_path: str | None, arm: str) -> Opening:
        return Opening(
            scenario=self.scenario,
            seed=run.number,
            begins_at=run.begins_at,
            obey=arm == BRAIN,
            state_path=state_path,
            options=self.options,
        )

    async def _open(self, run: Run, entities: Sequence[Entity], saved_at: datetime | None) -> None:
        """Register what there is; what was journaled before a restart is not journaled again while it is run again.

        Detectors begin with nothing in mind, so events that were open end here; what still holds opens anew.
        """
        self.entities = entities
        await self.store.pool.register(entities)
        self._known_until = await self.store.journal.known_until(since=run.begins_at)
        await self.store.journal.end_open_events(at=self._known_until or run.begins_at)
        self.readings = await self.store.journal.readings_at(run.ends_at, since=run.begins_at)
        await self._take_up_orders(self._known_until or run.begins_at, saved_at)
        self.condition, self.trouble = "running", {}

    async def _steps(self, run: Run, sides: Sequence[Side], *, begins_at: datetime) -> datetime:
        """Step to the end of the day; answers with the time it ended."""
        before, saved_s = begins_at, monotonic_s()
        while True:
            await self._mind_orders(before)
            await self._mind_machines(sides[0], before)
            by_people = await self._next_by_people(before)
            steps = await asyncio.gather(
                sides[0].step(by_people, vehicles=self._picture_due(), sensed=self._sensed(before)),
                *(side.step((), vehicles=False) for side in sides[1:]),
            )
            at = steps[0].frame.batch.observed_at
            if self._known_until is None or at > self._known_until:
                await self._keep(steps, by_people)
                await self.pace.wait((at - before).total_seconds())
            before = at
            if steps[0].frame.finished:
                return at
            if monotonic_s() - saved_s >= SAVE_EVERY_S:
                await self._save(run, sides, at)
                saved_s = monotonic_s()

    async def _take_up_orders(self, at: datetime, saved_at: datetime | None) -> None:
        """Orders that stand are given to the city that opens; it goes on from a state saved at `saved_at`."""
        self._unanswered, self._to_settle = set(), []
        orders = self.store.orders.delivery
        await orders.settle(now=utc_now())
        await orders.tick(at, now=utc_now())
        self._again = await orders.reopen(at, saved_at=saved_at)

    async def _mind_machines(self, side: Side, at: datetime) -> None:
        """The apps begin anew on what a controller says of itself, when it says something new."""
        if not side.has_news:
            return
        side.begin()
        await self._end_left(side, at)
        self.entities = side.entities
        await self.store.pool.register(side.entities)
        self._again = (*self._again, *await self.store.orders.delivery.reopen(at, saved_at=None))

    async def _end_left(self, side: Side, at: datetime) -> None:
        """Close the events of apps that began anew."""
        left = [msgspec.structs.replace(event, ended_at=max(at, event.at)) for event in side.left_open()]
        if left:
            await self.store.journal.tell(left)

    async def _mind_orders(self, at: datetime) -> None:
        """Write what became of people's orders once that is committed, and end those that are over."""
        orders = self.store.orders.delivery
        if any(committed.done() for committed in self._to_settle):
            self._to_settle = [committed for committed in self._to_settle if not committed.done()]
            await orders.settle(now=utc_now())
        await orders.tick(at, now=utc_now())

    async def _next_by_people(self, before: datetime) -> tuple[Order, ...]:
        """People's orders: those that stood before the city opened at once, new ones after all that is run again.

        So new ones and their outcomes are kept; of the others that was done when they were new.
        """
        again, self._again = self._again, ()
        if self._known_until is not None and before < self._known_until:
            return again
        new = await self.store.orders.delivery.take(before)
        self._unanswered.update(order.id for order in new)
        return (*again, *new)

    def _sensed(self, before: datetime) -> Sensed:
        """What doors brought in; while what was journaled is run again it waits, as its events would not be kept."""
        is_again = self._known_until is not None and before < self._known_until
        return NOTHING if is_again else self.sensing.take()

    def _picture_due(self) -> bool:
        now_s = monotonic_s()
        if not self.vehicle_readers or now_s - self._drawn_s < VEHICLES_EVERY_S:
            return False
        self._drawn_s = now_s
        return True

    async def _keep(self, steps: Sequence[Step], by_people: Sequence[Order]) -> None:
        brain = steps[0]
        readings = tuple(reading for step in steps for reading in step.readings)
        self.store.pool.observe(brain.frame.batch)
        # What doors observed of the real street is in the history already.
        batch = brain.frame.batch if self.simulated else msgspec.structs.replace(brain.frame.batch, columns=())
        committed = await self.store.journal.append(
            batch,
            events=brain.events,
            orders=(*brain.orders, *by_people),
            outcomes=brain.outcomes,
            readings=readings,
        )
        answered = self._unanswered.intersection(outcome.order_id for outcome in brain.outcomes)
        if answered:
            self._unanswered -= answered
            self._to_settle.append(committed)
        for reading in readings:
            self.readings.setdefault(reading.indicator, {})[reading.arm] = reading
        self.score = brain.frame.score or self.score
        self.vehicles = brain.frame.vehicles or self.vehicles
        self.last = brain

    async def _save(self, run: Run, sides: Sequence[Side], at: datetime) -> None:
        """Both files first, then the note that names them: a kill in between leaves the older pair in force."""
        stamp = f"run-{run.number}-{at:%Y%m%dT%H%M%S}"
        files = {side.arm: str(self._folder / f"{stamp}-{side.arm}.state") for side in sides}
        await asyncio.gather(*(side.field.save(files[side.arm]) for side in sides))
        await write_setting(self.store.db, SAVED, msgspec.to_builtins(Saved(run=run.number, at=at, files=files)))
        for file in self._folder.glob("*.state*"):
            if not file.name.startswith(stamp):
                file.unlink()


def _all_there(saved: Saved) -> bool:
    return all(Path(file).exists() for file in saved.files.values())


def _begins_at(scenario: Scenario, first: datetime, number: int) -> datetime:
    """Day `number` of the city: the scenario's own hour in its zone, counted from the day of the first start."""
    zone = ZoneInfo(scenario.timezone)
    days_each = max(1, math.ceil((scenario.end_s - scenario.begin_s) / 86_400))
    day = first.astimezone(zone).date() + timedelta(days=days_each * (number - 1))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + timedelta(seconds=scenario.begin_s)).astimezone(ZoneInfo("UTC"))
