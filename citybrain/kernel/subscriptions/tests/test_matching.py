# SPDX-License-Identifier: Apache-2.0
from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import AttributeType, Document, EntityChange, Instance
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.compiled import Compiled, compiled
from citybrain.kernel.subscriptions.matching import Matcher
from citybrain.kernel.subscriptions.reading import read_subscription
from citybrain.kernel.subscriptions.subscription import Kind
from citybrain.kernel.subscriptions.tests.scene import NOON, lamp, wanted


def subscription(number: int = 1, **members: Json) -> Compiled:
    payload = wanted("http://there/n", **members)
    read = read_subscription(payload, CORE, tenant="", kind=Kind.ENTITIES, id=f"urn:s:{number}")
    return compiled(msgspec.structs.replace(read, number=number), CORE, CORE)


def told(one: Compiled, change: EntityChange, others: dict[str, Document] | None = None) -> bool:
    matcher = Matcher()
    matcher.put(one)
    return bool(matcher.match(change, (others or {}).get))


BEFORE = lamp("urn:lamp:1", power=40, on=True)
BORN = verbs.create("", BEFORE, NOON)
GONE = verbs.delete(BEFORE, tenant="", at=NOON)
DIMMED = verbs.replace(BEFORE, lamp("urn:lamp:1", power=20, on=True), tenant="", at=NOON)
NAMED = verbs.replace(BEFORE, lamp("urn:lamp:1", power=40, on=True, name="a"), tenant="", at=NOON)
BARE = verbs.delete_attribute(BEFORE, "power", tenant="", at=NOON, dataset_id="", delete_all=False)

# fmt: off
TRIGGERS = [
    (["entityCreated"],    {"born"}),
    (["entityUpdated"],    {"dimmed", "named", "bare"}),
    (["entityDeleted"],    {"gone"}),
    (["attributeCreated"], {"born", "named"}),
    (["attributeUpdated"], {"dimmed", "named"}),
    (["attributeDeleted"], {"bare", "gone"}),
    (["entityDeleted", "attributeCreated"], {"born", "gone", "named"}),
]
# fmt: on


@pytest.mark.parametrize(("triggers", "expected"), TRIGGERS)
def test_each_trigger_tells_of_what_its_name_says(triggers: list[str], expected: set[str]) -> None:
    changes = {"born": BORN, "gone": GONE, "dimmed": DIMMED, "named": NAMED, "bare": BARE}
    one = subscription(notificationTrigger=triggers)
    assert {name for name, change in changes.items() if told(one, change)} == expected


def test_without_triggers_new_and_changed_attributes_are_told_but_no_end() -> None:
    one = subscription()
    assert told(one, BORN) and told(one, DIMMED)
    assert not told(one, GONE) and not told(one, BARE)


# fmt: off
CONDITIONS: list[tuple[dict[str, Json], bool, str]] = [
    ({},                                                        True,  "any lamp"),
    ({"entities": [{"type": "Road"}]},                          False, "another type"),
    ({"entities": [{"type": "*"}]},                             True,  "any type"),
    ({"entities": [{"type": "Road|Lamp"}]},                     True,  "one of two types"),
    ({"entities": [{"type": "(Road;Lamp)"}]},                   False, "both types at once"),
    ({"entities": [{"type": "Lamp", "id": "urn:lamp:1"}]},      True,  "its id"),
    ({"entities": [{"type": "Lamp", "id": "urn:lamp:2"}]},      False, "another id"),
    ({"entities": [{"type": "Road", "id": "urn:lamp:1"}]},      False, "its id, but another type"),
    ({"entities": [{"type": "Lamp", "idPattern": "lamp:[1-3]$"}]}, True, "a pattern of its id"),
    ({"entities": [{"type": "Lamp", "idPattern": "^lamp"}]},    False, "a pattern that it does not have"),
    ({"entities": [{"type": "Road"}, {"type": "Lamp"}]},        True,  "the second selector"),
    ({"watchedAttributes": ["power"]},                          True,  "what changed is watched"),
    ({"watchedAttributes": ["on"]},                             True,  "on was written again, that is an update too"),
    ({"watchedAttributes": ["colour"]},                         False, "something else is watched"),
    ({"q": "power<30"},                                         True,  "the value after the change counts"),
    ({"q": "power>30"},                                         False, "the value before the change does not"),
    ({"q": "power%3C30"},                                       True,  "a query may be percent-encoded"),
    ({"scopeQ": "/Town/#"},                                     False, "it has no scope"),
    ({"isActive": False},                                       False, "paused"),
    ({"timeInterval": 5},                                       False, "asks by interval"),
    ({"expiresAt": "2026-05-01T12:00:00Z"},                     False, "expired this moment"),
    ({"expiresAt": "2026-05-01T12:00:01Z"},                     True,  "expires in a second"),
]
# fmt: on


@pytest.mark.parametrize(("members", "is_told", "why"), CONDITIONS)
def test_a_change_is_told_to_those_it_concerns(members: dict[str, Json], is_told: bool, why: str) -> None:
    assert told(subscription(**members), DIMMED) is is_told, why


def test_attributes_alone_may_be_watched_whatever_has_them() -> None:
    payload = wanted("http://there/n", watchedAttributes=["power"])
    del payload["entities"]
    read = read_subscription(payload, CORE, tenant="", kind=Kind.ENTITIES, id="urn:s:1")
    assert told(compiled(read, CORE, CORE), DIMMED)


def test_a_query_may_look_at_linked_entities() -> None:
    link = Instance(type=AttributeType.RELATIONSHIP, value="urn:post:1")
    linked = msgspec.structs.replace(BEFORE, attributes={"fixedTo": (link,)})
    post = Document(
        id="urn:post:1", types=("Post",), attributes={"height": (Instance(type=AttributeType.PROPERTY, value=6),)}
    )
    one = subscription(q="fixedTo{height}>5")
    assert told(one, verbs.create("", linked, NOON), {post.id: post})
    assert not told(one, verbs.create("", linked, NOON))


def test_another_tenant_hears_nothing() -> None:
    assert not told(subscription(), msgspec.structs.replace(DIMMED, tenant="other"))


def test_a_subscription_that_is_dropped_or_changed_is_not_found_where_it_was() -> None:
    matcher = Matcher()
    matcher.put(subscription(1))
    matcher.put(subscription(1, entities=[{"type": "Road"}]))
    assert len(matcher) == 1 and not matcher.match(DIMMED, lambda _: None)
    matcher.drop(1)
    matcher.drop(1)
    assert len(matcher) == 0


TYPES = st.sampled_from(["Lamp", "Road", "Lamp|Road", "Lamp;Road", "*"])
SELECTORS = st.fixed_dictionaries({"type": TYPES}, optional={"id": st.sampled_from(["urn:lamp:1", "urn:lamp:2"])})
MEMBERS = st.fixed_dictionaries(
    {"entities": st.lists(SELECTORS, min_size=1, max_size=3)},
    optional={
        "watchedAttributes": st.lists(st.sampled_from(["power", "on", "name"]), min_size=1, max_size=2),
        "notificationTrigger": st.lists(st.sampled_from([each[0][0] for each in TRIGGERS[:6]]), min_size=1),
        "q": st.sampled_from(
            [
                "power>30",
                "on==true",
                "power==40",
                "power==20,40",
                'name=="a"',
                "power==40;on==true",
                "power==1|on==true",
            ]
        ),
    },
)


@given(
    st.lists(MEMBERS, max_size=8), st.sampled_from([BORN, GONE, DIMMED, NAMED, BARE]), st.sampled_from(["Lamp", "Road"])
)
def test_the_index_finds_exactly_those_that_asking_each_would_find(
    several: list[dict[str, Json]], change: EntityChange, also: str
) -> None:
    before, after = (_typed(each, also) for each in (change.before, change.after))
    change = msgspec.structs.replace(change, before=before, after=after)
    ones = [subscription(number, **members) for number, members in enumerate(several, 1)]
    matcher = Matcher()
    for one in ones:
        matcher.put(one)
    document = after or before
    assert document is not None
    expected = [one for one in ones if one.triggered(change) and one.holds(document, lambda _: None)]
    assert matcher.match(change, lambda _: None) == expected


def _typed(document: Document | None, also: str) -> Document | None:
    return document and msgspec.structs.replace(document, types=tuple(dict.fromkeys((*document.types, also))))


def test_a_change_after_the_end_of_a_subscription_is_judged_by_the_time_of_the_change() -> None:
    one = subscription(expiresAt="2026-05-01T12:00:01Z")
    late = msgspec.structs.replace(DIMMED, at=datetime.fromisoformat("2026-05-01T12:00:02Z"))
    assert told(one, DIMMED) and not told(one, late)
