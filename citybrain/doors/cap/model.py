# SPDX-License-Identifier: Apache-2.0
"""The words of CAP 1.2 (OASIS CAP-v1.2, section 3.2): alert, info, resource and area with all their elements."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS-84: the order of CAP, not of GeoJSON."""

Ring = tuple[Point, ...]
"""A polygon: at least four points, of which the last is the first (section 3.2.4)."""


class Status(StrEnum):
    """How a message is to be handled."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    """What a message is to those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """Whom a message is meant for."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(StrEnum):
    """What an event has to do with."""

    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class ResponseType(StrEnum):
    """What those in the area should do."""

    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(StrEnum):
    """How soon to act."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Harm(StrEnum):
    """How bad it is for life and property: CAP's `severity`."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """How sure it is."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Reference(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An earlier message. CAP 1.0 does not say when it was sent."""

    sender: str
    identifier: str
    sent: datetime | None = None


class Named(msgspec.Struct, frozen=True):
    """A `valueName` and its `value`: an event code, a parameter or a geocode."""

    name: str
    value: str


class Circle(msgspec.Struct, frozen=True):
    """All within `radius_km` of a point."""

    centre: Point
    radius_km: float


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Where: all places together. Heights are feet above mean sea level (section 3.2.4)."""

    description: str
    polygons: tuple[Ring, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude: Decimal | None = None
    ceiling: Decimal | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with an info; `deref_uri` holds it whole, in Base64."""

    description: str
    mime_type: str
    size: int | None = None
    uri: str = ""
    deref_uri: str = ""
    digest: str = ""


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What happens, in one language. "" and () are what was not said."""

    event: str
    urgency: Urgency
    severity: Harm
    certainty: Certainty
    categories: tuple[Category, ...]
    language: str = "en-US"
    responses: tuple[ResponseType, ...] = ()
    audience: str = ""
    event_codes: tuple[Named, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `sender`, `identifier` and `sent` together name it for the whole world."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    msg_type: MsgType
    scope: Scope = Scope.PUBLIC
    source: str = ""
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
