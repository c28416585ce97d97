# SPDX-License-Identifier: Apache-2.0
"""From an officer's order to a pump that runs: over a real MQTT broker there and back, and back to its own control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from citybrain.apps.operations.control.means.acts import AUTO
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities import service as entities
from citybrain.kernel.entities.fragment import read_fragment
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.subscriptions.tests.test_mqtt import MOSQUITTO, Broker, next_message
from tests.means.town import Town, officer, put

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto, a real MQTT broker, is not installed here")
PUMP = "urn:ngsi-ld:Pump:spring-road"
TOPIC = "pumps/spring-road/command"


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[Broker]:
    one = Broker(folder)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def report(town: Town, state: str) -> None:
    """The pump says what it is, as any door would bring it."""
    desk = Desk(documents=town.store.documents, tenant="", at=utc_now())
    await entities.append(desk, PUMP, read_fragment({"powerState": {"type": "Property", "value": state}}, CORE))


def shown(town: Town, name: str) -> Any:
    pump = town.store.documents.get("", PUMP)
    assert pump is not None
    return pump.attributes[name][0].value


async def test_a_pump_is_switched_on_reports_it_and_goes_back_to_its_own_control(bare: Town, tmp_path: Path) -> None:
    async with broker(tmp_path) as mosquitto, aiomqtt.Client("127.0.0.1", mosquitto.port) as pump:
        await pump.subscribe(TOPIC, qos=1)
        await put(bare.store, PUMP, "Pump", powerState="off")
        payload = {
            "type": "Subscription",
            "entities": [{"type": "Pump", "id": PUMP}],
            "watchedAttributes": ["desiredPowerState"],
            "notification": {
                "attributes": ["desiredPowerState"],
                "endpoint": {"uri": f"mqtt://127.0.0.1:{mosquitto.port}/{TOPIC}", "accept": "application/json"},
            },
        }
        await bare.store.subscriptions.create(payload, CORE, tenant="", now=utc_now())
        order = await bare.done("drainage.run_pump", {"state": "on"}, on=PUMP)
        assert order.state == "standing", "it lasts until somebody ends it"
        (told,) = (await next_message(pump))["body"]["data"]
        assert (told["id"], told["desiredPowerState"]["value"]) == (PUMP, "on")
        assert shown(bare, "powerState") == "off", "what is wanted is not what is"
        await report(bare, told["desiredPowerState"]["value"])
        assert shown(bare, "powerState") == "on"
        await bare.store.orders.end(officer("wang"), order.id, reason="dry again", now=utc_now())
        (released,) = (await next_message(pump))["body"]["data"]
        assert released["desiredPowerState"]["value"] == AUTO
        async with asyncio.timeout(20):
            while True:
                ended, _ = await bare.store.orders.get(officer("wang"), order.id)
                if ended.undo.outcome is not None:
                    break
                await asyncio.sleep(0.1)
        assert (ended.state, ended.undo.outcome.state) == ("ended", "executed")
