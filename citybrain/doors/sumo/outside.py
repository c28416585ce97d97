# SPDX-License-Identifier: Apache-2.0
"""Signals whose lamps a controller outside shows: an emulated one in a process of its own, as a real one would."""

import socket
from collections.abc import Mapping, Sequence

import msgspec

from citybrain.doors.sumo.cabinet import GREEN, SignalPlan
from citybrain.kernel.errors import Invalid

ANSWER_S = 2.0
"""A controller that keeps step with the simulator and does not answer for so long has missed the second."""

MISSED = 3
"""After so many seconds without a word its lamps flash, as those of a cabinet whose controller is gone."""

FLASH = "o"

FRAME = 65_536


class OutsideUnusable(Invalid):
    """A signal is shown by an outside controller in a way that cannot be."""


class Outside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signal and its outside controller. `lamps` are the channels or lamp groups of its lamps (0: none).

    Either it keeps step (`control`, host:port, where it is told that a second passed and answers what it shows), or it
    reports what it shows to us (`report`, host:port) in its own time.
    """

    signal: str
    lamps: tuple[int, ...]
    control: str = ""
    report: str = ""


class _Told(msgspec.Struct, frozen=True):
    shown: Mapping[str, str]


class Controller:
    """One outside controller: what it shows each second, in the letters of its signal."""

    def __init__(self, outside: Outside, plan: SignalPlan) -> None:
        if len(outside.lamps) != len(plan.stages[0]) or bool(outside.control) == bool(outside.report):
            raise OutsideUnusable("sumo.outside_unusable", {"signal": outside.signal, "lamps": len(plan.stages[0])})
        self._lamps = outside.lamps
        self._plan = plan
        self._keeps_step = bool(outside.control)
        peer = _peer(outside.control or outside.report)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if self._keeps_step:
            self._socket.connect(peer)
            self._socket.settimeout(ANSWER_S)
        else:
            self._socket.bind(peer)
            self._socket.setblocking(False)
        self._shown: Mapping[str, str] = {}
        self._missed = MISSED

    def second(self) -> str:
        """A second passes: what the lamps show from now on."""
        told = self._step() if self._keeps_step else self._newest()
        if told is None:
            self._missed += 1
        else:
            self._shown, self._missed = told, 0
        if self._missed >= MISSED:
            return FLASH * len(self._lamps)
        return letters(self._plan, [self._shown.get(str(number), "") for number in self._lamps])

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _step(self) -> Mapping[str, str] | None:
        """Tell it that a second passed. Answers to earlier ones that come late are passed over."""
        try:
            self._drain()
            self._socket.send(b'{"advance_s": 1}')
            return _read(self._socket.recv(FRAME))
        except OSError:
            return None

    def _newest(self) -> Mapping[str, str] | None:
        told = None
        while True:
            try:
                told = _read(self._socket.recv(FRAME)) or told
            except OSError:
                return told

    def _drain(self) -> None:
        self._socket.setblocking(False)
        try:
            while self._socket.recv(FRAME):
                pass
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(ANSWER_S)


def letters(plan: SignalPlan, shown: Sequence[str]) -> str:
    """What outside lamps show in SUMO's letters: a whole stage as shipped, with its g and s; in a change, a green that
    yields in any stage yields. A lamp that no channel drives shows what it does in all stages, else red."""
    green = frozenset(lamp for lamp, letter in enumerate(shown) if letter == "G")
    is_change = any(letter not in ("G", "r", "") for letter in shown)
    for stage in plan.stages:
        if not is_change and green == frozenset(lamp for lamp, letter in enumerate(stage) if letter in GREEN):
            return stage
    return "".join(_letter(letter, {stage[lamp] for stage in plan.stages}) for lamp, letter in enumerate(shown))


def _letter(shown: str, shipped: set[str]) -> str:
    if shown == "G":
        return "g" if "g" in shipped else "G"
    if shown in ("", "r"):
        return "s" if shipped == {"s"} else "r"
    return shown


def _read(frame: bytes) -> Mapping[str, str] | None:
    try:
        return msgspec.json.decode(frame, type=_Told).shown
    except msgspec.DecodeError:
        return None


def _peer(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        return host, int(port)
    except ValueError as error:
        raise OutsideUnusable("sumo.outside_unusable", {"signal": text, "lamps": 0}) from error
