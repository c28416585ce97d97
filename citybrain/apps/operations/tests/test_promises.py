# SPDX-License-Identifier: Apache-2.0
"""What each means promises can be kept and missed, judged by the values that it is about."""

import msgspec
import pytest

from citybrain.apps.operations.control.means import CATALOGUE
from citybrain.apps.operations.control.means.acts import PROGRESS, TAKEN, Act, Command, Message, Task
from citybrain.apps.operations.control.progress import PROGRESS_OF
from citybrain.apps.operations.decide.effects import holds
from citybrain.kernel.records import Json

NAMED = {act.means.name: act for act in CATALOGUE}
EACH = pytest.mark.parametrize("act", CATALOGUE, ids=NAMED)
SEEN = [act for act in CATALOGUE if act.means.effect is not None and act.means.effect.becomes != "ordered"]
UNUSUAL = -273.0
MUCH = 1e6


def parameters(act: Act) -> dict[str, Json]:
    """Any value for each parameter: a promise must not care of which kind it is."""
    return {each.encode_name: 30.0 for each in msgspec.structs.fields(act.means.parameters)}


@EACH
def test_a_promise_is_kept_by_some_value_and_missed_by_another(act: Act) -> None:
    effect = act.means.effect
    assert effect is not None
    given = parameters(act)
    if effect.becomes == "ordered":
        assert holds(effect, None, None, given) is True
        return
    wanted = 30.0 if isinstance(effect.value, str) and effect.value.startswith("{") else effect.value
    values: list[Json] = [wanted, UNUSUAL, MUCH, 0.0]
    said = {holds(effect, before, after, given) for before in values for after in values}
    assert {True, False} <= said


@pytest.mark.parametrize("act", SEEN, ids=[act.means.name for act in SEEN])
def test_nobody_says_that_a_promise_was_kept_when_nothing_is_known(act: Act) -> None:
    effect = act.means.effect
    assert effect is not None
    assert holds(effect, None, None, parameters(act)) is None


@EACH
def test_it_is_about_what_its_executor_can_show(act: Act) -> None:
    effect = act.means.effect
    assert effect is not None
    match act.how:
        case Task():
            assert effect.attribute == PROGRESS
            reached = {state for state, step in PROGRESS_OF.items() if holds(effect, None, step, {})}
            assert "done" in reached
            assert not reached & {"ordered", "refused", "recalled"}
        case Message():
            assert effect.attribute == TAKEN
            assert holds(effect, None, 1.0, {}) is True
            assert holds(effect, None, 0.0, {}) is False
        case Command(attribute=attribute):
            assert effect.attribute == attribute
