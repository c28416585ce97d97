# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from datetime import UTC, datetime

from citybrain.doors.mqtt.codec import Measurement
from citybrain.doors.mqtt.mapping import Attribute, Source
from citybrain.doors.mqtt.watch import Turn, Verdict, Watch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOOR = Source(
    name="door",
    topic="d/{id}",
    type="Door",
    entity="urn:d:{id}",
    attributes={"state": Attribute(), "level": Attribute(flap_step=1.0), "noise": Attribute()},
    per_second=10,
    burst=5,
    flaps_per_minute=3,
    lies_in_a_row=3,
    calm_s=60,
)


def says(value: float | str | bool, attribute: str = "state", lie: str = "") -> list[Measurement]:
    return [Measurement(entity_id="a", attribute=attribute, value=value, unit="", observed_at=NOON, lie=lie)]


def verdicts(watch: Watch, said: Sequence[tuple[float, list[Measurement]]]) -> list[Verdict]:
    return [watch.judge("a", DOOR, each, at_s).verdict for at_s, each in said]


def test_a_device_may_send_a_burst_and_then_as_fast_as_its_rate() -> None:
    watch = Watch()
    assert verdicts(watch, [(0, says("open"))] * 6) == [Verdict.TAKEN] * 5 + [Verdict.TOO_MANY]
    assert verdicts(watch, [(0.1, says("open"))] * 2) == [Verdict.TAKEN, Verdict.TOO_MANY]


def test_a_device_that_is_too_fast_does_not_slow_another() -> None:
    watch = Watch()
    verdicts(watch, [(0, says("open"))] * 6)
    assert watch.judge("b", DOOR, says("open"), 0).verdict is Verdict.TAKEN


def test_a_word_that_changes_too_often_shuts_its_device_out() -> None:
    watch = Watch()
    flapping = [(float(second), says("open" if second % 2 else "shut")) for second in range(6)]
    assert verdicts(watch, flapping) == [Verdict.TAKEN] * 4 + [Verdict.QUARANTINED] * 2


def test_noise_of_a_number_is_no_flapping_and_a_turn_by_its_step_is() -> None:
    noisy = [(float(second), says(20 + 0.3 * (second % 2), "level")) for second in range(20)]
    assert set(verdicts(Watch(), noisy)) == {Verdict.TAKEN}
    wild = [(float(second), says(20.0 * (second % 2), "noise")) for second in range(20)]
    assert set(verdicts(Watch(), wild)) == {Verdict.TAKEN}, "no step is given for it"
    swinging = [(float(second), says(5.0 * (second % 2), "level")) for second in range(9)]
    assert verdicts(Watch(), swinging)[-1] is Verdict.QUARANTINED


def test_one_lie_is_left_out_and_three_in_a_row_shut_the_device_out() -> None:
    watch = Watch()
    lie = says(9.0, "level", "mqtt.lie_range")
    first = watch.judge("a", DOOR, lie, 0)
    assert (first.verdict, first.turn, first.why) == (Verdict.QUARANTINED, Turn.NONE, "mqtt.lie_range")
    assert watch.judge("a", DOOR, says(1.0, "level"), 1).verdict is Verdict.TAKEN
    judged = [watch.judge("a", DOOR, lie, 2.0 + second) for second in range(3)]
    assert [each.turn for each in judged] == [Turn.NONE, Turn.NONE, Turn.SHUT]


def test_a_device_comes_back_by_itself_when_it_was_calm_long_enough() -> None:
    watch = Watch()
    for second in range(3):
        watch.judge("a", DOOR, says(9.0, "level", "mqtt.lie_range"), float(second))
    assert watch.judge("a", DOOR, says(1.0, "level"), 61.9).verdict is Verdict.QUARANTINED
    back = watch.judge("a", DOOR, says(1.0, "level"), 62.0)
    assert (back.verdict, back.turn) == (Verdict.TAKEN, Turn.FREED)


def test_a_person_can_free_a_device_and_a_restart_keeps_it_shut() -> None:
    watch = Watch()
    watch.shut("a", until_s=50.0, why="mqtt.flaps", source=DOOR)
    assert watch.judge("a", DOOR, says("open"), 0).why == "mqtt.flaps"
    assert watch.free("a")
    assert not watch.free("a")
    assert watch.judge("a", DOOR, says("open"), 1).verdict is Verdict.TAKEN
