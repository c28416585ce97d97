# SPDX-License-Identifier: Apache-2.0
"""Rules between elements (CAP 1.2 section 3.2): those that an alert must keep, and those it should: pure.

`broken` are errors: with them an alert is not taken in. `remarks` are advice; alerts in use break it every day.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from shapely.geometry import Polygon

from citybrain.doors.cap.elements import Version
from citybrain.doors.cap.model import Alert, Area, Info, MsgType, Resource, Ring, Scope, Status
from citybrain.doors.cap.problems import Problem

# The acts on earlier messages; each needs to say on which (section 3.2.1, msgType).
NEEDS_REFERENCES = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR})
# "If this item is not provided, each recipient is free to set its own policy" (section 3.2.2, expires). Ours.
LASTS_WITHOUT_END = timedelta(hours=24)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_ENTITY = re.compile(r"&(#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,12});")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
_MEDIA = frozenset({"application", "audio", "font", "image", "message", "model", "multipart", "text", "video"})
_TEXTS = ("event", "headline", "description", "instruction", "audience", "contact", "sender_name")


def broken(alert: Alert, version: Version = Version.V12) -> list[Problem]:
    """The rules that an alert must keep and does not. Those on scope and references are of CAP 1.2 alone."""
    problems = [problem for info_path, info in _infos(alert) for problem in _broken_areas(info, info_path)]
    if version is Version.V12:
        problems[:0] = _broken_alert(alert)
    return problems


def _broken_alert(alert: Alert) -> Iterator[Problem]:
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        yield Problem(code="cap.restriction_missing", path="/alert")
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        yield Problem(code="cap.addresses_missing", path="/alert")
    if alert.msg_type in NEEDS_REFERENCES and not alert.references:
        yield Problem(code="cap.references_missing", path="/alert", facts={"type": alert.msg_type.value})
    for reference in alert.references:
        if (reference.sender, reference.identifier, reference.sent) == (alert.sender, alert.identifier, alert.sent):
            yield Problem(code="cap.references_itself", path="/alert/references")


def _broken_areas(info: Info, path: str) -> Iterator[Problem]:
    for number, area in enumerate(info.areas, 1):
        here = f"{path}/area[{number}]"
        if area.ceiling is not None and area.altitude is None:
            yield Problem(code="cap.ceiling_alone", path=here)
        elif area.ceiling is not None and area.altitude is not None and area.altitude > area.ceiling:
            yield Problem(code="cap.ceiling_below_altitude", path=here)


def remarks(alert: Alert) -> list[Problem]:
    """What an alert should do and does not."""
    found = list(_remarks_on_alert(alert))
    for path, info in _infos(alert):
        for look in _LOOKS:
            found += look(alert, info, path)
    return found


def _remarks_on_alert(alert: Alert) -> Iterator[Problem]:
    if alert.restriction and alert.scope is not Scope.RESTRICTED:
        yield Problem(code="cap.restriction_idle", path="/alert/restriction")
    if alert.status is Status.EXERCISE and not alert.note:
        yield Problem(code="cap.note_missing", path="/alert", facts={"of": alert.status.value})
    if alert.msg_type is MsgType.ERROR and not alert.note:
        yield Problem(code="cap.note_missing", path="/alert", facts={"of": alert.msg_type.value})
    if any(each.sent and each.sent > alert.sent for each in alert.references):
        yield Problem(code="cap.references_later", path="/alert/references")
    if alert.msg_type in (MsgType.ALERT, MsgType.UPDATE) and not alert.infos:
        yield Problem(code="cap.info_missing", path="/alert")


def _on_times(alert: Alert, info: Info, path: str) -> Iterator[Problem]:
    begins: datetime = info.effective or alert.sent
    if info.expires and info.expires <= begins:
        yield Problem(code="cap.expires_early", path=f"{path}/expires")
    if info.expires is None:
        yield Problem(code="cap.expires_missing", path=path, facts={"hours": LASTS_WITHOUT_END // timedelta(hours=1)})


def _on_texts(_alert: Alert, info: Info, path: str) -> Iterator[Problem]:
    for name in _TEXTS:
        text: str = getattr(info, name)
        if _TAG.search(text) or _ENTITY.search(text):
            yield Problem(code="cap.text_has_html", path=f"{path}/{_camel(name)}")


def _on_links(_alert: Alert, info: Info, path: str) -> Iterator[Problem]:
    if info.web and not _is_absolute(info.web):
        yield Problem(code="cap.web_not_absolute", path=f"{path}/web")
    for number, resource in enumerate(info.resources, 1):
        yield from _on_resource(resource, f"{path}/resource[{number}]")


def _on_resource(resource: Resource, path: str) -> Iterator[Problem]:
    if resource.mime_type.partition("/")[0] not in _MEDIA or "/" not in resource.mime_type:
        yield Problem(code="cap.mime_type_unusable", path=path, facts={"value": resource.mime_type[:80]})
    if resource.uri and not resource.deref_uri and not _is_absolute(resource.uri):
        yield Problem(code="cap.uri_not_absolute", path=path)
    if resource.deref_uri and not _BASE64.fullmatch(resource.deref_uri):
        yield Problem(code="cap.deref_not_base64", path=path)
    if resource.digest and not _SHA1.fullmatch(resource.digest):
        yield Problem(code="cap.digest_not_sha1", path=path)


def _on_areas(_alert: Alert, info: Info, path: str) -> Iterator[Problem]:
    if not info.areas:
        yield Problem(code="cap.area_missing", path=path)
    for number, area in enumerate(info.areas, 1):
        yield from _on_area(area, f"{path}/area[{number}]")


def _on_area(area: Area, path: str) -> Iterator[Problem]:
    if not (area.polygons or area.circles or area.geocodes):
        yield Problem(code="cap.area_only_words", path=path)
    for number, ring in enumerate(area.polygons, 1):
        if not _is_simple(ring):
            yield Problem(code="cap.polygon_crosses_itself", path=f"{path}/polygon[{number}]")


_LOOKS: tuple[Callable[[Alert, Info, str], Iterator[Problem]], ...] = (_on_times, _on_texts, _on_links, _on_areas)


def _infos(alert: Alert) -> Iterator[tuple[str, Info]]:
    for number, info in enumerate(alert.infos, 1):
        yield f"/alert/info[{number}]", info


def _is_simple(ring: Ring) -> bool:
    return bool(Polygon([(lon, lat) for lat, lon in ring]).is_valid)


def _is_absolute(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
