# SPDX-License-Identifier: Apache-2.0
"""The projection language of pick and omit."""

import pytest

from citybrain.kernel.entities.projection import Projection, read_projection
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import CORE

P = Projection

# fmt: off
PROJECTIONS = [
    ("name",                    P({"name": P()})),
    ("id,name",                 P({"id": P(), "name": P()})),
    ("id|name",                 P({"id": P(), "name": P()})),
    (" name , speed ",          P({"name": P(), "speed": P()})),
    ("owner{name}",             P({"owner": P({"name": P()})})),
    ("a,owner{id,at{name|b}},c", P({"a": P(), "owner": P({"id": P(), "at": P({"name": P(), "b": P()})}), "c": P()})),
    ("owner{a},owner{b}",       P({"owner": P({"a": P(), "b": P()})})),
    ("https://city.example/x",  P({"https://city.example/x": P()})),
]
# fmt: on


@pytest.mark.parametrize(("text", "projection"), PROJECTIONS)
def test_members_are_read_with_those_of_linked_entities(text: str, projection: Projection) -> None:
    assert read_projection(text, CORE, parameter="pick") == projection


def test_only_members_within_members_need_linked_entities() -> None:
    assert read_projection("owner{name}", CORE, parameter="pick").has_linked
    assert not read_projection("owner,name", CORE, parameter="pick").has_linked


@pytest.mark.parametrize(
    "text", ["", "a,,b", "a||b", ",a", "a,", "a{", "a{}", "a}", "a{b", "a{b}}", "a b", "9a", "{a}", "a{" * 50]
)
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_projection(text, CORE, parameter="pick")
    assert refusal.value.code == "kernel.projection_unreadable"
    assert refusal.value.facts["parameter"] == "pick"
