// SPDX-License-Identifier: Apache-2.0
// How the brain compares with the fixed plan: the change in percent and whether it is for the better.
import type { IndicatorView } from "@/api/types";
import { number } from "@/i18n";

export type Verdict = "better" | "worse" | "same" | "unknown";
export interface Comparison { changePercent: number | null; verdict: Verdict }

/** Below this the two arms count as equal: what one seed can differ by chance is larger. */
export const SAME_PERCENT = 0.5;

export function compare(indicator: Pick<IndicatorView, "ratio" | "lower_is_better">): Comparison {
  if (indicator.ratio === null || !Number.isFinite(indicator.ratio)) return { changePercent: null, verdict: "unknown" };
  const changePercent = (indicator.ratio - 1) * 100;
  if (Math.abs(changePercent) < SAME_PERCENT) return { changePercent, verdict: "same" };
  return { changePercent, verdict: changePercent < 0 === indicator.lower_is_better ? "better" : "worse" };
}

/** A change with its sign; the minus is a real one. */
export const signed = (percent: number): string => `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${number(Math.abs(percent))}%`;
