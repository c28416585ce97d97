# SPDX-License-Identifier: Apache-2.0
"""A bus that comes near has green held or brought forward, within bounds that keep the cross streets moving."""

from typing import Any

from citybrain.apps.traffic.control.plans.buses import (
    BUS_PRIORITY,
    END_BUS_PRIORITY,
    LONGEST_S,
    RECOVER_S,
    Buses,
)
from citybrain.apps.traffic.control.plans.tests.street import BLOCK_M, NOON, SIGNALS, STREET, order
from citybrain.kernel.records import Batch, Column

FLEET_ID = "urn:fleet"


def seen(shown: str, **report: Any) -> Batch:
    bus = {"vehicle": "urn:v:7", "kind": "bus", "state": "driving", "road": "urn:r:in", "speed_mps": 13.9}
    bus |= {"position_m": 0.0, "route": ["urn:r:in", "urn:r:mid"], **report}
    columns = (
        Column(attribute="fleet", entity_ids=(FLEET_ID,), values=([bus],)),
        Column(attribute="signalState", entity_ids=(SIGNALS[0],), values=(shown,)),
    )
    return Batch(id="1", source="test", observed_at=NOON, received_at=NOON, columns=columns)


def with_priority() -> Buses:
    buses = Buses(STREET)
    buses.obey(order(BUS_PRIORITY, {"signals": [SIGNALS[0]]}), NOON)
    return buses


def stages(buses: Buses, batch: Batch, now_s: float) -> list[int | None]:
    buses.watch(batch, (), ())
    return [claim.stage for claim in buses.claims(now_s)]


def test_green_is_held_for_a_bus_that_will_be_there_in_time() -> None:
    assert stages(with_priority(), seen("GGr", position_m=BLOCK_M - 150.0), 0.0) == [0]


def test_green_comes_early_only_when_the_bus_is_near() -> None:
    assert stages(with_priority(), seen("rrG", position_m=BLOCK_M - 240.0), 0.0) == []
    assert stages(with_priority(), seen("rrG", position_m=BLOCK_M - 100.0), 0.0) == [0]


def test_only_buses_and_only_signals_with_priority_count() -> None:
    assert stages(with_priority(), seen("GGr", position_m=200.0, kind="police"), 0.0) == []
    assert stages(Buses(STREET), seen("GGr", position_m=200.0), 0.0) == []


def test_a_bus_that_stands_at_its_stop_loses_its_claim_and_the_cross_street_gets_its_time() -> None:
    buses = with_priority()
    at_stop = seen("rrG", position_m=BLOCK_M - 30.0, speed_mps=0.0)
    assert stages(buses, at_stop, 0.0) == [0]
    assert stages(buses, at_stop, LONGEST_S - 1.0) == [0]
    assert stages(buses, at_stop, LONGEST_S + 1.0) == []
    assert stages(buses, at_stop, LONGEST_S + RECOVER_S - 1.0) == []
    assert stages(buses, at_stop, LONGEST_S + RECOVER_S + 1.0) == [0]


def test_past_the_signal_the_claim_is_gone() -> None:
    buses = with_priority()
    assert stages(buses, seen("GGr", position_m=250.0), 0.0) == [0]
    assert stages(buses, seen("GGr", road="urn:r:mid", position_m=1.0, route=["urn:r:mid"]), 5.0) == []


def test_priority_that_is_ended_claims_nothing() -> None:
    buses = with_priority()
    buses.obey(order(END_BUS_PRIORITY), NOON)
    assert stages(buses, seen("GGr", position_m=250.0), 0.0) == []
