# SPDX-License-Identifier: Apache-2.0
"""What an officer wants to warn of, and the alert that is made of it: pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from citybrain.doors.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Harm,
    Info,
    MsgType,
    Reference,
    ResponseType,
    Ring,
    Status,
    Urgency,
)
from citybrain.kernel.records import Text

# Which language of the city an info is in (RFC 3066, as CAP asks).
TAGS: Mapping[str, str] = {"zh": "zh-CN", "en": "en-US"}


class Around(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All within some kilometres of a place."""

    longitude: float
    latitude: float
    radius_km: float


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warning to be let out, in one or both languages of the city. Times have an offset.

    `polygons` are rings of longitude and latitude, as GeoJSON has them. `replaces` are identifiers of earlier
    warnings of the city; with `is_over` these are called off, else this one takes their place.
    """

    event: Text
    area: Text
    urgency: Urgency
    severity: Harm
    certainty: Certainty
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    categories: tuple[Category, ...] = (Category.SAFETY,)
    responses: tuple[ResponseType, ...] = ()
    headline: Text = {}
    description: Text = {}
    instruction: Text = {}
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[Around, ...] = ()
    status: Status = Status.ACTUAL
    replaces: tuple[str, ...] = ()
    is_over: bool = False


def sender_of(address: str) -> str:
    """The city's name as a sender: unique by its host (section 3.2.1)."""
    return f"citybrain@{urlsplit(address).hostname or 'localhost'}"


def compose(draft: Draft, *, sender: str, identifier: str, sent: datetime, references: Sequence[Reference]) -> Alert:
    """The alert of a draft: one info for each language that its event is told in."""
    of = MsgType.CANCEL if draft.is_over else MsgType.UPDATE if references else MsgType.ALERT
    return Alert(
        identifier=identifier,
        sender=sender,
        sent=sent.replace(microsecond=0),
        status=draft.status,
        msg_type=of,
        references=tuple(references),
        note="exercise" if draft.status is Status.EXERCISE else "",
        infos=tuple(_info(draft, lang) for lang in TAGS if draft.event.get(lang)),
    )


def _info(draft: Draft, lang: str) -> Info:
    return Info(
        language=TAGS[lang],
        categories=draft.categories,
        event=_said(draft.event, lang),
        responses=draft.responses,
        urgency=draft.urgency,
        severity=draft.severity,
        certainty=draft.certainty,
        expires=draft.expires_at.replace(microsecond=0),
        headline=_said(draft.headline, lang),
        description=_said(draft.description, lang),
        instruction=_said(draft.instruction, lang),
        areas=(_area(draft, lang),),
    )


def _area(draft: Draft, lang: str) -> Area:
    return Area(
        description=_said(draft.area, lang),
        polygons=tuple(_ring(each) for each in draft.polygons),
        circles=tuple(Circle((each.latitude, each.longitude), each.radius_km) for each in draft.circles),
    )


def _ring(points: Sequence[tuple[float, float]]) -> Ring:
    """Seven digits are a centimetre."""
    return tuple((round(lat, 7), round(lon, 7)) for lon, lat in points)


def _said(text: Text, lang: str) -> str:
    """A text in a language, else in the other: a warning with the wrong language is better than none."""
    return (text.get(lang) or next((each for each in text.values() if each), "")).strip()
