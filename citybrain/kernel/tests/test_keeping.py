# SPDX-License-Identifier: Apache-2.0
import msgspec
import numpy as np
import pytest

from citybrain.kernel.app import Attribute, Keep
from citybrain.kernel.pool.keeping import Keeping
from citybrain.kernel.pool.slots import Directory
from citybrain.kernel.records import Column, Json
from citybrain.kernel.tests.scene import HALF_MINUTE, after, batch

UNKNOWN = float("nan")
EVERY = Attribute(name="x", keep=Keep.EVERY, every=HALF_MINUTE)
ALL = Attribute(name="x", keep=Keep.EVERY)
CHANGE = Attribute(name="x", keep=Keep.CHANGE)
NEVER = Attribute(name="x", keep=Keep.NEVER)

# fmt: off
POLICIES = [
    (EVERY,  [(0, 5.0), (29, 6.0), (30, 7.0), (31, 8.0)],       [0, 30],     "half a minute after the last one kept"),
    (EVERY,  [(0, 5.0), (45, 6.0), (60, 7.0), (75, 8.0)],       [0, 45, 75], "counted from the last one kept"),
    (EVERY,  [(0, 5.0), (30, 5.0)],                             [0, 30],     "also when it stayed the same"),
    (EVERY,  [(0, UNKNOWN), (30, UNKNOWN)],                     [],          "what was never known is nothing to keep"),
    (EVERY,  [(0, 5.0), (30, UNKNOWN), (60, UNKNOWN)],          [0, 30],     "that it became unknown is kept once"),
    (EVERY,  [(0, 5.0), (30, UNKNOWN), (50, 6.0), (60, 6.0)],   [0, 30, 60], "known again, at the next half minute"),
    (EVERY,  [(60, 5.0), (40, 6.0), (20, 7.0)],                 [60, 20],    "late ones count by their distance"),
    (ALL,    [(0, 5.0), (1, 5.0), (2, 5.0)],                    [0, 1, 2],   "without a pause all are kept"),
    (CHANGE, [(0, 5.0), (1, 5.0), (2, 6.0), (3, 6.0)],          [0, 2],      "the first one and each change"),
    (CHANGE, [(0, 5.0), (1, UNKNOWN), (2, UNKNOWN), (3, 5.0)],  [0, 1, 3],   "unknown is a change, and equals itself"),
    (CHANGE, [(0, "rG"), (1, "rG"), (2, "Gr")],                 [0, 2],      "words too"),
    (CHANGE, [(0, None), (1, "rG"), (2, None), (3, None)],      [1, 2],      "no word is unknown"),
    (EVERY,  [(0, "rG"), (10, "Gr"), (30, "rG")],               [0, 30],     "words by the clock"),
    (EVERY,  [(0, None), (30, "Gr"), (60, None), (90, None)],   [30, 60],    "words that end"),
    (NEVER,  [(0, 5.0), (60, 6.0)],                             [],          "never is never"),
]
# fmt: on


@pytest.mark.parametrize(("attribute", "seen", "kept_at", "why"), POLICIES, ids=[row[3] for row in POLICIES])
def test_what_the_history_keeps(
    attribute: Attribute, seen: list[tuple[int, Json]], kept_at: list[int], why: str
) -> None:
    keeping = _keeping(attribute)
    assert [at for at, value in seen if _kept(keeping, at, [value, value])] == kept_at, why


def test_each_series_waits_for_itself() -> None:
    keeping = _keeping(EVERY)
    assert _kept(keeping, 0, [5.0, UNKNOWN]) == {1: 5.0}
    assert _kept(keeping, 10, [5.0, 7.0]) == {2: 7.0}
    assert _kept(keeping, 30, [6.0, 8.0]) == {1: 6.0}
    assert _kept(keeping, 40, [6.0, 9.0]) == {2: 9.0}


def test_what_something_rests_on_is_kept_whatever_the_policy() -> None:
    keeping = _keeping(EVERY)
    assert _kept(keeping, 0, [5.0, 6.0]) == {1: 5.0, 2: 6.0}
    assert _kept(keeping, 7, [1.0, 2.0], evidence=("a", "stranger")) == {1: 1.0}
    assert _kept(keeping, 8, [UNKNOWN, 2.0], evidence=("a",)) == {}, "what is not known proves nothing"
    assert _kept(_keeping(NEVER), 7, [1.0, 2.0], evidence=("a",)) == {}


def _keeping(attribute: Attribute) -> Keeping:
    directory = Directory()
    directory.add([("a", attribute, 1, 9), ("b", attribute, 2, 9)])
    keeping = Keeping(directory)
    keeping.grow(directory.size)
    return keeping


def _kept(keeping: Keeping, at: int, values: list[Json], evidence: tuple[str, ...] = ()) -> dict[int, Json]:
    """Keep both series' values; answers with those kept, by the number of the entity."""
    numbers = isinstance(values[0], float)
    column = Column(attribute="x", entity_ids=("a", "b"), values=np.array(values) if numbers else tuple(values))
    taken = keeping.take(msgspec.structs.replace(batch(after(at)), columns=(column,)), evidence)
    return {entity: value for kept in taken for entity, value in zip(kept.entities.tolist(), kept.values, strict=True)}
