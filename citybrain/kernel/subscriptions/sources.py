# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to registrations of context sources: which concern one, and what is told (clause 5.11 of CIM 009)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from urllib.parse import unquote

import msgspec

from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.query import read_query_body
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.discovery import as_document, is_in_period, read_period
from citybrain.kernel.registrations.index import Wanted, entity_matches, match_of
from citybrain.kernel.registrations.model import Information, Registration
from citybrain.kernel.registrations.wire import represent
from citybrain.kernel.subscriptions.compiled import Compiled
from citybrain.kernel.subscriptions.reading import NOT_SIMPLE
from citybrain.kernel.subscriptions.showing import text_of
from citybrain.kernel.subscriptions.subscription import Selector, Subscription


class Reason(StrEnum):
    """Why a subscriber is told of registrations (clause 5.3.2)."""

    NEWLY_MATCHING = "newlyMatching"
    UPDATED = "updated"
    NO_LONGER_MATCHING = "noLongerMatching"


class SourcesTold(msgspec.Struct, frozen=True, kw_only=True):
    """Registrations that are told, and why."""

    reason: Reason
    registrations: tuple[Registration, ...]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SourcesTold)


def encoded(told: SourcesTold) -> bytes:
    """What is told of registrations, as it is stored."""
    return _encoder.encode(told)


def decoded(body: bytes) -> SourcesTold:
    """What was stored."""
    return _decoder.decode(body)


def check(subscription: Subscription, query_context: Context) -> None:
    """Refuse filters that cannot be read: csf is a query (clause 4.9), temporalQ a time (clause 4.11)."""
    if subscription.csf:
        read_query_body({"q": unquote(subscription.csf)}, query_context)
    if subscription.temporal_q:
        read_period(_texts(subscription.temporal_q))


def reason_for(one: Compiled, before: Registration | None, after: Registration | None) -> Reason | None:
    """Why a change of a registration is to be told; None when it is not."""
    matched_before = before is not None and concerns(one, before)
    matched_after = after is not None and concerns(one, after)
    if matched_after:
        return Reason.UPDATED if matched_before else Reason.NEWLY_MATCHING
    return Reason.NO_LONGER_MATCHING if matched_before else None


def concerns(one: Compiled, registration: Registration) -> bool:
    """Whether a registration is one that the subscription is about (clause 5.11.7)."""
    subscription = one.subscription
    if not any(match_of(registration, wanted) for wanted in _wanted(subscription)):
        return False
    period = read_period(_texts(subscription.temporal_q)) if subscription.temporal_q else None
    if not is_in_period(registration, period):
        return False
    document = as_document(registration)
    asked: dict[str, Json] = {
        "q": unquote(subscription.csf),
        "scopeQ": subscription.scope_q,
        "geoQ": subscription.geo_q,
    }
    given = {name: value for name, value in asked.items() if value}
    return not given or matches(document, read_query_body(given, one.query_context))


def notification(
    subscription: Subscription, told: SourcesTold, context: Context, *, id: str, now: datetime
) -> dict[str, Json]:
    """A notification of registrations (clause 5.3.2), each with the part that the subscription is about."""
    shown = [
        represent(each if told.reason is Reason.NO_LONGER_MATCHING else relevant(each, subscription), context)
        for each in told.registrations
    ]
    return {
        "id": f"urn:ngsi-ld:ContextSourceNotification:{id}",
        "type": "ContextSourceNotification",
        "subscriptionId": subscription.id,
        "notifiedAt": text_of(now),
        "triggerReason": told.reason,
        "data": shown,
    }


def relevant(registration: Registration, subscription: Subscription) -> Registration:
    """A registration with only the information that the subscription is about."""
    several = _wanted(subscription)
    kept = tuple(left for each in registration.information if (left := _relevant(registration, each, several)))
    return msgspec.structs.replace(registration, information=kept or registration.information)


def _relevant(registration: Registration, one: Information, several: Sequence[Wanted]) -> Information | None:
    alone = msgspec.structs.replace(registration, information=(one,))
    wanted = [each for each in several if match_of(alone, each)]
    if not wanted:
        return None
    entities = tuple(info for info in one.entities if any(entity_matches(info, each) for each in wanted))
    return msgspec.structs.replace(one, entities=entities)


def _wanted(subscription: Subscription) -> list[Wanted]:
    attributes = frozenset(subscription.watched)
    selectors = subscription.selectors or (Selector(type="*"),)
    return [
        Wanted(
            ids=each.ids,
            id_pattern=each.id_pattern,
            types=() if each.type == "*" else tuple(name for name in NOT_SIMPLE.split(each.type)[::2] if name),
            attributes=attributes,
        )
        for each in selectors
    ]


def _texts(query: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items()}
