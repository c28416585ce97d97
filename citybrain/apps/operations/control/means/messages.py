# SPDX-License-Identifier: Apache-2.0
"""What is told to the public and between offices: each goes to the contacts of a role, by their channels. Pure."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from citybrain.apps.operations.control.means.acts import ALL_CLEAR, INFORM, TAKEN, Act, Verb, message
from citybrain.apps.operations.control.means.parameters import Id, Minutes, Name, Note, OfOrder, Said, Words
from citybrain.kernel.app import Effect, Means

CAP_ALERT, CAP_CANCEL = "information.cap_alert", "information.cap_cancel"
CAP_ISSUE = "cap.issue"


class Navigation(msgspec.Struct, frozen=True, kw_only=True):
    """What navigation services tell drivers of a place, and for how long."""

    kind: Literal["closed", "slow", "detour", "restricted", "event"]
    text: Words
    text_en: Note = ""
    minutes: Minutes = 60


class Public(msgspec.Struct, frozen=True, kw_only=True):
    """What phones in an area are told: all within so many kilometres of the place."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    text_en: Annotated[str, msgspec.Meta(max_length=500)] = ""
    radius_km: Annotated[float, msgspec.Meta(ge=0.1, le=100.0)] = 2.0


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """A call in which those who command meet: where to join, and what it is about."""

    link: Name
    text: Words


class TalkGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A talk group of the trunked radio for those who work at the place."""

    talk_group: Name
    members: Note = ""


class CallIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is called to duty, where, and in how many minutes."""

    text: Words
    minutes: Minutes = 60


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle whose owner is asked to move it, by its plate, through the service that knows the owner."""

    plate: Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
    text: Note = ""


class Hospitals(msgspec.Struct, frozen=True, kw_only=True):
    """How many people hospitals must expect, and how badly hurt."""

    hurt: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    badly_hurt: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    text: Note = ""


class CapAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A public warning in CAP 1.2. `status` must be said: an exercise is none in earnest."""

    status: Literal["Actual", "Exercise", "Test"]
    event: Name
    event_en: Annotated[str, msgspec.Meta(max_length=200)] = ""
    text: Words
    text_en: Note = ""
    advice: Note = ""
    advice_en: Note = ""
    area: Name
    radius_km: Annotated[float, msgspec.Meta(ge=0.0, le=500.0)] = 5.0
    category: Literal[
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "Other"
    ] = "Safety"
    urgency: Literal["Immediate", "Expected", "Future"] = "Immediate"
    harm: Literal["Extreme", "Severe", "Moderate", "Minor"] = "Severe"
    certainty: Literal["Observed", "Likely", "Possible"] = "Observed"
    minutes: Minutes = 120


class CapCancel(msgspec.Struct, frozen=True, kw_only=True):
    """The order of the warning that is called off."""

    order: Id


_PUBLIC: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("information.navigation_notice", "navigation", Navigation),
    ("information.radio", "radio", Said),
    ("information.television", "television", Said),
    ("information.sms", "public_sms", Public),
    ("information.app_push", "city_app", Public),
    ("information.social_media", "social_media", Said),
    ("information.bus_displays", "bus_displays", Said),
    ("information.loudspeakers", "loudspeakers", Said),
)
_BETWEEN_OFFICES: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("information.hotline_answer", "hotline", Said),
    ("information.schools", "schools", Said),
    ("information.hospitals", "hospitals", Hospitals),
    ("information.neighbours", "neighbours", Said),
    ("parking.ask_to_move", "move_car", Move),
    ("communications.conference", "command_group", Meeting),
    ("communications.talk_group", "radio_control", TalkGroup),
    ("communications.call_in", "reserve", CallIn),
    ("administration.notify_leader", "leader", Said),
)


def _warning(name: str, parameters: type[msgspec.Struct], undone_by: str) -> Act:
    """A means that the door for warnings carries out."""
    return Act(
        means=Means(
            name=name,
            permission=CAP_ISSUE,
            parameters=parameters,
            undone_by=undone_by,
            undo=(lambda order: {"order": order.id}) if undone_by else None,
            group="information",
            effect=Effect(attribute="cap.in_force", becomes="ordered", within=timedelta(minutes=1)),
            precondition="operations.before_warning",
        )
    )


ACTS: tuple[Act, ...] = (
    *(message(name, role, parameters) for name, role, parameters in _PUBLIC),
    *(message(name, role, parameters, public=False) for name, role, parameters in _BETWEEN_OFFICES),
    _warning(CAP_ALERT, CapAlert, CAP_CANCEL),
    _warning(CAP_CANCEL, CapCancel, ""),
    Act(
        means=Means(
            name=ALL_CLEAR,
            permission=INFORM,
            parameters=OfOrder,
            undone_by="",
            group="information",
            effect=Effect(attribute=TAKEN, becomes="above", value=0.0, within=timedelta(minutes=1)),
            precondition="operations.before_message",
        ),
        how=Verb(name="all_clear"),
    ),
)
