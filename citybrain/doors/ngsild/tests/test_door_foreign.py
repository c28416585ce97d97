# SPDX-License-Identifier: Apache-2.0
"""A client that nobody here wrote: FiLiP of RWTH Aachen, in an environment of its own (`make pytest` installs it)."""

import asyncio
from pathlib import Path

import pytest

PYTHON = Path(__file__).parents[4] / ".clients" / "bin" / "python"
ERRAND = """
import sys, warnings
warnings.simplefilter("ignore")
from filip.clients.ngsi_ld.cb import ContextBrokerLDClient
from filip.models.base import FiwareLDHeader
from filip.models.ngsi_ld.context import ActionTypeLD, ContextLDEntity, ContextProperty, NamedContextProperty
from filip.models.ngsi_ld.subscriptions import SubscriptionLD

client = ContextBrokerLDClient(fiware_header=FiwareLDHeader(), url=sys.argv[1])

def room(number, temperature):
    entity = ContextLDEntity(id=f"urn:ngsi-ld:Room:{number}", type="Room")
    entity.add_properties({"temperature": ContextProperty(value=temperature, unitCode="CEL")})
    return entity

client.post_entity(room(1, 20.5))
read = client.get_entity("urn:ngsi-ld:Room:1")
assert read.temperature.value == 20.5 and read.temperature.unitCode == "CEL", read
client.update_entity_attribute("urn:ngsi-ld:Room:1", ContextProperty(value=21), "temperature")
assert client.get_entity("urn:ngsi-ld:Room:1").temperature.value == 21
more = room(1, 21)
more.add_properties([NamedContextProperty(name="humidity", value=0.5)])
client.append_entity_attributes(more)
assert client.get_entity("urn:ngsi-ld:Room:1").humidity.value == 0.5
client.delete_attribute("urn:ngsi-ld:Room:1", "humidity")
client.entity_batch_operation(entities=[room(2, 10), room(3, 30)], action_type=ActionTypeLD.CREATE)
client.override_entities([room(2, 11), room(4, 40)])
warm = client.get_entity_list(entity_type="Room", q="temperature>20")
assert [each.id for each in warm] == [f"urn:ngsi-ld:Room:{n}" for n in (1, 3, 4)], warm
assert client.get_entity("urn:ngsi-ld:Room:2", options="keyValues").temperature == 11
wish = SubscriptionLD(
    id="urn:ngsi-ld:Subscription:1",
    type="Subscription",
    entities=[{"type": "Room"}],
    notification={"attributes": ["temperature"], "endpoint": {"uri": "http://127.0.0.1:9/"}},
)
client.post_subscription(wish)
assert client.get_subscription("urn:ngsi-ld:Subscription:1").notification.attributes == ["temperature"]
client.delete_subscription("urn:ngsi-ld:Subscription:1")
client.entity_batch_operation(entities=[room(n, 0) for n in (2, 3, 4)], action_type=ActionTypeLD.DELETE)
client.delete_entity_by_id("urn:ngsi-ld:Room:1")
assert client.get_entity_list(entity_type="Room") == []
print("done")
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="the environment of foreign clients is not installed (make pytest)")
async def test_filip_writes_reads_queries_and_subscribes(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        *("-c", ERRAND, url.removesuffix("/ngsi-ld/v1")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await process.communicate()
    assert (process.returncode, said.decode().strip()[-4:]) == (0, "done"), complaints.decode()[-2000:]
