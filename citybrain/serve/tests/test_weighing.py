# SPDX-License-Identifier: Apache-2.0
"""What branches say together: sign and size decide, and chance is not taken for an effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.errors import Invalid
from citybrain.serve.branching import Figures, Ran
from citybrain.serve.weighing import NO_ACTION, Weighed, change, weigh
from citybrain.serve.whatif_command import read_means


def ran(arm: str, around_s: float, net_s: float, dice: int = 0) -> Ran:
    def figures(delay_s: float) -> Figures:
        return Figures(delay_s=delay_s, queued_mean=delay_s / 60, queued_end=int(delay_s / 60), per_km_s=90.0)

    return Ran(arm=arm, dice=dice, around=figures(around_s), net=figures(net_s), arrived=9, simulated_s=600)


def said(around_s: float, net_s: float) -> Weighed:
    (weighed,) = weigh([ran(NO_ACTION, 1000.0, 10_000.0), ran("means", around_s, net_s)])
    return weighed


@pytest.mark.parametrize(
    ("around_s", "net_s", "code"),
    [
        (500.0, 9_000.0, "serve.whatif_helps"),
        (940.0, 9_500.0, "serve.whatif_no_difference"),
        (915.0, 9_950.0, "serve.whatif_no_difference"),
        (500.0, 10_050.0, "serve.whatif_helps"),
        (500.0, 11_000.0, "serve.whatif_helps_here_only"),
        (980.0, 10_050.0, "serve.whatif_no_difference"),
        (1_000.0, 9_000.0, "serve.whatif_helps_elsewhere"),
        (1_500.0, 10_000.0, "serve.whatif_harms"),
        (1_000.0, 10_900.0, "serve.whatif_harms"),
    ],
)
def test_what_happens_here_and_in_the_whole_net_decides_together(around_s: float, net_s: float, code: str) -> None:
    assert said(around_s, net_s).verdict.code == code


def test_the_sentence_has_the_figures_and_that_chance_was_drawn_once() -> None:
    weighed = said(500.0, 9_000.0)
    assert dict(weighed.verdict.facts) == {
        "arm": "means",
        "minutes": 10,
        "around_pct": "−50",
        "around_without": 17,
        "around_with": 8,
        "queued_without": 16,
        "queued_with": 8,
        "net_pct": "−10",
    }
    assert weighed.caveat.code == "serve.whatif_one_draw"


def test_draws_that_contradict_each_other_are_no_difference() -> None:
    arms = [ran(NO_ACTION, 1000.0, 10_000.0, dice) for dice in range(3)]
    arms += [ran("means", around_s, 10_000.0, dice) for dice, around_s in enumerate((300.0, 1_600.0, 500.0))]
    (weighed,) = weigh(arms)
    assert weighed.around["delay_s"].pct == pytest.approx(-20.0)
    assert weighed.verdict.code == "serve.whatif_no_difference"
    assert weighed.caveat.code == "serve.whatif_draws"


def test_a_difference_counts_when_all_draws_agree() -> None:
    arms = [ran(NO_ACTION, 1000.0, 10_000.0, dice) for dice in range(4)]
    arms += [ran("means", 1000.0 - 95.0 - dice, 10_000.0, dice) for dice in range(4)]
    (weighed,) = weigh(arms)
    assert weighed.verdict.code == "serve.whatif_helps"


@given(st.lists(st.tuples(st.floats(1.0, 1e6), st.floats(0.0, 1e6)), min_size=2, max_size=10))
def test_the_mean_lies_within_its_interval(pairs: list[tuple[float, float]]) -> None:
    found = change(pairs)
    assert found.low_pct is not None
    assert found.high_pct is not None
    assert found.low_pct <= found.pct + 1e-6
    assert found.pct - 1e-6 <= found.high_pct


def test_means_are_read_as_people_write_them() -> None:
    plain = read_means("street.reopen:urn:ngsi-ld:RoadSegment:a:b")
    assert (plain.means, plain.entity_id, plain.parameters) == ("street.reopen", "urn:ngsi-ld:RoadSegment:a:b", {})
    later = read_means('+90:street.speed_limit:urn:ngsi-ld:RoadSegment:a:{"kmh": 30}')
    assert (later.entity_id, later.parameters, later.after_s) == ("urn:ngsi-ld:RoadSegment:a", {"kmh": 30}, 90.0)


@given(st.text(max_size=30))
def test_what_is_no_means_is_refused(text: str) -> None:
    try:
        assert read_means(text).entity_id
    except Invalid as refused:
        assert refused.code == "serve.whatif_means_unreadable"
