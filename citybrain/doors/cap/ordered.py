# SPDX-License-Identifier: Apache-2.0
"""Warnings that are ordered like any other means: the executor that lets them out, and calls them off, once each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import msgspec

from citybrain.doors.cap import service, store
from citybrain.doors.cap.drafting import Around, Draft, compose, sender_of
from citybrain.doors.cap.model import Alert, Category, Certainty, Harm, MsgType, Reference, Status, Urgency
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import EVERY_SCOPE, Kept
from citybrain.doors.cap.trust import at_start
from citybrain.kernel.audit.recording import MACHINE, Acting, Machine
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.geo import centre
from citybrain.kernel.records import Because, Column, Facts, Order, Outcome, OutcomeState
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store, address_of

ISSUE, CANCEL = "information.cap_alert", "information.cap_cancel"
MEANS = (ISSUE, CANCEL)


class Ordered:
    """Lets warnings out that somebody ordered. What is outside lives by the clock, whatever time the city has."""

    def __init__(self, city: Store, *, clock: Clock = utc_now) -> None:
        self._city = city
        self._clock = clock
        settings = load_settings()
        self._sender = sender_of(address_of(settings))
        self._trust = at_start(settings.cap)

    @property
    def claims(self) -> frozenset[str]:
        """No entity is its own."""
        return frozenset()

    @property
    def means(self) -> frozenset[str]:
        """To warn, and to call a warning off."""
        return frozenset(MEANS)

    def lacks(self, means: str) -> Because | None:
        """Nothing: the city's own feed is always there."""
        return None

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        """Let warnings out; one that is out already, as its order is given again, is not let out twice."""
        return [await self._obey(order, at) for order in orders]

    def facts(self) -> Mapping[str, Facts]:
        """Nothing stands in the street."""
        return {}

    def columns(self) -> Sequence[Column]:
        """Nothing is shown."""
        return ()

    async def _obey(self, order: Order, at: datetime) -> Outcome:
        try:
            kept = await (self._issue(order) if order.means == ISSUE else self._cancel(order))
        except Refusal as refusal:
            state = OutcomeState.FAILED if isinstance(refusal, Unavailable) else OutcomeState.REFUSED
            return Outcome(order_id=order.id, state=state, at=at, code=refusal.code, facts=refusal.facts)
        return Outcome(
            order_id=order.id,
            state=OutcomeState.EXECUTED,
            at=at,
            code="cap.ordered",
            facts={"identifier": kept.identifier, "status": kept.status},
        )

    async def _issue(self, order: Order) -> Kept:
        known = await self._known(order.id)
        if known is not None:
            return known
        draft = self._draft(order)
        name = identifier(order.id)
        alert = compose(draft, sender=self._sender, identifier=name, sent=self._clock(), references=[])
        return await self._out(alert, order)

    async def _cancel(self, order: Order) -> Kept:
        known = await self._known(order.id)
        if known is not None:
            return known
        warned = str(order.parameters["order"])
        earlier = await self._known(warned)
        if earlier is None or earlier.closed_at is not None:
            raise service.NotInForce("cap.not_in_force", {"identifier": identifier(warned)[:100]})
        reference = Reference(sender=earlier.sender, identifier=earlier.identifier, sent=earlier.sent)
        alert = msgspec.structs.replace(
            read(earlier.body).alert,
            identifier=identifier(order.id),
            sent=self._clock().replace(microsecond=0),
            msg_type=MsgType.CANCEL,
            references=(reference,),
        )
        return await self._out(alert, order)

    async def _out(self, alert: Alert, order: Order) -> Kept:
        now = self._clock()
        taken = await service.issue(self._city, alert, by=_by(order), at=now, trust=self._trust)
        await service.tell(self._city, now)
        return taken.kept

    async def _known(self, order_id: str) -> Kept | None:
        return await store.find(self._city.db, identifier(order_id), sender=self._sender, scopes=EVERY_SCOPE)

    def _draft(self, order: Order) -> Draft:
        given = order.parameters
        entity = self._city.pool.entity(order.entity_id)
        middle = centre(entity.geometry) if entity else None
        circles: tuple[Around, ...] = ()
        if middle and given["radius_km"]:
            circles = (Around(longitude=middle[0], latitude=middle[1], radius_km=given["radius_km"]),)
        return Draft(
            event=_both(given, "event"),
            headline=_both(given, "event"),
            description=_both(given, "text"),
            instruction=_both(given, "advice"),
            area={"zh": given["area"], "en": given["area"]},
            urgency=Urgency(given["urgency"]),
            severity=Harm(given["harm"]),
            certainty=Certainty(given["certainty"]),
            categories=(Category(given["category"]),),
            expires_at=self._clock() + timedelta(minutes=given["minutes"]),
            circles=circles,
            status=Status(given["status"]),
        )


def identifier(order_id: str) -> str:
    """What the warning of an order is called outside."""
    return f"order-{order_id}"


def _both(given: Facts, name: str) -> dict[str, str]:
    """A text in the languages that it is said in."""
    said = {"zh": given[name], "en": given[f"{name}_en"]}
    return {lang: text for lang, text in said.items() if text}


def _by(order: Order) -> Acting:
    """Whoever gave the order, for the audit; playbooks are the city's own."""
    return MACHINE if order.by == MACHINE.account else Machine(account=order.by, kind="staff")


@asynccontextmanager
async def ordered(city: Store) -> AsyncIterator[Sequence[Ordered]]:
    """The executor, as long as the city runs."""
    yield (Ordered(city),)
