# SPDX-License-Identifier: Apache-2.0
"""The rivals that are rules: max-pressure and greedy, as deciders of the same loop, before the same cabinets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome

DECIDE_EVERY_S = 10.0
"""RESCO's step: all signals decide at once every 10 s, a change of 3 s included (Ault & Sharon 2021, map_config.py)."""

GREEDY_REACH_M = 100.0
"""Greedy counts vehicles this near to the stop line."""

GREEN = "Gg"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal: per stage, the detectors of the approach lanes it serves and of the exits it fills."""

    signal_id: str
    served: tuple[tuple[str, ...], ...]
    filled: tuple[tuple[str, ...], ...]


Rows = Mapping[str, Any]
Value = Callable[[Rows, Signal, int], float]


class Rule:
    """A decider: every 10 s the stage of highest value, the stage that is shown where values are equal."""

    def __init__(self, entities: Sequence[Entity], value: Value) -> None:
        self._signals = signals(entities)
        self._value = value
        self._shown: dict[str, int] = {}

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
        now_s = batch.observed_at.timestamp()
        if now_s % DECIDE_EVERY_S >= 1.0:
            return []
        rows = {
            name: table
            for column in batch.columns
            if column.attribute == "tracks"
            for name, table in zip(column.entity_ids, column.values, strict=True)
        }
        return [self._order(signal, rows, batch) for signal in self._signals]

    def _order(self, signal: Signal, rows: Rows, batch: Batch) -> Order:
        last = self._shown.get(signal.signal_id, 0)
        stages = range(len(signal.served))
        best = max(stages, key=lambda stage: (self._value(rows, signal, stage), stage == last))
        self._shown[signal.signal_id] = best
        return Order(
            id=f"{batch.id}:{signal.signal_id}",
            means="traffic.set_stage",
            entity_id=signal.signal_id,
            at=batch.observed_at,
            because=Because(code="bench"),
            parameters={"stage": best},
        )


def max_pressure(entities: Sequence[Entity]) -> Rule:
    """Vehicles seen on the lanes a stage serves less those seen on the lanes it fills (Varaiya 2013)."""
    return Rule(entities, _pressure)


def greedy(entities: Sequence[Entity]) -> Rule:
    """Most vehicles within 100 m of the stop line (RESCO's data key MAXWAVE)."""
    return Rule(entities, _wave)


def _pressure(rows: Rows, signal: Signal, stage: int) -> float:
    coming = sum(_count(rows.get(name), float("inf")) for name in signal.served[stage])
    ahead = sum(_count(rows.get(name), float("inf")) for name in signal.filled[stage])
    return coming - ahead


def _wave(rows: Rows, signal: Signal, stage: int) -> float:
    return sum(_count(rows.get(name), GREEDY_REACH_M) for name in signal.served[stage])


def _count(table: Any, reach_m: float) -> float:
    """Vehicles before the stop line or past the exit's start, those on a branch with their share."""
    if table is None or not len(table):
        return 0.0
    near = (table[:, 0] >= 0.0) & (table[:, 0] <= reach_m)
    return float(table[near, 3].sum())


def signals(entities: Sequence[Entity]) -> list[Signal]:
    """All signals, with the detectors that count for each stage."""
    watched = {
        (one.attributes["controller"], one.attributes["role"], one.attributes["lane"]): one.id
        for one in entities
        if one.type == "TrafficDetector"
    }
    return [_signal(one, watched) for one in entities if one.type == "TrafficSignalController"]


def _signal(entity: Entity, watched: Mapping[tuple[str, str, str], str]) -> Signal:
    links, stages = entity.attributes["links"], entity.attributes["stages"]

    def lanes(role: str, stage: str) -> tuple[str, ...]:
        named = dict.fromkeys(link[role] for link in links if stage[link["index"]] in GREEN)
        return tuple(watched[entity.id, role, lane] for lane in named)

    return Signal(
        signal_id=entity.id,
        served=tuple(lanes("approach", stage) for stage in stages),
        filled=tuple(lanes("exit", stage) for stage in stages),
    )
