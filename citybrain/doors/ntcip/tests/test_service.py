# SPDX-License-Identifier: Apache-2.0
"""The city looks at emulated controllers: what they show is in the pool, what is wrong is told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from citybrain.doors.ntcip import mapping, service
from citybrain.doors.ntcip.cabinet import dual_ring
from citybrain.doors.ntcip.link import Silent
from citybrain.doors.ntcip.mapping import Mapped, Plan
from citybrain.doors.ntcip.service import looking
from citybrain.doors.ntcip.tests.running import Emulated, emulated, free_port, until
from citybrain.kernel.controllers import outlets, watch
from citybrain.kernel.controllers.mapping import UnusableMapping
from citybrain.kernel.controllers.outlets import Outlets
from citybrain.kernel.controllers.watch import Found, Watch, Watched
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.records import Event
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNAL = "urn:ngsi-ld:TrafficSignalController:market"
DEVICE = "urn:ngsi-ld:Device:ntcip:market"
SILENT, FLASHES = watch.silent("ntcip"), watch.flashes("ntcip")


def mapped(port: int) -> Mapped:
    return Mapped(name="market", host="127.0.0.1", port=port, entity=SIGNAL, timeout_s=0.1, tries=1)


def plan_of(emulator: Emulated) -> Plan:
    return Plan(controller=(mapped(emulator.port),), look_s=0.1)


def value(city: Store, entity_id: str, attribute: str) -> Any:
    document = city.documents.get("", entity_id)
    return None if document is None or attribute not in document.attributes else document.attributes[attribute][0].value


def into(city: Store) -> Outlets:
    return outlets.outlets(city.documents, city.journal.tell)


def remembering(city: Store) -> tuple[Outlets, list[Event]]:
    """Outlets into the city that also remember the events."""
    told: list[Event] = []
    real = into(city)

    async def tell(events: Sequence[Event]) -> None:
        told.extend(events)
        await real.tell(events)

    return Outlets(observe=real.observe, tell=tell), told


async def test_what_a_controller_shows_is_in_the_pool_and_a_flash_is_told_and_ends(
    store: Store, tmp_path: Path
) -> None:
    out, told = remembering(store)
    async with emulated(dual_ring(), tmp_path) as emulator, looking(plan_of(emulator), out):
        await until(lambda: value(store, DEVICE, "deviceState") == "ok")
        await until(lambda: value(store, SIGNAL, "stage") is not None)
        state = value(store, SIGNAL, "signalState")
        assert len(state) == 8 and state.count("G") <= 2
        assert value(store, SIGNAL, "controllerMode") == "local"
        await emulator.fault(conflict=[2, 8])
        await until(lambda: value(store, DEVICE, "deviceState") == "flash")
        assert value(store, SIGNAL, "signalState") == "oooooooo"
        assert value(store, SIGNAL, "alarms") == "mmu_flash, terminals_and_facilities_flash"
        await emulator.fault(reset=True)
        await until(lambda: value(store, DEVICE, "deviceState") == "ok")
    assert [(event.kind, event.ended_at is None) for event in told] == [(FLASHES, True), (FLASHES, False)]
    assert store.documents.get("", SIGNAL) is not None


async def test_an_event_that_cannot_be_kept_waits_until_it_can(store: Store, tmp_path: Path) -> None:
    out, told = remembering(store)
    away = True

    async def tell(events: Sequence[Event]) -> None:
        if away:
            raise Unavailable("kernel.database_lost", {"why": "gone"})
        await out.tell(events)

    async with emulated(dual_ring(), tmp_path) as emulator:
        await emulator.fault(conflict=[2, 8])
        async with looking(plan_of(emulator), Outlets(observe=out.observe, tell=tell)):
            await asyncio.sleep(1)
            assert not told
            away = False
            await until(lambda: [event.kind for event in told] == [FLASHES])


async def test_broadcasts_are_heard_beside_the_questions(store: Store, tmp_path: Path) -> None:
    port = free_port()
    async with emulated(dual_ring(), tmp_path, "--spat", f"127.0.0.1:{port}") as emulator:
        plan = Plan(controller=(mapped(emulator.port),), look_s=60, spat_port=port, spat_host="127.0.0.1")
        async with looking(plan, into(store)):
            await until(lambda: value(store, SIGNAL, "signalState") is not None)
            states: set[str] = set()

            def three() -> bool:
                states.add(value(store, SIGNAL, "signalState"))
                return len(states) >= 3

            await until(three)


async def test_a_mapping_of_nobody_only_says_that_nobody_answers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENT_AFTER", timedelta(0))
    out, told = remembering(store)
    nobody = (mapped(free_port()), Mapped(name="b", host="no.such.host.invalid", entity="urn:b"))
    async with looking(Plan(controller=nobody, look_s=0.1), out):
        await until(lambda: {event.entity_id for event in told} == {SIGNAL, "urn:b"})
        await until(lambda: value(store, DEVICE, "deviceState") == "silent")
    assert {event.kind for event in told} == {SILENT}
    assert len([event for event in told if event.ended_at is not None]) == 2, "they end when nobody looks any more"


def test_a_few_lost_answers_are_no_event_and_silence_is_one_until_it_ends() -> None:
    eyes = Watch(Watched(door="ntcip", name="market", entity=SIGNAL), NOON)
    lost = Silent("ntcip.silent", {"host": "h", "port": 1})
    assert eyes.missed(lost, {}, NOON + timedelta(seconds=9)) == Found()
    found = eyes.missed(lost, {"questionsLost": 9.0}, NOON + timedelta(seconds=10))
    (event,) = found.events
    assert {each.attribute: each.value for each in found.measurements} == {
        "deviceState": "silent",
        "questionsLost": 9.0,
    }
    assert (event.kind, event.because and event.because.code) == (SILENT, "ntcip.silent")
    assert eyes.missed(lost, {"questionsLost": 9.0}, NOON + timedelta(seconds=11)) == Found()
    (ended,) = eyes.ended(NOON + timedelta(seconds=12)).events
    assert (ended.id, ended.ended_at) == (event.id, NOON + timedelta(seconds=12))


def test_without_a_mapping_the_door_stays_shut() -> None:
    assert load_settings({}).ntcip is None
    assert load_settings({"CITYBRAIN_NTCIP": "/etc/ntcip.toml"}).ntcip == Path("/etc/ntcip.toml")


async def test_the_door_idles_without_a_mapping_and_refuses_one_that_does_not_fit(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CITYBRAIN_NTCIP", raising=False)
    before = asyncio.all_tasks()
    async with service.running(store):
        assert asyncio.all_tasks() == before
    monkeypatch.setenv("CITYBRAIN_NTCIP", str(tmp_path / "none.toml"))
    with pytest.raises(UnusableMapping):
        async with service.running(store):
            pass


ONE = '[[controller]]\nname = "a"\nhost = "10.0.0.1"\nentity = "urn:a"\n'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("look_s = 0", "ntcip.file_unusable"),
        ("no toml", "ntcip.file_unusable"),
        (ONE + "port = 0", "ntcip.file_unusable"),
        (ONE + "stages = [[0]]", "ntcip.file_unusable"),
        (ONE + 'enable_spat = "mccain"', "ntcip.file_unusable"),
        (ONE.replace("urn:a", "a"), "ntcip.file_unusable"),
        (ONE + ONE, "ntcip.controller_twice"),
        (ONE + ONE.replace('"a"', '"b"'), "ntcip.controller_twice"),
        (ONE + ONE.replace('"a"', '"b"').replace("urn:a", "urn:b"), "ntcip.controller_twice"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(text: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "ntcip.toml"
    path.write_text(text)
    with pytest.raises(UnusableMapping) as refused:
        mapping.load(path)
    assert refused.value.code == code


def test_the_mapping_of_the_guide_is_read(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[4] / "docs/howto/connect-signal-controllers-over-ntcip.md").read_text("utf-8")
    path = tmp_path / "guide.toml"
    path.write_text(guide.split("```toml\n")[1].split("```")[0])
    plan = mapping.load(path)
    assert [each.name for each in plan.controller] == ["market-street", "harbour"]
    assert plan.controller[0].stages == ((2, 6), (4, 8), (1, 5))
