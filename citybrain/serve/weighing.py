# SPDX-License-Identifier: Apache-2.0
"""What branches of a city are worth beside the one in which nothing is done: differences, and one sentence."""

import statistics
from collections.abc import Callable, Mapping, Sequence

import msgspec

from citybrain.kernel.records import Because, Facts
from citybrain.serve.branching import Figures, Ran

NO_ACTION = "none"

SEEN_ONCE = 8.0
"""Per cent of the time lost, around the event or in the whole net: with one draw of chance what is less than this is no
difference. Other dice alone change ten minutes on cologne8 by 2.7 % around a busy place, 6.3 % around a quiet one and
2.8 % in the net (standard deviations of five draws), and two single draws differ by 2√2 times that once in twenty."""

SEEN_LEAST_S = 90.0
"""Vehicle-seconds: less than this is no difference either, which is what chance does at the quiet place."""

SEEN_AROUND, SEEN_IN_NET = 5.0, 2.0
"""The same with several draws, which also must not contradict each other: smaller effects are not worth an order."""

# Student's t for 95 %, two-sided, by degrees of freedom.
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with and without the means, over all draws of chance; `low_pct` … `high_pct` hold 95 %, of several."""

    without: float
    with_means: float
    pct: float
    low_pct: float | None = None
    high_pct: float | None = None

    def clearly(self, at_least_pct: float, at_least: float) -> int:
        """-1 less, +1 more, 0 no difference that one would trust."""
        if abs(self.pct) < at_least_pct or abs(self.with_means - self.without) < at_least:
            return 0
        if self.low_pct is not None and self.high_pct is not None and self.low_pct <= 0.0 <= self.high_pct:
            return 0
        return -1 if self.pct < 0 else 1


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """An arm beside no action: less is better in all of it."""

    arm: str
    around: Mapping[str, Change]
    net: Mapping[str, Change]
    verdict: Because
    caveat: Because


FIGURES: Mapping[str, Callable[[Figures], float]] = {
    "delay_s": lambda figures: figures.delay_s,
    "queued_mean": lambda figures: figures.queued_mean,
    "queued_end": lambda figures: float(figures.queued_end),
    "per_km_s": lambda figures: figures.per_km_s or 0.0,
}

# What around the event and the whole net say together: the code of the sentence.
VERDICTS: Mapping[tuple[int, int], str] = {
    (-1, -1): "serve.whatif_helps",
    (-1, 0): "serve.whatif_helps",
    (-1, 1): "serve.whatif_helps_here_only",
    (0, -1): "serve.whatif_helps_elsewhere",
    (0, 0): "serve.whatif_no_difference",
    (0, 1): "serve.whatif_harms",
    (1, -1): "serve.whatif_helps_elsewhere",
    (1, 0): "serve.whatif_harms",
    (1, 1): "serve.whatif_harms",
}


def weigh(ran: Sequence[Ran]) -> list[Weighed]:
    """Each arm beside no action, in the order in which they ran; draws of chance are paired."""
    without = {each.dice: each for each in ran if each.arm == NO_ACTION}
    arms = dict.fromkeys(each.arm for each in ran if each.arm != NO_ACTION)
    return [_weighed(arm, without, {each.dice: each for each in ran if each.arm == arm}) for arm in arms]


def _weighed(arm: str, without: Mapping[int, Ran], with_means: Mapping[int, Ran]) -> Weighed:
    pairs = [(without[dice], with_means[dice]) for dice in with_means if dice in without]
    around = {
        name: change([(figure(one.around), figure(other.around)) for one, other in pairs])
        for name, figure in FIGURES.items()
    }
    net = {
        name: change([(figure(one.net), figure(other.net)) for one, other in pairs]) for name, figure in FIGURES.items()
    }
    here, everywhere = (SEEN_AROUND, SEEN_IN_NET) if len(pairs) > 1 else (SEEN_ONCE, SEEN_ONCE)
    code = VERDICTS[around["delay_s"].clearly(here, SEEN_LEAST_S), net["delay_s"].clearly(everywhere, SEEN_LEAST_S)]
    minutes = round(statistics.fmean(one.simulated_s for one, _ in pairs) / 60.0)
    return Weighed(
        arm=arm,
        around=around,
        net=net,
        verdict=Because(code=code, facts=_facts(arm, minutes, around, net)),
        caveat=_caveat(len(pairs), around["delay_s"]),
    )


def _facts(arm: str, minutes: int, around: Mapping[str, Change], net: Mapping[str, Change]) -> Facts:
    """Numbers as a sentence wants them: minutes of vehicles, whole vehicles, per cent with their sign."""
    lost = around["delay_s"]
    return {
        "arm": arm,
        "minutes": minutes,
        "around_pct": _signed(lost.pct),
        "around_without": round(lost.without / 60.0),
        "around_with": round(lost.with_means / 60.0),
        "queued_without": round(around["queued_end"].without),
        "queued_with": round(around["queued_end"].with_means),
        "net_pct": _signed(net["delay_s"].pct),
    }


def _caveat(draws: int, around: Change) -> Because:
    if draws < 2 or around.low_pct is None or around.high_pct is None:
        return Because(code="serve.whatif_one_draw", facts={"pct": round(SEEN_ONCE)})
    facts = {"draws": draws, "low_pct": _signed(around.low_pct), "high_pct": _signed(around.high_pct)}
    return Because(code="serve.whatif_draws", facts=facts)


def change(pairs: Sequence[tuple[float, float]]) -> Change:
    """The change of a figure from without to with, in per cent of the mean without."""
    without = statistics.fmean(one for one, _ in pairs)
    with_means = statistics.fmean(other for _, other in pairs)
    scale = 100.0 / without if without else 0.0
    differences = [(other - one) * scale for one, other in pairs]
    pct = statistics.fmean(differences)
    low, high = None, None
    if len(differences) > 1:
        freedom = min(len(differences) - 1, max(T95))
        half = T95[freedom] * statistics.stdev(differences) / len(differences) ** 0.5
        low, high = pct - half, pct + half
    return Change(without=without, with_means=with_means, pct=pct, low_pct=low, high_pct=high)


def _signed(value: float) -> str:
    """A percentage as it is read in a sentence; nothing is never minus nothing."""
    shown = f"{value:+.0f}"
    return "0" if shown in ("+0", "-0") else shown.replace("-", "−")
