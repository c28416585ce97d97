# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.selection import read_scopes, read_types
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import CORE

# fmt: off
TYPES = [
    ("Building",                  ["Building"],            True),
    ("Building,House",            ["House"],               True),
    ("Building|House",            ["House", "Other"],      True),
    ("(Home;Vehicle)",            ["Home"],                False),
    ("(Home;Vehicle)",            ["Vehicle", "Home"],     True),
    ("(Home;Vehicle)|Motorhome",  ["Motorhome"],           True),
    ("(Home;Vehicle),Motorhome",  ["Home"],                False),
    ("Home;Vehicle",              ["Home"],                False),
    ("((A|B);C)",                 ["B", "C"],              True),
    ("((A|B);C)",                 ["A", "B"],              False),
    ("*",                         ["Anything"],            True),
    ("https://x.org/t#A",         ["https://x.org/t#A"],   True),
]
SCOPES = [
    ("/Madrid",                                   ["/Madrid"],                         True),
    ("/Madrid",                                   ["/Madrid/Gardens"],                 False),
    ("/Madrid/Gardens/#",                         ["/Madrid/Gardens"],                 True),
    ("/Madrid/Gardens/#",                         ["/Madrid/Gardens/North/Parterre1"], True),
    ("/Madrid/Gardens/#",                         ["/Madrid"],                         False),
    ("/Madrid/+/ParqueNorte",                     ["/Madrid/Sights/ParqueNorte"],      True),
    ("/Madrid/+/ParqueNorte",                     ["/Madrid/ParqueNorte"],             False),
    ("(/Madrid/Districts;/CompanyA)",             ["/CompanyA"],                       False),
    ("(/Madrid/Districts;/CompanyA)",             ["/CompanyA", "/Madrid/Districts"],  True),
    ("(/Madrid/Districts;/CompanyA)|CompanyB",    ["/CompanyB"],                       True),
    ("(/Madrid/Districts;/CompanyA),CompanyB",    ["/CompanyB"],                       True),
    ("/#",                                        ["/Any"],                            True),
    ("/#",                                        [],                                  False),
    ("/四川/+/#",                                 ["/四川/成都/武侯"],                 True),
]
# fmt: on


@pytest.mark.parametrize(("selection", "types", "meant"), TYPES)
def test_types_are_selected_as_clause_4_17_says(selection: str, types: list[str], meant: bool) -> None:
    assert read_types(selection, CORE).select(types) is meant


@pytest.mark.parametrize(("selection", "scopes", "meant"), SCOPES)
def test_scopes_are_selected_as_clause_4_19_says(selection: str, scopes: list[str], meant: bool) -> None:
    assert read_scopes(selection).select(scopes) is meant


@pytest.mark.parametrize("selection", ["", "A,", "(A;B", "A)", ";A", "A B", "A,,B"])
def test_a_selection_of_types_that_cannot_be_read_is_refused(selection: str) -> None:
    with pytest.raises(BadRequestData):
        read_types(selection, CORE)


@pytest.mark.parametrize("selection", ["", "/", "/a/#/b", "/a;", "(/a", "//a"])
def test_a_selection_of_scopes_that_cannot_be_read_is_refused(selection: str) -> None:
    with pytest.raises(BadRequestData):
        read_scopes(selection)


@given(st.text(alphabet="AB/#+()|,;* ", max_size=20) | st.text(max_size=20))
def test_no_text_whatever_breaks_the_readers(anything: str) -> None:
    for read in (lambda: read_types(anything, CORE), lambda: read_scopes(anything)):
        try:
            selection = read()
        except Refusal:
            continue
        assert selection.select(["A"]) in (True, False)
