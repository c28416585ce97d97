# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.evaluate import is_true
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.subscriptions.equality import equality_of, keys_of

# fmt: off
QUESTIONS = [
    ("power==40",             True),
    ('name=="a"',             True),
    ("state==on",             True),
    ("near==urn:post:1",      True),
    ("power==40,50",          True),
    ("power>3;power==40",     True),
    ("power>40",              False),
    ("power!=40",             False),
    ("power==40|power==50",   False),
    ("power.of==40",          False),
    ("near{height}==40",      False),
    ("power[a]==40",          False),
    ("power==40..50",         False),
    ("createdAt==2026-05-01T12:00:00Z", False),
    ("power",                 False),
]
# fmt: on


@pytest.mark.parametrize(("text", "insists"), QUESTIONS)
def test_only_what_insists_on_a_plain_value_is_looked_up(text: str, insists: bool) -> None:
    assert (equality_of(read_query({"q": text}, CORE).q) is not None) is insists


VALUES = st.one_of(
    st.sampled_from([1, 1.0, "1", True, None, "urn:post:1", {"@value": 1}, {"a": 1}, ["1", 1], [{"@value": 1}], [], ""])
)


LINKS = st.sampled_from(["urn:post:1", "urn:post:2", ["urn:post:1", "urn:x"]])
LISTED = st.sampled_from([["urn:post:1"], [{"object": "urn:post:1"}], []])
INSTANCES = st.one_of(
    st.builds(Instance, type=st.just(AttributeType.RELATIONSHIP), value=LINKS),
    st.builds(Instance, type=st.just(AttributeType.LIST_RELATIONSHIP), value=LISTED),
    *(
        st.builds(Instance, type=st.just(kind), value=VALUES)
        for kind in AttributeType
        if kind not in (AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP)
    ),
)


@given(st.lists(INSTANCES, max_size=2), st.sampled_from(["v==1", 'v=="1"', "v==urn:post:1", 'v=="",1']))
def test_nothing_that_holds_is_missed_by_looking_it_up(instances: list[Instance], text: str) -> None:
    document = Document(id="urn:x", types=("X",), attributes={"v": tuple(instances)})
    question = read_query({"q": text}, CORE).q
    equality = equality_of(question)
    assert question is not None and equality is not None
    keys = keys_of(document, "v")
    if is_true(document, question):
        assert keys is None or not equality.keys.isdisjoint(keys)
