# SPDX-License-Identifier: Apache-2.0
import random

import msgspec
import numpy as np
import pytest

from citybrain.apps.hotline import learn
from citybrain.apps.hotline.learn import Classifier, Example, TooLittle

# Our own sentences: parts that are put together, with some that say nothing of the matter.
PARTS = {
    "供水": (["水管", "自来水", "水压", "水表"], ["爆了", "停了三天", "发黄有异味", "太低洗不了澡"]),
    "噪音": (["工地", "广场舞", "夜市", "楼上装修"], ["半夜很吵", "噪音扰民", "吵得睡不着", "一直施工到凌晨"]),
    "道路": (["路面", "井盖", "红绿灯", "人行道"], ["破损有坑", "丢失很危险", "坏了没人修", "被车占了"]),
}
BEFORE = ["您好，", "领导您好，我家住在城西，", "请问，", "反映一个问题，", ""]
AFTER = ["请尽快处理。", "谢谢！", "已经打过几次电话了。", "希望给个答复。", ""]


def messages(count: int, seed: int = 1) -> list[Example]:
    chance = random.Random(seed)
    found = []
    for number in range(count):
        category = sorted(PARTS)[number % len(PARTS)]
        things, troubles = PARTS[category]
        text = chance.choice(BEFORE) + chance.choice(things) + chance.choice(troubles) + "，" + chance.choice(AFTER)
        found.append(Example(f"{text}{chance.choice('一二三四五六七八九')}号楼{chance.randrange(99)}", category))
    return found


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return learn.train(messages(300))


def test_a_message_is_given_the_category_of_those_like_it(classifier: Classifier) -> None:
    guesses = learn.guess(classifier, ["小区水管又爆了，没人管", "对面工地半夜很吵", "门口的井盖丢失很危险"])
    assert [each.category for each in guesses] == ["供水", "噪音", "道路"]


def test_the_classifier_abstains_where_it_is_not_sure(classifier: Classifier) -> None:
    unsure = learn.guess(classifier, ["我想咨询公积金贷款"])[0]
    assert unsure.category == ""
    assert len(unsure.ranked) == len(PARTS), "but it still tells what is likeliest"


def test_probabilities_sum_to_one_and_are_ranked(classifier: Classifier) -> None:
    ranked = learn.guess(classifier, ["水表坏了", "", "x" * 5000])
    for each in ranked:
        chances = [chance for _, chance in each.ranked]
        assert sum(chances) == pytest.approx(1)
        assert chances == sorted(chances, reverse=True)


def test_a_classifier_comes_back_from_its_file_as_it_was(classifier: Classifier) -> None:
    back = msgspec.json.decode(msgspec.json.encode(classifier), type=Classifier)
    texts = [each.text for each in messages(30, seed=2)]
    np.testing.assert_allclose(learn.probabilities(back, texts), learn.probabilities(classifier, texts), rtol=1e-9)


def test_training_again_with_the_same_seed_gives_the_same() -> None:
    one, two = (learn.train(messages(60), seed=7) for _ in range(2))
    assert msgspec.json.encode(one) == msgspec.json.encode(two)


def test_cross_validation_judges_every_text_by_one_who_never_saw_it() -> None:
    figures = learn.evaluate(messages(300))
    assert figures.folds == 5
    assert figures.macro_f1 > 0.9, "these are easy"
    assert {each.category for each in figures.classes} == set(PARTS)
    assert figures.examples == len(learn.distinct(messages(300)))
    chance = random.Random(3)
    shuffled = [Example(each.text, chance.choice(sorted(PARTS))) for each in messages(300)]
    assert learn.evaluate(shuffled).macro_f1 < 0.5, "where there is nothing to learn nothing is learned"


def test_a_text_that_comes_twice_is_learned_once() -> None:
    assert len(learn.distinct([Example("a  b", "x"), Example("a b", "x"), Example(" ", "x")])) == 1


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(TooLittle) as one:
        learn.train([Example(f"a{n}", "x") for n in range(9)])
    assert one.value.code == "hotline.too_few_categories"
    with pytest.raises(TooLittle) as few:
        learn.train([*messages(30), Example("别的", "别的")])
    assert few.value.facts == {"category": "别的", "found": 1}
