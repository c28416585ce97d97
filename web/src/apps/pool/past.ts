// SPDX-License-Identifier: Apache-2.0
// The past of a value as lines of a chart or as changes of a word. Pure.
import type { HistoryPoint, PastOf } from "@/apps/pool/types";
import type { ChartLine } from "@/kit/echarts";

export const SPANS = ["newest", "day", "week", "month", "year"] as const;
export type SpanName = (typeof SPANS)[number];
const DAYS: Record<SpanName, number | null> = { newest: null, day: 1, week: 7, month: 30, year: 365 };
const DAY_MS = 86_400_000;

/** When a span began, to the minute; null for "the newest values, whenever they were". */
export function sinceOf(span: SpanName, nowMs: number): string | null {
  const days = DAYS[span];
  return days === null ? null : new Date(Math.floor((nowMs - days * DAY_MS) / 60_000) * 60_000).toISOString();
}

const ACCENT = "#3ec6c0";
const CALM = "#9fb3c4";
type Line = [number, number | null][];

export interface Names { value: string; low: string; high: string; mean: string }

/** One line for single numbers; mean, lowest and highest for periods. Nothing where the values are words. */
export function linesOf(past: PastOf, names: Names): ChartLine[] {
  if (past.periods.length > 0) {
    const of = (key: "low" | "mean" | "high"): Line => past.periods.map((period) => [Date.parse(period.at), period[key]]);
    if (past.periods.every((period) => period.mean === null)) return [];
    return [
      { name: names.low, colour: CALM, dashed: true, points: of("low") },
      { name: names.high, colour: CALM, dashed: true, points: of("high") },
      { name: names.mean, colour: ACCENT, points: of("mean") },
    ];
  }
  const points = past.points.flatMap((point): Line => (typeof point.value === "number" ? [[Date.parse(point.at), point.value]] : []));
  return points.length === 0 ? [] : [{ name: names.value, colour: ACCENT, points }];
}

export const MOST_CHANGES = 50;

/** The changes of a value that is no number, the newest first: equal ones that follow each other are one. */
export function changesOf(past: PastOf): HistoryPoint[] {
  const points = past.points.filter((point, i) => i === 0 || point.value !== past.points[i - 1]?.value);
  return points.reverse().slice(0, MOST_CHANGES);
}
