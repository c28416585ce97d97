# SPDX-License-Identifier: Apache-2.0
"""What an emulated controller answers to each question and setting: its objects, made of junction and lamps. Pure."""

from collections.abc import Callable, Iterator, Mapping

from citybrain.doors.gbt20999 import objects
from citybrain.doors.gbt20999.codec import Address, Dialect, Frame, FrameType, Item, Status, Unwritable
from citybrain.doors.gbt20999.facts import Phase, Plan, Shade, Stage
from citybrain.doors.gbt20999.objects import ATTRIBUTES, Value
from citybrain.doors.gbt20999.site import Site
from citybrain.doors.gbt20999.street import Street
from citybrain.doors.gbt20999.values import Lamp, StageType

Row = Mapping[str, Value]

STAGE, PLAN, MODE = 2, 3, 4

MOST_ITEMS = 100
"""In one frame; whole tables are told in several."""


class Cabinet:
    """Answers frames. `now_s` is the clock of the street, `at` that of the controller (local, without a zone)."""

    def __init__(self, street: Street, dialect: Dialect) -> None:
        self.street = street
        self.dialect = dialect
        self.lamps: Mapping[int, Lamp] = {}
        self.now_s = 0.0
        self.at = "2000-01-01T00:00:00"
        site = street.site
        self._single: dict[tuple[int, int], Callable[[], Value]] = {
            (0x01, 1): lambda: site.maker,
            (0x01, 2): lambda: bytes([1, 0, 1, 0]),
            (0x01, 3): lambda: site.serial,
            (0x01, 4): lambda: self.at,
            (0x01, 5): lambda: self.at,
            (0x02, 6): lambda: 1,
            (0x03, 1): lambda: len(site.lamp_groups),
            (0x04, 1): lambda: max(phase.number for phase in site.phases),
            (0x05, 1): lambda: site.detectors,
            (0x06, 1): lambda: max(stage.number for stage in site.stages),
            (0x09, 1): lambda: max(plan.number for plan in site.plans),
            (0x0E, 1): lambda: frozenset[int](),
            (0x0F, 1): lambda: 0,
            (0x10, 1): lambda: len(street.faults),
        }
        self._tables: dict[tuple[int, int], Callable[[], Mapping[int, Row]]] = {
            (0x03, 2): lambda: {each.number: {"number": each.number, "type": each.type} for each in site.lamp_groups},
            (0x03, 3): self._lamp_rows,
            (0x04, 2): lambda: {phase.number: _phase_row(phase) for phase in site.phases},
            (0x06, 2): lambda: {stage.number: _stage_row(stage) for stage in site.stages},
            (0x06, 3): self._stage_rows,
            (0x07, 1): lambda: {phase.number: _conflict_row(site, phase.number) for phase in site.phases},
            (0x07, 2): lambda: {phase.number: self._intergreen_row(site, phase.number) for phase in site.phases},
            (0x09, 2): lambda: {plan.number: _plan_row(plan) for plan in site.plans},
            (0x0A, 1): lambda: {stage.number: _constraint_row(site, stage.number) for stage in site.stages},
            (0x0D, 1): lambda: {0: self._device_row()},
            (0x0D, 2): lambda: {site.junction: self._run_row()},
            (0x0E, 2): lambda: {
                n: {"detector": n, "flow": 0, "occupancy": 0, "speed_kmh": 0} for n in range(1, site.detectors + 1)
            },
            (0x10, 2): self._fault_rows,
            (0x11, 1): lambda: {site.junction: self._run_row()},
        }

    def answer(self, frame: Frame) -> Iterator[Frame]:
        """The answers to a frame: what could be told or set in one, what could not in another."""
        self.street.hear(self.now_s)
        if frame.type is FrameType.BEAT:
            yield self._reply(frame, FrameType.BEAT_REPLY, [])
        elif frame.type is FrameType.QUERY:
            yield from self._in_two(frame, FrameType.QUERY_REPLY, FrameType.QUERY_ERROR, self._query)
        elif frame.type is FrameType.SET:
            yield from self._in_two(frame, FrameType.SET_REPLY, FrameType.SET_ERROR, self._set)

    def report(self) -> tuple[Item, ...]:
        """What it tells unasked when something changed: how the junction is run."""
        junction = self.street.site.junction
        addresses = [Address(0x0D, 2, number, junction) for number in (2, 3, 4)]
        return tuple(Item(index, each, self._told(each)) for index, each in enumerate(addresses, start=1))

    def _in_two(
        self,
        frame: Frame,
        good: FrameType,
        bad: FrameType,
        act: Callable[[Item], Iterator[tuple[Address, bytes | Status]]],
    ) -> Iterator[Frame]:
        done: list[Item] = []
        refused: list[Item] = []
        for item in frame.items:
            for address, result in act(item):
                if isinstance(result, Status):
                    refused.append(Item(item.index, address, bytes([result])))
                else:
                    done.append(Item(item.index, address, result))
        for type, items in ((good, done), (bad, refused)):
            for at in range(0, len(items), MOST_ITEMS):
                yield self._reply(frame, type, items[at : at + MOST_ITEMS])

    def _reply(self, frame: Frame, type: FrameType, items: list[Item]) -> Frame:
        return Frame(
            type=type,
            items=tuple(items),
            sequence=frame.sequence,
            centre=frame.centre,
            controller=frame.controller,
            junction=frame.junction,
            version=frame.version,
        )

    def _query(self, item: Item) -> Iterator[tuple[Address, bytes | Status]]:
        """Attribute or element 0 asks for all of them, each in an item of its own."""
        for address in self._all(item.address):
            yield address, self._read(address)

    def _all(self, address: Address) -> list[Address]:
        table = self._tables.get(address[:2])
        if table is None:
            return [address]
        elements = sorted(table()) if address.element == 0 else [address.element]
        numbers = (
            list(objects.columns(address.klass, address.object).values())
            if address.attribute == 0
            else [address.attribute]
        )
        return [Address(address.klass, address.object, number, element) for element in elements for number in numbers]

    def _read(self, address: Address) -> bytes | Status:
        try:
            return self._told(address)
        except (KeyError, Unwritable):
            return Status.NOT_THERE

    def _told(self, address: Address) -> bytes:
        klass, object, number, element = address
        if number == 0:
            return objects.write(address, self._single[klass, object](), self.dialect)
        name = ATTRIBUTES[klass, object, number].name
        return objects.write(address, self._tables[klass, object]()[element][name], self.dialect)

    def _set(self, item: Item) -> Iterator[tuple[Address, bytes | Status]]:
        yield item.address, self._store(item.address, item.data) or bytes(1)

    def _store(self, address: Address, data: bytes) -> Status | None:
        klass, object, number, element = address
        attribute = ATTRIBUTES.get((klass, object, number))
        if attribute is None:
            return Status.NOT_THERE
        if not attribute.settable:
            return Status.READ_ONLY
        if len(data) != attribute.size:
            return Status.WRONG_LENGTH
        if klass == 0x11 and element == self.street.site.junction:
            return self._control(number or object, data[0])
        if klass == 0x12:
            return self.street.command(data[-1], self.now_s)
        return Status.CONTROL_FAILED

    def _control(self, what: int, value: int) -> Status | None:
        if what == STAGE:
            return self.street.order_stage(value)
        if what == PLAN:
            return self.street.order_plan(value)
        return self.street.order_mode(value, self.now_s) if what == MODE else Status.READ_ONLY

    def _lamp_rows(self) -> Mapping[int, Row]:
        return {group: {"number_or_state": group, "state": lamp} for group, lamp in self.lamps.items()}

    def _stage_rows(self) -> Mapping[int, Row]:
        street = self.street
        return {
            stage.number: {
                "number": stage.number,
                "state": street.stage_state(stage.number),
                "ran_s": int(street.stage_age_s(self.now_s)) if stage.number == street.stage else 0,
                "left_s": 0,
            }
            for stage in street.site.stages
        }

    def _run_row(self) -> Row:
        street = self.street
        return {
            "junction": street.site.junction,
            "mode": street.mode,
            "plan": street.plan,
            "stage": street.stage,
        }

    def _device_row(self) -> Row:
        return {
            "broken_detectors": frozenset[int](),
            "broken_modules": bytes(8),
            "doors": 0,
            "voltage_v": 220,
            "current_a10": 10,
            "temperature_c": 25,
            "humidity_percent": 40,
            "is_wet": 0,
            "is_smoky": 0,
            "utc": self.at,
            "local": self.at,
        }

    def _intergreen_row(self, site: Site, number: int) -> Row:
        ticks = [0] * 64
        for phase in site.phases:
            if site.conflict(number, phase.number):
                ticks[phase.number - 1] = round(site.between_s(number, phase.number) / self.dialect.intergreen_unit_s)
        return {"number": number, "intergreen": tuple(ticks)}

    def _fault_rows(self) -> Mapping[int, Row]:
        return {
            row: {"number": fault.number, "type": fault.type, "at": fault.at, "action": fault.action}
            for row, fault in enumerate(self.street.last_faults(self.at), start=1)
        }


def _phase_row(phase: Phase) -> Row:
    return {
        "number": phase.number,
        "lamp_groups": phase.lamp_groups,
        **_shade_columns("lose", phase.lose),
        **_shade_columns("gain", phase.gain),
        "min_green_s": phase.min_green_s,
        "max_green_s": phase.max_green_s,
        "max_green_2_s": phase.max_green_2_s,
        "extension_s": phase.extension_s,
    }


def _shade_columns(what: str, shades: tuple[Shade, ...]) -> Row:
    full = [*shades, *[(int(Lamp.RED), 0)] * 3][:3]
    lamps = {f"{what}_lamp_{turn}": lamp for turn, (lamp, _) in enumerate(full, start=1)}
    return lamps | {f"{what}_s_{turn}": seconds for turn, (_, seconds) in enumerate(full, start=1)}


def _stage_row(stage: Stage) -> Row:
    late = tuple(stage.late_start_s.get(phase, 0) for phase in range(1, 65))
    early = tuple(stage.early_end_s.get(phase, 0) for phase in range(1, 65))
    return {"number": stage.number, "phases": stage.phases, "late_start_s": late, "early_end_s": early}


def _conflict_row(site: Site, number: int) -> Row:
    return {
        "number": number,
        "conflicts": frozenset(phase.number for phase in site.phases if site.conflict(number, phase.number)),
    }


def _constraint_row(site: Site, number: int) -> Row:
    told = {other: constraint for one, other, constraint in site.transitions if one == number}
    return {"number": number, "constraints": tuple(told.get(other, 0) for other in range(1, 65))}


def _plan_row(plan: Plan) -> Row:
    return {
        "number": plan.number,
        "junction": plan.junction,
        "cycle_s": plan.cycle_s,
        "coordinated": plan.coordinated,
        "offset_s": plan.offset_s,
        "stages": tuple(step.stage for step in plan.steps),
        "stage_s": tuple(step.seconds for step in plan.steps),
        "stage_types": tuple(StageType.ON_DEMAND if step.is_on_demand else StageType.FIXED for step in plan.steps),
    }
