# SPDX-License-Identifier: Apache-2.0
"""Warnings in force as an Atom feed (RFC 4287), each with its CAP message: pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import msgspec

from citybrain.doors.cap.model import Alert
from citybrain.doors.cap.places import descriptions
from citybrain.doors.cap.writing import DECLARATION, MEDIA_TYPE, element, escaped

ATOM = "application/atom+xml"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A warning and when the city took it in."""

    alert: Alert
    received_at: datetime


def address(root: str, alert: Alert) -> str:
    """Where a message is found."""
    sender = urlencode({"sender": alert.sender})
    return f"{root}/alerts/{quote(alert.identifier, safe='')}?{sender}"


def feed(entries: Sequence[Entry], *, root: str, itself: str, title: str, author: str) -> bytes:
    """The feed; `root` is the address of the door, `itself` that of the feed. Equal entries give equal bytes.

    It was updated when the newest entry came, so that a feed without news does not change.
    """
    updated = max((each.received_at for each in entries), default=_EPOCH)
    lines = [
        f'{DECLARATION}<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{_attribute(itself)}</id>",
        f"<title>{escaped(title)}</title>",
        f"<updated>{_moment(updated)}</updated>",
        f"<author><name>{escaped(author)}</name></author>",
        f'<link rel="self" type="{ATOM}" href="{_attribute(itself)}"/>',
        "<generator>citybrain</generator>",
        *(_entry(each, root) for each in entries),
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def _entry(entry: Entry, root: str) -> str:
    """The id carries the time at which a message was sent, which its address need not."""
    alert = entry.alert
    here = address(root, alert)
    identity = f"{here}&{urlencode({'sent': alert.sent.astimezone(UTC).isoformat()})}"
    first = alert.infos[0] if alert.infos else None
    areas = descriptions(area for info in alert.infos for area in info.areas)
    summary = (first.headline or first.description) if first else alert.note
    title = (first.headline or first.event) if first else alert.identifier
    categories = dict.fromkeys(category for info in alert.infos for category in info.categories)
    lines = [
        "<entry>",
        f"<id>{_attribute(identity)}</id>",
        f"<title>{escaped(title)}</title>",
        f"<updated>{_moment(entry.received_at)}</updated>",
        f"<published>{_moment(alert.sent)}</published>",
        f"<author><name>{escaped((first.sender_name if first else '') or alert.sender)}</name></author>",
        f'<link rel="alternate" type="{MEDIA_TYPE}" href="{_attribute(here)}"/>',
        *(f'<category term="{category.value}"/>' for category in categories),
        f"<summary>{escaped(' · '.join(part for part in (summary, '; '.join(areas)) if part))}</summary>",
        f'<content type="{MEDIA_TYPE}">',
        element(alert),
        "</content>",
        "</entry>",
    ]
    return "\n".join(lines)


def _attribute(text: str) -> str:
    return escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
