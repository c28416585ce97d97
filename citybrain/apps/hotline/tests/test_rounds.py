# SPDX-License-Identifier: Apache-2.0
"""What the hotline does by itself, and its commands."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from citybrain.apps.hotline.choice import Rule, RuleUnusable
from citybrain.apps.hotline.commands import commands
from citybrain.apps.hotline.jobs import watching
from citybrain.apps.hotline.learn import Example, Figures
from citybrain.apps.hotline.model import Channel, Intake, TreeUnusable
from citybrain.apps.hotline.service import desk, models
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import take
from citybrain.apps.hotline.store import kept
from citybrain.apps.hotline.store.kept import Article, VersionTaken
from citybrain.apps.hotline.tests.people import DESK_CLERK
from citybrain.apps.hotline.tests.test_learn import messages
from citybrain.kernel.clock import utc_now


def csv_of(examples: list[Example]) -> str:
    return "text,category\n" + "".join(f"{each.text},{each.category}\n" for each in examples)


async def test_a_burst_of_calls_is_told_to_the_loop_once(hotline: Hotline) -> None:
    for number in range(8):
        intake = Intake(text="路面积水", channel=Channel.WEB, longitude=116.4 + number / 10_000, latitude=39.9)
        await take(hotline, MACHINE, intake, now=utc_now())
    now = utc_now()
    assert await watching.look_for_bursts(hotline, now) == 1
    assert await watching.look_for_bursts(hotline, now + timedelta(minutes=1)) == 1
    rows = await hotline.db.rows("SELECT id FROM event WHERE kind = 'hotline.burst'")
    assert len(rows) == 1


async def test_a_model_trained_elsewhere_is_taken_and_decides_where_words_do_not(hotline: Hotline) -> None:
    examples = [Example(each.text, {"供水": "water", "噪音": "environment"}.get(each.category, "traffic"))
                for each in messages(120)]  # fmt: skip
    card = models.train(examples, hotline.folder, now=utc_now(), source="test", threshold=0.5)
    await hotline.refresh()
    receipt = await take(hotline, MACHINE, Intake(text="广场舞半夜很吵", channel=Channel.WEB), now=utc_now())
    assert receipt.department == "environment"
    assert (card.examples, set(card.shares)) == (
        len({each.text for each in examples}),
        {"water", "environment", "traffic"},
    )
    assert await watching.look_for_drift(hotline, utc_now()) is not None


ADMIN = msgspec.structs.replace(MACHINE, account="admin", rights={"people.departments": MACHINE.rights["case.view"]})


async def test_a_category_or_rule_must_name_a_department_that_takes_work(hotline: Hotline) -> None:
    categories = [*hotline.tree.categories.values()]
    wrong = msgspec.structs.replace(categories[0], department="nobody")
    with pytest.raises(TreeUnusable, match="tree_department"):
        await hotline.set_categories([wrong, *categories[1:]], version=hotline.tree.version, by="li", now=utc_now())
    for do in (
        lambda: hotline.set_rules([Rule(number=1, department="nobody")], version=9, by="li", now=utc_now()),
        lambda: desk.try_rules(hotline, DESK_CLERK, [Rule(number=1, department="nobody")], now=utc_now()),
    ):
        with pytest.raises(RuleUnusable, match="rule_department"):
            await do()


async def test_a_dissolved_department_that_is_still_named_is_a_warning_until_it_is_mended(hotline: Hotline) -> None:
    now = utc_now()
    assert await watching.look_for_gone(hotline, now) == []
    await hotline.store.access.departments.dissolve(ADMIN, "education", successor="health", now=now)
    (found,) = await watching.look_for_gone(hotline, now)
    assert (found.department, found.successor, found.categories) == ("education", "health", ("education",))
    receipt = await take(
        hotline, MACHINE, Intake(text="学校乱收费", category="education.school.fee", channel=Channel.WEB), now=utc_now()
    )
    assert receipt.department == "health"
    rows = await hotline.db.rows("SELECT ended_at FROM event WHERE id = 'hotline-department-education'")
    assert rows == [(None,)]
    changed = [
        msgspec.structs.replace(each, department="health") if each.department == "education" else each
        for each in hotline.tree.categories.values()
    ]
    await hotline.set_categories(changed, version=hotline.tree.version, by="li", now=now)
    assert await watching.look_for_gone(hotline, now + timedelta(minutes=1)) == []
    rows = await hotline.db.rows("SELECT ended_at FROM event WHERE id = 'hotline-department-education'")
    assert rows == [(now + timedelta(minutes=1),)]


async def test_too_few_tickets_train_nothing(hotline: Hotline) -> None:
    assert await watching.train_when_due(hotline, utc_now() + timedelta(days=40)) is None


async def test_two_who_save_rules_at_once_do_not_overwrite_each_other(hotline: Hotline) -> None:
    version = hotline.rules_version
    await hotline.set_rules([Rule(number=1, department="water")], version=version, by="li", now=utc_now())
    with pytest.raises(VersionTaken):
        await hotline.set_rules([Rule(number=1, department="roads")], version=version, by="wang", now=utc_now())
    assert hotline.rules[0].department == "water"


async def test_rules_are_tried_on_the_tickets_of_the_last_month(hotline: Hotline) -> None:
    await take(hotline, MACHINE, Intake(text="路灯不亮", channel=Channel.WEB), now=utc_now())
    rules = [*hotline.rules, Rule(number=77, department="parks", category="traffic.road.light")]
    diff = await desk.try_rules(hotline, DESK_CLERK, rules, now=utc_now() + timedelta(seconds=1))
    assert "parks" in {after for _, after, _ in diff.flows}
    assert all(each.department != "parks" for each in hotline.rules)


async def test_the_knowledge_that_fits_best_comes_first_and_old_knowledge_not_at_all(hotline: Hotline) -> None:
    today = utc_now().date()
    for title, until in (("停水怎么办", None), ("公积金提取", None), ("停水旧规定", today - timedelta(days=1))):
        article = Article(title=title, body="请拨打热线", valid_until=until)
        await kept.put_article(hotline.db, article, by="li", now=utc_now())
    assert [each.title for each in await kept.articles(hotline.db, "家里停水", today)] == ["停水怎么办"]


def test_evaluate_prints_figures_for_machines(tmp_path: Path) -> None:
    file = tmp_path / "examples.csv"
    file.write_text(csv_of(messages(60)), encoding="utf-8")
    done = CliRunner().invoke(commands, ["evaluate", str(file), "--json"])
    assert done.exit_code == 0, done.output
    figures = msgspec.json.decode(done.stdout_bytes, type=Figures)
    assert (figures.folds, len(figures.classes)) == (5, 3)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_that_holds_no_examples_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(models.ExamplesUnreadable):
        models.read_examples(file)
