# SPDX-License-Identifier: Apache-2.0
"""The hotline: suggestions over 100,000 tickets with a trained model, bursts, hot spots, rates, the classifier.

Texts are put together from our own parts; nothing here says how well real tickets are told apart.
"""

import asyncio
import random
import resource
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import msgspec

from citybrain.apps.hotline import learn
from citybrain.apps.hotline.detect import bursts, hotspots
from citybrain.apps.hotline.index.places import Place, Places
from citybrain.apps.hotline.index.similar import Tickets
from citybrain.apps.hotline.measure.rates import rates
from citybrain.apps.hotline.model import Category, Ticket
from citybrain.apps.hotline.service import suggesting
from citybrain.apps.hotline.service.hotline import SEED, Hotline, opened
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store

MIGRATIONS = SEED.parent / "migrations"
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
NAMES = "幸福阳光和平建设解放人民中山北京长江黄河友谊胜利光明新华东风红旗团结文化学院科技花园"
ENDS = ("路", "街", "小区", "公园", "站", "桥", "广场", "大道")
BEFORE = ("您好，", "我要反映，", "请问", "住在这里的居民反映，", "昨天晚上开始，")
AFTER = ("请尽快处理。", "已经打过两次电话没人管。", "希望给个说法。", "影响老人和孩子。", "谢谢！")


def places(count: int, chance: random.Random) -> list[Place]:
    """Made-up names with positions in a city of 30 km."""
    return [
        Place(
            id=f"urn:p:{number}",
            name="".join(chance.choices(NAMES, k=chance.choice((2, 3, 4)))) + chance.choice(ENDS),
            longitude=116.2 + chance.random() * 0.35,
            latitude=39.8 + chance.random() * 0.27,
        )
        for number in range(count)
    ]


def leaves() -> list[Category]:
    """The categories of our own tree that citizens have words for."""
    found = msgspec.json.decode((SEED / "categories.json").read_bytes(), type=list[Category])
    return [each for each in found if each.words and each.id.count(".") == 2]


def text_of(category: Category, place: Place, chance: random.Random) -> str:
    """What somebody might say, in about forty letters."""
    word = chance.choice(category.words)
    return f"{chance.choice(BEFORE)}{place.name}{chance.randrange(1, 200)}号{word}{chance.choice(AFTER)}"


def tickets(count: int, found: Sequence[Place], chance: random.Random) -> list[Ticket]:
    """Tickets of two years, one in fifty of them open."""
    kinds = leaves()
    made = []
    for number in range(count):
        category, place = chance.choice(kinds), chance.choice(found)
        at = NOW - timedelta(minutes=chance.randrange(1_050_000))
        is_open = number % 50 == 0
        made.append(
            Ticket(
                case_id=number,
                number=f"B{number}",
                category=category.id,
                department=category.id.partition(".")[0],
                channel="phone",
                urgency="general",
                state="working" if is_open else "closed",
                phase="open" if is_open else "closed",
                text=text_of(category, place, chance),
                answer="" if is_open else "已处理",
                longitude=place.longitude,
                latitude=place.latitude,
                created_at=NOW - timedelta(hours=chance.randrange(72)) if is_open else at,
                changed_at=at,
            )
        )
    return made


def suggestions(hotline: Hotline, made: Sequence[Ticket], chance: random.Random) -> None:
    """How long a suggestion takes while a clerk types."""
    found = places(50_000, chance)
    begun = monotonic_s()
    hotline.places = Places(found)
    places_s = monotonic_s() - begun
    begun = monotonic_s()
    hotline.tickets = Tickets(made)
    hotline.classifier = trained(made)
    print(f"indexes: 50,000 places {places_s:.1f} s, {len(made):,} tickets {monotonic_s() - begun:.1f} s")
    took = []
    for _ in range(300):
        text = text_of(chance.choice(leaves()), chance.choice(found), chance)
        asked = suggesting.Asked(text=text * 3, longitude=116.35, latitude=39.95)
        begun = monotonic_s()
        suggesting.suggest(hotline, asked, now=NOW)
        took.append((monotonic_s() - begun) * 1000)
    cuts = quantiles(took, n=100)
    print(f"suggest: median {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, worst {max(took):.1f} ms (promised: 300 ms)")
    print(f"hotline.suggest.with_model.p95 {cuts[94]:.1f} ms")


def figures(made: Sequence[Ticket]) -> None:
    """Bursts, hot spots and rates over all tickets."""
    for name, do in (
        ("bursts", lambda: bursts.bursts(made, NOW)),
        ("hot spots", lambda: hotspots.density(made[:10_000], (116.2, 39.8, 116.55, 40.07))),
        ("rates", lambda: rates(made, NOW)),
    ):
        begun = monotonic_s()
        do()
        print(f"{name}: {(monotonic_s() - begun) * 1000:.0f} ms")


def trained(made: Sequence[Ticket]) -> learn.Classifier:
    """A model of ten thousand tickets; the texts are made up, so how well it does says nothing."""
    examples = [learn.Example(each.text, each.category.partition(".")[0]) for each in made[:10_000]]
    begun = monotonic_s()
    model = learn.train(examples)
    took_s, size = monotonic_s() - begun, len(msgspec.json.encode(model)) / 1e6
    took = []
    for each in made[10_000:10_200]:
        begun = monotonic_s()
        learn.guess(model, [each.text])
        took.append((monotonic_s() - begun) * 1000)
    print(f"classifier: {len(examples):,} made-up texts trained in {took_s:.1f} s, {size:.0f} MB,", end=" ")
    print(f"guess p95 {quantiles(took, n=20)[-1]:.1f} ms")
    return model


async def main() -> None:
    """All figures."""
    chance = random.Random(1)
    made = tickets(100_000, places(5_000, chance), chance)
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-", ignore_cleanup_errors=True) as top:
        await asyncio.to_thread(Path(top).chmod, 0o755)
        settings = Settings(data=Path(top) / "data")
        async with open_store(settings, migrations={"hotline": MIGRATIONS}) as store, opened(store) as hotline:
            suggestions(hotline, made, chance)
    figures(made)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak_mb:.0f} MB; {utc_now():%Y-%m-%d}")


if __name__ == "__main__":
    asyncio.run(main())
