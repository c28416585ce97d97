# SPDX-License-Identifier: Apache-2.0
"""What belongs to the city, and what the city refuses to start with."""

from importlib.metadata import EntryPoint
from pathlib import Path

import msgspec
import pytest

import citybrain.apps
from citybrain.kernel.app import App, Door, Means
from citybrain.serve import catalog
from citybrain.serve.catalog import BrokenPart, DuplicatePart, ForeignName, Place

HERE = Path(__file__).parent


class Nothing(msgspec.Struct):
    """A means without parameters."""


def an_app(
    name: str, *, kinds: tuple[str, ...] = (), means: tuple[Means, ...] = (), subjects: tuple[str, ...] = ()
) -> App:
    return App(name=name, folder=HERE, kinds=kinds, means=means, subjects=subjects)


def place(value: str) -> Place:
    return Place(package="neighbour", load=EntryPoint("neighbour", value, "citybrain.apps").load)


def test_every_folder_of_an_app_is_in_the_catalog() -> None:
    assert citybrain.apps.__file__ is not None
    folders = {init.parent.name for init in Path(citybrain.apps.__file__).parent.glob("*/__init__.py")}
    assert {app.name for app in catalog.apps()} >= folders


def test_asking_twice_gives_the_same_parts() -> None:
    assert catalog.apps() is catalog.apps()
    assert catalog.doors() is catalog.doors()


# fmt: off
BROKEN = [
    ("no_such_package.app:APP",          "ModuleNotFoundError", "it cannot be imported"),
    ("citybrain.kernel.app:NO_SUCH",     "AttributeError",      "the module has no such value"),
    ("citybrain.kernel.i18n:LANGUAGES",  "tuple instead of App", "the value is something else"),
]
# fmt: on


@pytest.mark.parametrize(("value", "detail", "why"), BROKEN)
def test_a_broken_package_is_refused_by_its_name(value: str, detail: str, why: str) -> None:
    with pytest.raises(BrokenPart) as refused:
        catalog.load(App, [place(value)])
    assert refused.value.facts["entry_point"] == "neighbour"
    assert detail in str(refused.value.facts["detail"]), why


def test_two_parts_cannot_have_one_name() -> None:
    with pytest.raises(DuplicatePart) as refused:
        catalog.refuse_confusion([an_app("water")], [Door(name="water", folder=HERE)])
    assert refused.value.facts["name"] == "water"


@pytest.mark.parametrize("name", catalog.RESERVED)
def test_no_part_can_take_the_name_of_a_layer(name: str) -> None:
    with pytest.raises(DuplicatePart):
        catalog.refuse_confusion([an_app(name)], [])


def test_a_kind_belongs_to_the_app_it_is_named_after() -> None:
    catalog.refuse_confusion([an_app("water", kinds=("water.too_high",))], [])
    with pytest.raises(ForeignName):
        catalog.refuse_confusion([an_app("water", kinds=("fire.too_hot",))], [])


def test_a_means_belongs_to_the_app_it_is_named_after() -> None:
    foreign = Means(name="traffic.stop", permission="water.open", parameters=Nothing, undone_by="")
    with pytest.raises(ForeignName) as refused:
        catalog.refuse_confusion([an_app("water", means=(foreign,))], [])
    assert refused.value.facts == {"name": "traffic.stop", "owner": "water"}


def test_a_means_may_begin_with_a_subject_of_its_app_and_is_declared_once() -> None:
    gate = Means(name="drainage.set_gate", permission="water.open", parameters=Nothing, undone_by="")
    water = an_app("water", means=(gate,), subjects=("drainage",))
    catalog.refuse_confusion([water], [])
    with pytest.raises(ForeignName):
        catalog.refuse_confusion([water, an_app("canals", means=(gate,), subjects=("drainage",))], [])


def test_a_permission_of_a_door_begins_with_its_name() -> None:
    with pytest.raises(ForeignName):
        catalog.refuse_confusion([], [Door(name="mqtt", folder=HERE, permissions={"city.view": ("public",)})])


def test_words_of_the_refusals_are_there_even_without_apps() -> None:
    sentence = catalog.words().sentence("serve.broken_part", {"entry_point": "neighbour", "detail": "x"}, "en")
    assert "neighbour" in sentence
