# SPDX-License-Identifier: Apache-2.0
"""Commands to devices: what one is to be stands beside what it says it is, and is told to whoever commands it.

Who commands devices subscribes to the wanted attributes (CIM 009 clause 5.8; by HTTP, or by MQTT with the topic as its
command topic), or takes them by a webhook among the contacts of the role `devices`. Without either nothing is written.
"""

from datetime import datetime

from citybrain.apps.operations.control.means.acts import AUTO, Command
from citybrain.apps.operations.service.carrying.book import DEVICES, Book
from citybrain.apps.operations.service.carrying.messages import Delivery
from citybrain.apps.operations.service.carrying.outcomes import NoDevice, executed, failed
from citybrain.apps.operations.service.carrying.telling import letter
from citybrain.apps.operations.store.contacts import State
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities import service as entities
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document
from citybrain.kernel.entities.fragment import read_fragment
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json, Order, Outcome
from citybrain.kernel.subscriptions.subscription import Status


async def command(book: Book, delivery: Delivery, how: Command, order: Order, at: datetime) -> Outcome:
    """Tell a device what to be."""
    given = order.parameters
    wanted: Json = given[how.parameter] if how.parameter else dict(given) or order.id
    return await _tell(book, delivery, how, order, wanted=wanted, at=at)


async def release(book: Book, delivery: Delivery, order: Order, at: datetime) -> Outcome:
    """Tell a device that it may go by its own control again."""
    how = Command(attribute=str(order.parameters["attribute"]))
    return await _tell(book, delivery, how, order, wanted=AUTO, at=at)


async def _tell(book: Book, delivery: Delivery, how: Command, order: Order, *, wanted: Json, at: datetime) -> Outcome:
    store = book.store
    device = store.documents.get(DEFAULT_TENANT, order.entity_id)
    if device is None:
        raise NoDevice("operations.no_such_device", {"id": order.entity_id})
    gateways = book.told(DEVICES)
    listens = _listens(book, device, how.desired)
    if not listens and not gateways:
        raise NoDevice("operations.nobody_listens", {"id": order.entity_id, "attribute": how.desired})
    if not _is_told(device, how.desired, order):
        await _write(book, device, how.desired, order, wanted=wanted)
    facts = {"attribute": how.desired, "value": wanted, "id": device.id}
    if gateways:
        entity = store.pool.entity(order.entity_id)
        extra = {"command": {"attribute": how.attribute, "desired": how.desired, "value": wanted}}
        await delivery.again(order.id)
        await delivery.queue(order.id, gateways, letter(book.words, order, entity, extra=extra))
        if listens:
            delivery.deliver_later(order.id)
        else:
            sent = await delivery.deliver(order.id)
            if not any(each.state is State.SENT for each in sent):
                return failed(order, at, "operations.told_nobody", {"why": sent[0].problem if sent else ""})
    return executed(order, at, "operations.commanded", facts)


def _is_told(device: Document, desired: str, order: Order) -> bool:
    """Whether this very order is what the device was told last: one that stands is given again at each start."""
    instances = device.attributes.get(desired, ())
    return any(by.value == order.id for each in instances for by in each.attributes.get("orderedBy", ()))


async def _write(book: Book, device: Document, desired: str, order: Order, *, wanted: Json) -> None:
    now = utc_now()
    said = {
        "type": "Property",
        "value": wanted,
        "observedAt": text_of(now),
        "orderedBy": {"type": "Property", "value": order.id},
    }
    desk = Desk(documents=book.store.documents, tenant=DEFAULT_TENANT, at=now)
    await entities.append(desk, device.id, read_fragment({desired: said}, CORE))


def _listens(book: Book, device: Document, desired: str) -> bool:
    """Whether a subscription at work names the attribute, and is about this device."""
    store, now = book.store, utc_now()
    return any(
        line.one.subscription.status(now) is Status.ACTIVE
        and desired in line.one.watched
        and line.one.holds(device, lambda id: store.documents.get(DEFAULT_TENANT, id))
        for line in store.subscriptions.all(DEFAULT_TENANT)
    )
