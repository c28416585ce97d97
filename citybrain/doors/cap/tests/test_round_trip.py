# SPDX-License-Identifier: Apache-2.0
"""Whatever an alert says, it comes back as it was written, and is written the same each time."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.doors.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Harm,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import is_in_order
from citybrain.doors.cap.writing import write

EARLIEST, LATEST = datetime.fromisoformat("1000-01-03"), datetime.fromisoformat("9999-12-29")
BLANK = " \t\r\n"
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
texts = st.text(LETTERS, max_size=12).map(lambda text: text.strip(BLANK))
filled = texts.filter(bool)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",<&"), min_size=1, max_size=9)
words = st.text(st.characters(categories=("L", "Zs", "Nd")), min_size=1, max_size=8).filter(
    lambda text: text == " ".join(text.split()) and text != ""
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda at, zone: at.replace(microsecond=0, tzinfo=UTC).astimezone(zone),
    st.datetimes(EARLIEST, LATEST),
    offsets,
)
named = st.builds(Named, texts, texts)
points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
rings = st.lists(points, min_size=3, max_size=5).map(lambda some: (*some, some[0]))
circles = st.builds(Circle, points, st.floats(0, 20_000))
decimals = st.decimals(-1000, 1000, places=2, allow_nan=False)


def some(each: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(each, max_size=most).map(tuple)


heights = st.tuples(decimals, decimals).map(sorted)
areas = st.builds(
    lambda height, **fields: Area(**fields, altitude=height[0], ceiling=height[1]),
    heights,
    description=texts,
    polygons=some(rings),
    circles=some(circles),
    geocodes=some(named),
)
resources = st.builds(
    Resource,
    description=texts,
    mime_type=filled,
    size=st.none() | st.integers(0, 10**9),
    uri=texts,
    deref_uri=texts,
    digest=texts,
)
infos = st.builds(
    Info,
    event=filled,
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Harm),
    certainty=st.sampled_from(Certainty),
    categories=st.lists(st.sampled_from(Category), min_size=1, max_size=3).map(tuple),
    language=st.sampled_from(["en-US", "zh-CN", "x"]),
    responses=some(st.sampled_from(ResponseType)),
    event_codes=some(named),
    effective=st.none() | moments,
    expires=st.none() | moments,
    headline=texts,
    description=texts,
    parameters=some(named),
    resources=some(resources),
    areas=some(areas),
)
alerts = st.builds(
    Alert,
    identifier=tokens,
    sender=tokens,
    sent=moments,
    status=st.sampled_from(Status),
    msg_type=st.sampled_from(MsgType),
    scope=st.sampled_from(Scope),
    restriction=filled,
    addresses=st.lists(words, min_size=1, max_size=3).map(tuple),
    codes=some(filled),
    references=st.lists(
        st.builds(Reference, sender=tokens, identifier=tokens.map(lambda text: text + "-"), sent=moments),
        min_size=1,
        max_size=2,
    ).map(tuple),
    incidents=some(words),
    infos=some(infos),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(alerts)
def test_what_is_written_is_read_back_and_in_the_order_of_the_standard(alert: Alert) -> None:
    body = write(alert)
    back = read(body).alert
    assert back == alert
    assert write(back) == body
    assert is_in_order(body)


def test_a_height_keeps_its_digits() -> None:
    area = Area(description="here", altitude=Decimal("1.50"))
    info = Info(
        event="e",
        urgency=Urgency.PAST,
        severity=Harm.MINOR,
        certainty=Certainty.LIKELY,
        categories=(Category.GEO,),
        areas=(area,),
    )
    sent = datetime(2024, 1, 1, tzinfo=UTC)
    alert = Alert(identifier="a", sender="b", sent=sent, status=Status.TEST, msg_type=MsgType.ALERT, infos=(info,))
    assert b"<altitude>1.50</altitude>" in write(alert)
