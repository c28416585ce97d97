# SPDX-License-Identifier: Apache-2.0
"""A classifier of citizens' messages that is trained from the city's own tickets: pure, reproducible by its seed.

Two bags of what a text is made of: words and pairs of words (rjieba), and runs of one to four characters; each weighted
by sublinear term frequency × inverse document frequency and brought to length one. A linear support vector machine per
class tells classes apart; a logistic curve per class, fitted to decisions on texts the machine had not seen (Platt,
1999), turns its decisions into probabilities. Below a threshold the classifier abstains: a person decides.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import rjieba
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from citybrain.kernel.errors import Invalid

# Loading it takes a second or two, which a city that learns nothing now need not wait: who learns imports it.
if TYPE_CHECKING:
    from sklearn.svm import LinearSVC

Numbers = NDArray[np.float64]

LONGEST_RUN = 4
# A class that has fewer examples than this many parts cannot be learned and judged apart.
FEWEST_OF_A_CLASS = 5
FOLDS = 5
# That of the published baseline on messages of this kind (TF-IDF + LinearSVC, macro-F1 0.914).
SOFTNESS = 0.5
USUAL_THRESHOLD = 0.6
BINS = 10
_SPACE = re.compile(r"\s+")


class TooLittle(Invalid):
    """There is not enough to learn from."""


class Example(msgspec.Struct, frozen=True):
    """A message and the category a person gave it."""

    text: str
    category: str


class Guess(msgspec.Struct, frozen=True):
    """Categories with their probabilities, the likeliest first; `category` is empty when the classifier abstains."""

    category: str
    ranked: tuple[tuple[str, float], ...]


class Bag(msgspec.Struct, frozen=True):
    """One bag of features: their places and weights (64-bit little-endian numbers: asked often, never made anew)."""

    places: dict[str, int]
    weights: bytes


class Classifier(msgspec.Struct, frozen=True, kw_only=True):
    """A trained classifier, all of it plain data: no code comes back when it is read from a file."""

    categories: tuple[str, ...]
    bags: tuple[Bag, Bag]
    planes: bytes
    offsets: list[float]
    curves: list[tuple[float, float]]
    threshold: float
    seed: int


class ClassFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How well one category is told apart."""

    category: str
    examples: int
    precision: float
    recall: float
    f1: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What cross-validation measured. `calibration_error` is the expected one over ten bins (Naeini et al., AAAI 2015).

    `covered` is the share of texts on which the classifier does not abstain, `accuracy_when_sure` how many of those
    it gets right.
    """

    examples: int
    folds: int
    macro_f1: float
    macro_f1_by_fold: tuple[float, ...]
    accuracy: float
    covered: float
    accuracy_when_sure: float
    calibration_error: float
    classes: tuple[ClassFigures, ...]


def words(text: str) -> list[str]:
    """Words and pairs of neighbours, as rjieba cuts the text."""
    found = [word for word in rjieba.cut(_SPACE.sub(" ", text.lower())) if not word.isspace()]
    return [*found, *(f"{left} {right}" for left, right in pairwise(found))]


def runs(text: str) -> list[str]:
    """Runs of one to four characters."""
    plain = _SPACE.sub("", text.lower())
    return [plain[i : i + n] for n in range(1, LONGEST_RUN + 1) for i in range(len(plain) - n + 1)]


Cut = Callable[[str], list[str]]
_CUTS: tuple[Cut, ...] = (words, runs)


def distinct(examples: Iterable[Example]) -> list[Example]:
    """Examples without repetition: a text that stands in two folds would be known before it is asked."""
    return list({_SPACE.sub(" ", each.text).strip(): each for each in examples if each.text.strip()}.values())


def train(examples: Sequence[Example], *, seed: int = 1, threshold: float = USUAL_THRESHOLD) -> Classifier:
    """Learn from examples. Refuses fewer than two categories, and categories with fewer than five examples."""
    from sklearn.model_selection import StratifiedKFold

    known = distinct(examples)
    counted = _counted(known)
    texts, categories = [each.text for each in known], sorted(counted)
    wanted = np.array([categories.index(each.category) for each in known])
    bags = tuple(_bag(cut, texts) for cut in _CUTS)
    features = _features(bags, texts)
    decisions = np.zeros((len(known), len(categories)))
    for fit, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(texts, wanted):
        machine = _machine(features[fit], wanted[fit], seed)
        decisions[held] = _decide(features[held], *_planes(machine, len(categories)))
    machine = _machine(features, wanted, seed)
    planes, offsets = _planes(machine, len(categories))
    return Classifier(
        categories=tuple(categories),
        bags=(bags[0], bags[1]),
        planes=_bytes(planes),
        offsets=offsets.tolist(),
        curves=[_curve(decisions[:, each], wanted == each) for each in range(len(categories))],
        threshold=threshold,
        seed=seed,
    )


def guess(classifier: Classifier, texts: Sequence[str]) -> list[Guess]:
    """What each text is likely about."""
    guesses = []
    for row in probabilities(classifier, texts):
        order = np.argsort(-row, kind="stable")
        ranked = tuple((classifier.categories[each], float(row[each])) for each in order)
        guesses.append(Guess(ranked[0][0] if ranked[0][1] >= classifier.threshold else "", ranked))
    return guesses


def probabilities(classifier: Classifier, texts: Sequence[str]) -> Numbers:
    """One row a text, one column a category; rows sum to one."""
    planes = _numbers(classifier.planes).reshape(len(classifier.categories), -1)
    decisions = _decide(_features(classifier.bags, texts), planes, np.array(classifier.offsets))
    slopes, shifts = np.array(classifier.curves).T
    each = 1 / (1 + np.exp(-np.clip(slopes * decisions + shifts, -50, 50)))
    total: Numbers = each / each.sum(axis=1, keepdims=True)
    return total


def evaluate(examples: Sequence[Example], *, seed: int = 1, threshold: float = USUAL_THRESHOLD) -> Figures:
    """Five-fold cross-validation: every text is judged by a classifier that never saw it."""
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedKFold

    known = distinct(examples)
    categories = sorted(_counted(known))
    wanted = np.array([categories.index(each.category) for each in known])
    chances = np.zeros((len(known), len(categories)))
    by_fold = []
    for fit, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(wanted, wanted):
        classifier = train([known[each] for each in fit], seed=seed, threshold=threshold)
        chances[held] = probabilities(classifier, [known[each].text for each in held])
        by_fold.append(float(f1_score(wanted[held], chances[held].argmax(axis=1), average="macro")))
    return _figures(categories, wanted, chances, by_fold, threshold)


def _figures(
    categories: Sequence[str], wanted: NDArray[np.int_], chances: Numbers, by_fold: list[float], threshold: float
) -> Figures:
    from sklearn.metrics import precision_recall_fscore_support

    told, sureness = chances.argmax(axis=1), chances.max(axis=1)
    right, sure = told == wanted, sureness >= threshold
    each = precision_recall_fscore_support(wanted, told, labels=range(len(categories)), zero_division=0)
    return Figures(
        examples=len(wanted),
        folds=len(by_fold),
        macro_f1=sum(by_fold) / len(by_fold),
        macro_f1_by_fold=tuple(by_fold),
        accuracy=float(right.mean()),
        covered=float(sure.mean()),
        accuracy_when_sure=float(right[sure].mean()) if sure.any() else 0.0,
        calibration_error=_calibration_error(sureness, right),
        classes=tuple(
            ClassFigures(category=name, examples=int(count), precision=float(p), recall=float(r), f1=float(f))
            for name, p, r, f, count in zip(categories, *each, strict=True)
        ),
    )


def _calibration_error(sureness: Numbers, right: NDArray[np.bool_]) -> float:
    bins = np.minimum((sureness * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == each).mean() * abs(sureness[bins == each].mean() - right[bins == each].mean())
        for each in range(BINS)
        if (bins == each).any()
    ]
    return float(sum(gaps))


def _counted(known: Sequence[Example]) -> Mapping[str, int]:
    counted = Counter(each.category for each in known)
    rare = [name for name, count in counted.items() if count < FEWEST_OF_A_CLASS]
    if len(counted) < 2:
        raise TooLittle("hotline.too_few_categories", {"found": len(counted)})
    if rare:
        raise TooLittle("hotline.too_few_examples", {"category": rare[0], "found": counted[rare[0]]})
    return counted


def _bag(cut: Cut, texts: Sequence[str]) -> Bag:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=cut, min_df=2 if len(texts) >= 100 else 1, sublinear_tf=True)
    vectorizer.fit(texts)
    return Bag({name: int(place) for name, place in vectorizer.vocabulary_.items()}, _bytes(vectorizer.idf_))


def _bytes(numbers: Numbers) -> bytes:
    return np.ascontiguousarray(numbers, dtype="<f8").tobytes()


def _numbers(written: bytes) -> Numbers:
    return np.frombuffer(written, dtype="<f8")


def _features(bags: Sequence[Bag], texts: Sequence[str]) -> csr_matrix:
    return csr_matrix(hstack([_weighted(bag, cut, texts) for bag, cut in zip(bags, _CUTS, strict=True)]))


def _weighted(bag: Bag, cut: Cut, texts: Sequence[str]) -> csr_matrix:
    """Sublinear tf × idf, each row of length one."""
    weights = _numbers(bag.weights)
    starts, places, values = [0], [], []
    for text in texts:
        counted = Counter(bag.places[name] for name in cut(text) if name in bag.places)
        row = np.fromiter(counted.keys(), np.int64, len(counted))
        value = (1 + np.log(np.fromiter(counted.values(), np.float64, len(counted)))) * weights[row]
        length = float(np.sqrt((value * value).sum()))
        places.append(row)
        values.append(value / length if length else value)
        starts.append(starts[-1] + len(row))
    shape = (len(texts), len(weights))
    return csr_matrix((np.concatenate(values), np.concatenate(places), np.array(starts)), shape=shape)


def _machine(features: csr_matrix, wanted: NDArray[np.int_], seed: int) -> "LinearSVC":
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=SOFTNESS, class_weight="balanced", random_state=seed)
    machine.fit(features, wanted)
    return machine


def _planes(machine: "LinearSVC", categories: int) -> tuple[Numbers, Numbers]:
    """One plane a category; of two the library gives one, whose other side is the other's."""
    planes, offsets = np.asarray(machine.coef_), np.asarray(machine.intercept_)
    if categories == 2:
        return np.vstack([-planes, planes]), np.concatenate([-offsets, offsets])
    return planes, offsets


def _decide(features: csr_matrix, planes: Numbers, offsets: Numbers) -> Numbers:
    decisions: Numbers = np.asarray(features @ planes.T) + offsets
    return decisions


def _curve(decisions: Numbers, is_it: NDArray[np.bool_]) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(decisions.reshape(-1, 1), is_it)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
