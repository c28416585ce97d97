# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.reading import InvalidSubscription, patched, read_subscription, refuse_past
from citybrain.kernel.subscriptions.showing import show
from citybrain.kernel.subscriptions.subscription import Health, Kind, Status, Subscription, Trigger
from citybrain.kernel.subscriptions.tests.scene import NOON, wanted

URL = "http://127.0.0.1/notify"
TOWN = Context(
    url="http://town/c", json="http://town/c", objects=[{"Lamp": "http://town/Lamp", "power": "http://town/p"}]
)


def read(payload: Json, context: Context = CORE) -> Subscription:
    return read_subscription(payload, context, tenant="", kind=Kind.ENTITIES, id="urn:s:1")


# fmt: off
REFUSED: list[tuple[dict[str, Json], str]] = [
    ({"type": "Lamp"},                                              "type"),
    ({"entities": []},                                              "entities"),
    ({"entities": [{"id": "urn:lamp:1"}]},                          "entities.type"),
    ({"entities": [{"type": "Lamp", "id": "lamp 1"}]},              "entities.id"),
    ({"entities": [{"type": "Lamp", "idPattern": "("}]},            "entities.idPattern"),
    ({"watchedAttributes": []},                                     "watchedAttributes"),
    ({"throttling": -30},                                           "throttling"),
    ({"throttling": 5, "timeInterval": 5},                          "throttling"),
    ({"timeInterval": 5, "watchedAttributes": ["power"]},           "watchedAttributes"),
    ({"timeInterval": True},                                        "timeInterval"),
    ({"notificationTrigger": ["entityChanged"]},                    "notificationTrigger"),
    ({"isActive": "yes"},                                           "isActive"),
    ({"expiresAt": "tomorrow"},                                     "expiresAt"),
    ({"q": 5},                                                      "q"),
    ({"q": None},                                                   "q"),
    ({"geoQ": {"georel": "within"}},                                "geoQ.geometry"),
    ({"temporalQ": {"timerel": "soon"}},                            "temporalQ.timerel"),
    ({"datasetId": ["french"]},                                     "datasetId"),
    ({"jsonldContext": "unknown"},                                  "jsonldContext"),
    ({"notification": {"format": "long"}},                          "notification.format"),
    ({"notification": {"attributes": []}},                          "notification.attributes"),
    ({"notification": {"pick": ["power"], "omit": ["power"]}},      "notification.omit"),
    ({"notification": {"pick": ["power"], "attributes": ["on"]}},   "notification.attributes"),
    ({"notification": {"format": "simplified", "showChanges": True}}, "notification.showChanges"),
    ({"notification": {"join": "inside"}},                          "notification.join"),
    ({"notification": {"joinLevel": 0}},                            "notification.joinLevel"),
    ({"endpoint": {"accept": "text/html"}},                         "notification.endpoint.accept"),
    ({"endpoint": {"uri": "ftp://there/x"}},                        "notification.endpoint.uri"),
    ({"endpoint": {"uri": "mqtt://there"}},                         "notification.endpoint.uri"),
    ({"endpoint": {"timeout": 0}},                                  "notification.endpoint.timeout"),
    ({"endpoint": {"receiverInfo": [{"key": "K", "value": 42}]}},   "notification.endpoint.receiverInfo"),
    ({"endpoint": {"receiverInfo": [{"key": "K", "value": "a\r\nB: c"}]}}, "notification.endpoint.receiverInfo"),
    ({"endpoint": {"notifierInfo": [{"key": "K"}]}},                "notification.endpoint.notifierInfo"),
]
# fmt: on


@pytest.mark.parametrize(("members", "member"), REFUSED)
def test_what_the_standard_does_not_allow_is_refused_by_its_place(members: dict[str, Json], member: str) -> None:
    with pytest.raises(InvalidSubscription) as refusal:
        read(wanted(URL, **members))
    assert refusal.value.facts["member"] == member


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "entities", "notification", "endpoint", "uri", "q", "geoQ", "id", "expiresAt"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_subscription_or_refused(payload: Json) -> None:
    try:
        assert read(payload).params.endpoint.uri
    except InvalidSubscription as refusal:
        assert refusal.facts["rule"]


def test_names_are_kept_as_internal_names_and_shown_in_the_terms_of_who_asks() -> None:
    read_in_town = read(
        wanted(
            URL,
            entities=[{"type": "(Lamp|Post),Thing"}],
            watchedAttributes=["power"],
            notification={"pick": ["id", "power"]},
        ),
        TOWN,
    )
    assert read_in_town.selectors[0].type == "(http://town/Lamp|Post),Thing"
    shown = show(read_in_town, Health(), TOWN, now=NOON)
    assert shown["entities"] == [{"type": "(Lamp|Post),Thing"}]
    assert shown["watchedAttributes"] == ["power"]
    assert shown["notification"]["pick"] == ["id", "power"]
    assert show(read_in_town, Health(), CORE, now=NOON)["watchedAttributes"] == ["http://town/p"]


def test_what_is_usual_is_not_shown_and_what_only_the_city_writes_is_not_read() -> None:
    shown = show(read(wanted(URL, status="expired", timesSent=4)), Health(), CORE, now=NOON)
    assert shown["status"] == "active"
    assert "isActive" not in shown and "timesSent" not in shown["notification"]
    assert shown["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]


def test_a_change_replaces_members_and_null_takes_them_away() -> None:
    before = read(wanted(URL, throttling=5, q="power>3", notificationTrigger=["entityCreated"]))
    after = patched(before, {"q": None, "throttling": 9, "notificationTrigger": None, "isActive": False}, CORE)
    assert (after.q, after.throttling_s, after.status(NOON)) == ("", 9, Status.PAUSED)
    assert after.triggers == (Trigger.ATTRIBUTE_CREATED, Trigger.ATTRIBUTE_UPDATED)
    assert after.selectors == before.selectors


@pytest.mark.parametrize(
    "fragment",
    [
        {"notification": {"format": "concise"}},
        {"notification": None},
        {"type": None},
        {"entities": None},
        {"timeInterval": 5},
        {"id": "urn:s:2"},
        [],
    ],
)
def test_a_change_that_leaves_no_whole_subscription_is_refused(fragment: Json) -> None:
    with pytest.raises(InvalidSubscription):
        patched(read(wanted(URL, throttling=5)), fragment, CORE)


def test_a_subscription_must_not_expire_before_it_begins() -> None:
    late = read(wanted(URL, expiresAt="2026-05-01T11:59:59Z"))
    assert late.status(NOON) is Status.EXPIRED
    with pytest.raises(InvalidSubscription):
        refuse_past(late, NOON)
    refuse_past(late, NOON - timedelta(minutes=1))
