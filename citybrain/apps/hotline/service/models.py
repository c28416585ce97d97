# SPDX-License-Identifier: Apache-2.0
"""The trained model and its card as files: written whole, read without running anything that stands in them."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.hotline import learn
from citybrain.apps.hotline.learn import Classifier, Example, Figures
from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.errors import Invalid


class ExamplesUnreadable(Invalid):
    """A file of examples that is no CSV with the columns text and category."""


class ModelUnreadable(Invalid):
    """A model file that is broken or of another version."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known of a model before it is trusted. `shares` are those of its guesses at training."""

    trained_at: datetime
    source: str
    examples: int
    seed: int
    threshold: float
    method: str = "TF-IDF of words, pairs of words and runs of characters; linear SVM; Platt calibration"
    figures: Figures
    shares: Mapping[str, float]
    abstained: float


def read_examples(path: Path) -> list[Example]:
    """Examples of a CSV in UTF-8 whose head names `text` and `category`. Rows without one of them are left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"text", "category"} <= set(rows.fieldnames or ()):
                raise ExamplesUnreadable("hotline.examples_unreadable", {"file": path.name, "why": "text,category"})
            given = [(row.get("text") or "", (row.get("category") or "").strip()) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ExamplesUnreadable("hotline.examples_unreadable", {"file": path.name, "why": str(problem)}) from problem
    return [Example(text, category) for text, category in given if text.strip() and category]


def examples_of(tickets: Iterable[Ticket], *, level: int = 1) -> list[Example]:
    """Closed tickets as examples of a level of the tree; categories with too few to learn are left out."""
    found = [
        Example(each.text, ".".join(each.category.split(".")[:level]))
        for each in tickets
        if each.phase == "closed" and each.category and each.text.strip()
    ]
    counted = Counter(each.category for each in learn.distinct(found))
    return [each for each in found if counted[each.category] >= learn.FEWEST_OF_A_CLASS]


def train(
    examples: Sequence[Example], folder: Path, *, now: datetime, source: str, seed: int = 1, threshold: float
) -> Card:
    """Measure by five folds, train on all, and write model and card beside each other."""
    figures = learn.evaluate(examples, seed=seed, threshold=threshold)
    classifier = learn.train(examples, seed=seed, threshold=threshold)
    guesses = learn.guess(classifier, [each.text for each in examples])
    counted = Counter(each.ranked[0][0] for each in guesses)
    card = Card(
        trained_at=now,
        source=source,
        examples=figures.examples,
        seed=seed,
        threshold=threshold,
        figures=figures,
        shares={name: counted[name] / len(guesses) for name in classifier.categories},
        abstained=1 - figures.covered,
    )
    folder.mkdir(parents=True, exist_ok=True)
    # The card first: whoever sees the new model finds a card that is not older.
    _write(folder / "model-card.json", msgspec.json.format(msgspec.json.encode(card)))
    _write(folder / "model.json", msgspec.json.encode(classifier))
    return card


def read_model(path: Path) -> Classifier:
    """A trained classifier; refuses one that is broken."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Classifier)
    except (OSError, msgspec.DecodeError) as problem:
        raise ModelUnreadable("hotline.model_unreadable", {"file": path.name, "why": str(problem)}) from problem


def read_card(path: Path) -> Card | None:
    """The card beside a model; None while there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card) if path.exists() else None
    except msgspec.DecodeError as problem:
        raise ModelUnreadable("hotline.model_unreadable", {"file": path.name, "why": str(problem)}) from problem


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)
