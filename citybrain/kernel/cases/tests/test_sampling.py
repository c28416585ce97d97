# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.cases.drawing import Candidate, Plan, PlanUnusable, Stratum, draw
from citybrain.kernel.cases.sampling import NoSuchReview, Opinion, ReviewUnusable, Sampling, Verdict
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, ROADS_HEAD, WATER, clerk, operator, pothole
from citybrain.kernel.db import Database

PLAN = Plan(seed="2026-03", since=NOON - timedelta(days=1), until=NOON + timedelta(days=1), share=0.1)
PEOPLE = ("li", "wang", "zhao", "chen")


def population(count: int) -> list[Candidate]:
    places = ("roads", "water", "parks")
    return [
        Candidate(
            id=number,
            department=places[number % 3],
            badly_rated=number % 17 == 0,
            people=(PEOPLE[number % 4], PEOPLE[number % 3]),
        )
        for number in range(1, count + 1)
    ]


def test_a_sample_is_drawn_again_the_same_whatever_the_order() -> None:
    cases = population(300)
    drawn = draw(PLAN, cases)
    Random(1).shuffle(cases)
    assert draw(PLAN, cases) == drawn
    assert draw(replace(PLAN, seed="2026-04"), cases) != drawn


def test_each_part_has_its_share_and_at_least_one() -> None:
    cases = [*population(300), Candidate(id=999, department="tiny")]
    drawn = draw(PLAN, cases)
    counts = {place: sum(each.stratum == place for each in drawn) for place in ("roads", "water", "parks", "tiny")}
    assert counts == {"roads": 10, "water": 10, "parks": 10, "tiny": 1}
    assert len(draw(replace(PLAN, by=Stratum.NONE, most=5), cases)) == 5


def test_what_is_asked_for_is_all_there() -> None:
    cases = population(300)
    drawn = {each.case_id for each in draw(replace(PLAN, all_badly_rated=True, share=0, least=0), cases)}
    assert drawn == {each.id for each in cases if each.badly_rated}


@given(st.integers(0, 200), st.text(min_size=1, max_size=8), st.lists(st.sampled_from(PEOPLE), unique=True))
def test_nobody_reviews_what_they_had_a_hand_in(count: int, seed: str, reviewers: list[str]) -> None:
    cases = population(count)
    plan = replace(PLAN, seed=seed, reviewers=tuple(reviewers), share=0.5)
    people = {each.id: each.people for each in cases}
    for each in draw(plan, cases):
        assert each.reviewer not in people[each.case_id]
        assert each.reviewer or set(reviewers) <= set(people[each.case_id])


def test_reviewers_have_about_as_much_to_do() -> None:
    outside = tuple(f"reviewer{number}" for number in range(4))
    drawn = draw(replace(PLAN, reviewers=outside, share=1.0), population(100))
    loads = [sum(each.reviewer == one for each in drawn) for one in outside]
    assert loads == [25] * 4


def test_every_case_is_as_likely_as_another() -> None:
    cases = [Candidate(id=number) for number in range(20)]
    hits = [0] * 20
    for seed in range(2_000):
        for each in draw(replace(PLAN, seed=str(seed), share=0.25, by=Stratum.NONE), cases):
            hits[each.case_id] += 1
    assert all(420 < count < 580 for count in hits)


@pytest.mark.parametrize("fault", [{"share": 1.5}, {"least": 5, "most": 2}, {"until": NOON - timedelta(days=9)}])
def test_a_plan_that_makes_no_sense_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(PlanUnusable):
        draw(replace(PLAN, **fault), [])


async def test_a_sample_is_given_to_reviewers_who_had_no_hand_in_it(cases: Cases, db: Database) -> None:
    sampling = Sampling(db)
    done = MoveFacts(answer="修好了", fields={"cause": "rain"})
    for _ in range(6):
        case = await cases.open(ROADS, pothole())
        await cases.move(ROADS, case.id, "accept", MoveFacts())
        await cases.move(ROADS, case.id, "finish", done)
    plan = replace(PLAN, share=0.5, reviewers=("li", "zhao"))
    with pytest.raises(NotPermitted):
        await sampling.draw(ROADS, plan, now=NOON)
    sample = await sampling.draw(ROADS_HEAD, plan, now=NOON)
    assert sample.population == 6
    reviews = await sampling.reviews(ROADS_HEAD, sample.id)
    assert [each.reviewer for each in reviews] == ["zhao"] * 3, "li did them all"
    assert len(await sampling.to_do(ROADS_HEAD)) == 3
    assert (await sampling.preview(clerk("wu", "water", roles=("head",)), plan))[0] == 0, "others' cases are not there"
    first = reviews[0]
    opinion = Opinion(verdict=Verdict.GOOD, scores={"manner": 90}, note="好")
    with pytest.raises(NoSuchReview):
        await sampling.review(WATER, sample.id, first.case_id, opinion, now=NOON)
    with pytest.raises(ReviewUnusable):
        await sampling.review(ROADS_HEAD, sample.id, first.case_id, replace(opinion, scores={"a": 101}), now=NOON)
    await sampling.review(ROADS_HEAD, sample.id, first.case_id, opinion, now=NOON)
    with pytest.raises(NoSuchReview):
        await sampling.review(ROADS_HEAD, sample.id, first.case_id, opinion, now=NOON)
    assert len(await sampling.to_do(ROADS_HEAD)) == 2
    assert [each.id for each in await sampling.samples(operator())] == [sample.id]
    _, again = await sampling.preview(ROADS_HEAD, sample.plan)
    assert [each.case_id for each in again] == [each.case_id for each in reviews]
