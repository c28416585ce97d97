# SPDX-License-Identifier: Apache-2.0
"""Lamps of a controller outside become lamps of the simulated signal."""

import socket
from collections.abc import Iterator
from threading import Thread

import msgspec
import pytest

from citybrain.doors.sumo.cabinet import PlanPhase, SignalPlan, signal_plan
from citybrain.doors.sumo.options import OptionsBroken, options
from citybrain.doors.sumo.outside import Controller, Outside, OutsideUnusable, letters

PLAN = signal_plan(
    [], [PlanPhase(state=state, duration_s=s) for state, s in (("Ggrs", 30), ("yyrs", 3), ("GrGs", 20), ("yryr", 3))]
)


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (("G", "G", "r", ""), "Ggrs"),
        (("G", "r", "G", ""), "GrGs"),
        (("G", "y", "r", ""), "Gyrs"),
        (("r", "r", "r", ""), "rrrs"),
        (("r", "G", "r", ""), "rgrs"),
        (("o", "o", "o", ""), "ooos"),
    ],
)
def test_a_whole_stage_is_as_shipped_and_a_change_has_the_lower_priority(shown: tuple[str, ...], state: str) -> None:
    assert letters(_plan(), shown) == state


def _plan() -> SignalPlan:
    return PLAN


class Emulator(Thread):
    """Answers the seconds it is told of, as long as it has answers."""

    def __init__(self, answers: list[bytes]) -> None:
        super().__init__(daemon=True)
        self._answers = answers
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.socket.getsockname())

    def run(self) -> None:
        for answer in self._answers:
            _, peer = self.socket.recvfrom(1000)
            self.socket.sendto(answer, peer)
        self.socket.close()


def told(*lamps: str) -> bytes:
    return msgspec.json.encode({"shown": {str(n): lamp for n, lamp in enumerate(lamps, start=1)}})


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    each = Emulator([told("G", "G", "r"), b"nonsense", told("G", "y", "r")])
    each.start()
    yield each
    each.socket.close()


def test_a_controller_that_is_gone_keeps_its_lamps_for_a_moment_and_then_flashes(emulator: Emulator) -> None:
    controller = Controller(Outside(signal="s", lamps=(1, 2, 3, 0), control=emulator.address), PLAN)
    assert [controller.second() for _ in range(6)] == ["Ggrs", "Ggrs", "Gyrs", "Gyrs", "Gyrs", "oooo"]
    controller.close()


def test_reports_are_heard_without_waiting_for_them() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Outside(signal="s", lamps=(1, 2, 3, 0), report=f"127.0.0.1:{port}"), PLAN)
    assert controller.second() == "oooo"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.sendto(told("r", "r", "r"), ("127.0.0.1", port))
        desk.sendto(told("G", "r", "G"), ("127.0.0.1", port))
    assert controller.second() == "GrGs"
    controller.close()


@pytest.mark.parametrize(
    "wrong",
    [
        Outside(signal="s", lamps=(1, 2), control="127.0.0.1:1"),
        Outside(signal="s", lamps=(1, 2, 3, 4)),
        Outside(signal="s", lamps=(1, 2, 3, 4), control="127.0.0.1:1", report="127.0.0.1:2"),
        Outside(signal="s", lamps=(1, 2, 3, 4), control="nowhere"),
    ],
)
def test_a_signal_that_cannot_be_shown_outside_is_refused(wrong: Outside) -> None:
    with pytest.raises(OutsideUnusable):
        Controller(wrong, PLAN)


def test_the_options_of_a_run_name_outside_signals() -> None:
    (outside,) = options({"outside": [{"signal": "s", "lamps": [1, 2], "control": "127.0.0.1:1"}]}).outside
    assert outside.lamps == (1, 2)
    with pytest.raises(OptionsBroken):
        options({"outside": [{"signal": "s"}]})
