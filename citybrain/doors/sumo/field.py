# SPDX-License-Identifier: Apache-2.0
"""A simulated street: SUMO seen only through sensors, steered only through the cabinets at the signals."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

import libsumo
import msgspec

from citybrain.doors.sumo import (
    configuration,
    drawing,
    fleet,
    incidents,
    plans,
    programs,
    saved,
    witness,
)
from citybrain.doors.sumo.checker import Checker
from citybrain.doors.sumo.eyes import Eyes
from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.floating import FLOATING_CARS, PROBES, FloatingCars, Numbers
from citybrain.doors.sumo.incidents import Incidents
from citybrain.doors.sumo.judge import SCORE_EVERY_S, arrived_trips, locked_in, read_trips, score
from citybrain.doors.sumo.moving import Moving
from citybrain.doors.sumo.network import SOURCE, Survey, entity_id, read_net
from citybrain.doors.sumo.obeying import Obeying
from citybrain.doors.sumo.options import options
from citybrain.doors.sumo.quick import lamps_of
from citybrain.doors.sumo.sensors import Street, zones
from citybrain.doors.sumo.sent import SENT, Told
from citybrain.doors.sumo.signals import Cabinets
from citybrain.doors.sumo.simulation import Simulation
from citybrain.doors.sumo.use import StreetUse
from citybrain.kernel.app import Frame, Opening, Score, Vehicles
from citybrain.kernel.branches import RoadTraffic
from citybrain.kernel.records import Batch, Column, Entity, Facts, Order, Outcome

STEP_S = 1.0

FLEETS = (fleet.FLEET_ID,)


class SumoField:
    """A `Field` of libsumo in this process, which can have but one at a time. Frames are one second of city time apart.

    Equal seeds give equal runs in fresh processes; SUMO 1.28 keeps a little of an earlier run in the same one.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._options = options(opening.options)
        with ExitStack() as closing:
            folder = Path(closing.enter_context(TemporaryDirectory(prefix="citybrain-sumo-")))
            self._open(opening, folder, closing)
            self._closing = closing.pop_all()

    def entities(self) -> Sequence[Entity]:
        """What there is: roads, lanes, junctions, signals, detectors."""
        return self._entities

    def step(self, orders: Sequence[Order], *, vehicles: bool = False) -> Frame:
        """Carry out the orders, let one second pass, and look."""
        outcomes = self._obey(orders)
        self._use.step(self._simulation.now_s())
        self._incidents.step(self._simulation.now_s(), self._simulation.vehicles)
        self._obeying.step(self._simulation.now_s())
        self._cabinets.steer(self._simulation.now_s(), self._eyes.watch)
        self._simulation.run_until(self._simulation.now_s() + STEP_S)
        self._checker.look(self._simulation.now_s())
        at = self._at()
        finished = self._simulation.now_s() >= self._opening.scenario.end_s
        return Frame(
            batch=self._look(at),
            outcomes=outcomes,
            score=self._score() if finished or _every(SCORE_EVERY_S, at) else None,
            vehicles=self._draw(at) if vehicles else None,
            finished=finished,
        )

    def save(self, path: str) -> None:
        """Write a state from which an opening resumes: SUMO's own, and what the judge counted before."""
        memory = saved.Memory(
            trips=self._earlier.add(arrived_trips()),
            cabinets=self._cabinets.memory(),
            floating=self._floating.memory(),
            waiting_s=self._eyes.sensors.waiting_s,
            fleet=self._fleet.memory(),
            incidents=self._incidents.memory(),
            crews=self._obeying.memory(),
            lanes=self._use.lanes.memory(),
            detours=self._use.detours.memory(),
            gates=self._use.gates.memory(),
        )
        saved.write(Path(path), self._simulation, memory)

    def summary(self) -> Facts:
        """End the run; what the judge makes of all trips, unfinished and undeparted too, and the checker's count."""
        seconds = self._simulation.now_s() - self._opening.scenario.begin_s
        locked = locked_in(self._simulation.vehicles)
        self._simulation.close()
        figures = self._earlier.add(read_trips(self._simulation.trips)).figures()
        sent = {"fleet": fleet.trips(self._simulation.trips, self._fleet.sent)} if self._fleet.sent else {}
        truth = {"truth": self.truth()} if self._options.incidents else {}
        return {**figures, **self.checked(), "locked_in": locked, "simulated_s": seconds, **sent, **truth}

    def truth(self) -> list[Facts]:
        """What went wrong so far and when, for the judge alone."""
        return self._incidents.truth(self._opening.begins_at)

    def traffic(self, road_ids: Sequence[str]) -> RoadTraffic:
        """What the judge sees on these roads in the second that was stepped last."""
        return witness.traffic(self._limits_mps, [self._edges[each] for each in road_ids if each in self._edges])

    def checked(self) -> Facts:
        """What the independent checker of lamp states found since the opening."""
        return self._checker.figures()

    def close(self) -> None:
        """End the run without a summary."""
        self._closing.close()

    def _open(self, opening: Opening, folder: Path, closing: ExitStack) -> None:
        read = configuration.read(Path(opening.scenario.path)).scaled(self._options.demand)
        read = fleet.equipped(read, folder, resumed=opening.state_path is not None)
        net = read_net(read.net)
        memory, state = self._memory(opening, folder)
        self._simulation = Simulation(read, folder, seed=opening.seed + self._options.dice, state=state)
        closing.callback(self._simulation.close)
        self._earlier = memory.trips
        self._use = StreetUse(net.roads, read, memory.lanes, memory.detours, memory.gates)
        self._survey(Survey(net, opening.begins_at, trusted=opening.scenario.trusted), memory)
        closing.callback(self._cabinets.close)
        self._cabinets.remember(memory.cabinets, self._simulation.now_s())
        self._place = net.place
        self._moving = Moving(net.place, net.middle)
        roads = [edge.getID() for edge in net.roads]
        self._fleet = Fleet(net, memory.fleet, self._simulation.vehicles)
        self._told = Told()
        self._incidents = self._expect(memory)
        self._obeying = Obeying(self._cabinets, self._fleet, self._use, self._incidents, memory.crews)
        self._floating = FloatingCars(roads)
        self._floating.remember(memory.floating)
        self._eyes.sensors.remember(memory.waiting_s)
        self._roads = tuple(entity_id("RoadSegment", road) for road in roads)
        self._edges = dict(zip(self._roads, roads, strict=True))
        self._limits_mps = {edge.getID(): edge.getSpeed() for edge in net.roads}

    def _memory(self, opening: Opening, folder: Path) -> tuple[saved.Memory, Path | None]:
        if opening.state_path is None:
            return saved.Memory(), None
        memory, state = saved.read(Path(opening.state_path), folder, dice=self._options.dice)
        if self._options.branch:
            memory = msgspec.structs.replace(memory, incidents=incidents.as_known(memory.incidents))
        return memory, state

    def _survey(self, survey: Survey, memory: saved.Memory) -> None:
        longer_yellows = self._options.yellow == "shipped"
        rules = plans.rules(longer_yellows=longer_yellows)
        self._checker = Checker(rules, lamps_of, plans.someone_waits, lambda signal: self._cabinets.is_stopped(signal))
        found = {signal: plans.read_plan(signal, longer_yellows=longer_yellows) for signal in plans.signal_ids()}
        found = {signal: found[signal] for signal in survey.signal_names(found)}
        signalled = [link for signal in libsumo.trafficlight.getIDList() for link in plans.links(signal)]
        watched = zones(found, Street((link.approach, link.exit) for link in signalled))
        # A twin that obeys nobody has no controllers outside either: they can be in one street only.
        self._cabinets = Cabinets(found, self._options.outside if self._opening.obey else ())
        if self._options.program != "shipped":
            for signal, plan in found.items():
                programs.install(signal, self._options.program, plan)
        self._entities = (*survey.entities(found, watched), fleet.fleet_entity(self._opening.begins_at))
        self._signals = tuple(one.id for one in self._entities if one.type == "TrafficSignalController")
        detectors = tuple(one.id for one in self._entities if one.type == "TrafficDetector")
        names = [":".join(key) for key in watched]
        self._planned = memory.incidents.planned or self._plan(tuple(found), names)
        lying = (*self._options.faults, *incidents.faults(self._planned))
        seen = msgspec.structs.replace(self._options, faults=lying)
        self._eyes = Eyes(watched, detectors, seen, self._opening.seed)

    def _plan(self, signals: Sequence[str], detectors: Sequence[str]) -> tuple[drawing.Planned, ...]:
        """What will go wrong; nothing is read for it in a city where nothing will."""
        if not self._options.incidents or self._options.branch:
            return ()
        site = drawing.Site(
            ways=self._use.ways,
            lanes=self._use.lanes,
            traffic=self._use.traffic(),
            signals=signals,
            detectors=detectors,
            length_s=self._opening.scenario.end_s - self._opening.scenario.begin_s,
        )
        planned = drawing.plan(self._options.incidents, site, self._opening.seed)
        passed_s = self._simulation.now_s() - self._opening.scenario.begin_s
        # A city that was saved before anybody asked for incidents has those of the rest of its day.
        return tuple(each for each in planned if each.incident.begin_s >= passed_s)

    def _expect(self, memory: saved.Memory) -> Incidents:
        return Incidents(
            msgspec.structs.replace(memory.incidents, planned=self._planned),
            begin_s=self._opening.scenario.begin_s,
            street=self._use,
            signals=self._cabinets,
        )

    def _obey(self, orders: Sequence[Order]) -> tuple[Outcome, ...]:
        at = self._at()
        if not self._opening.obey:
            return self._cabinets.refuse(orders, at)
        return self._obeying.obey(orders, self._simulation.now_s(), at, self._simulation.vehicles)

    def _look(self, at: datetime) -> Batch:
        now_s = self._simulation.now_s()
        passed_s = now_s - self._opening.scenario.begin_s
        self._floating.listen(self._simulation.vehicles)
        self._fleet.listen(self._simulation.vehicles)
        crews, reports = self._obeying.reports(now_s), self._fleet.reports()
        columns = [
            Column(attribute="signalState", entity_ids=self._signals, values=self._cabinets.states()),
            Column(attribute="controlMode", entity_ids=self._signals, values=self._cabinets.modes(now_s)),
            *self._eyes.look(self._simulation.vehicles, passed_s),
            Column(attribute="averageVehicleSpeed", entity_ids=self._roads, values=self._floating.speeds_kmh()),
            Column(attribute="vehicleCount", entity_ids=self._roads, values=self._floating.counts()),
            Column(attribute=PROBES, entity_ids=self._roads, values=self._probes()),
            Column(attribute="crews", entity_ids=FLEETS, values=(crews,)),
            Column(attribute="fleet", entity_ids=FLEETS, values=(reports,)),
            Column(attribute=SENT, entity_ids=FLEETS, values=(self._told.of(reports, crews, self._fleet.orders),)),
            Column(attribute=FLOATING_CARS, entity_ids=FLEETS, values=(self._places(now_s),)),
        ]
        return Batch(
            id=self._batch_id(at),
            source=SOURCE,
            observed_at=at,
            received_at=at,
            columns=tuple(column for column in columns if column.entity_ids),
        )

    def _draw(self, at: datetime) -> Vehicles:
        return self._moving.draw(self._simulation.vehicles, at, self._incidents.drivers(self._simulation.now_s()))

    def _places(self, now_s: float) -> Numbers:
        return self._floating.places(
            self._incidents.drivers(now_s),
            self._place,
            now_s,
            accuracy_m=self._options.floating_m,
            seed=self._opening.seed,
        )

    def _probes(self) -> tuple[Numbers, ...]:
        return self._floating.probes(self._eyes.sensors.waiting_s)

    def _batch_id(self, at: datetime) -> str:
        """Sorts by city time, and is the same when the same second is run again."""
        city_ms = int(at.timestamp() * 1000)
        run = f"{self._opening.scenario.id} {self._opening.seed} {self._opening.obey} {city_ms}"
        return f"{city_ms:012x}{blake2b(run.encode(), digest_size=10).hexdigest()}"

    def _score(self) -> Score:
        return score(self._simulation.vehicles, self._earlier)

    def _at(self) -> datetime:
        passed_s = self._simulation.now_s() - self._opening.scenario.begin_s
        return self._opening.begins_at + timedelta(seconds=passed_s)


def _every(seconds: int, at: datetime) -> bool:
    return at.second % seconds == 0
