// SPDX-License-Identifier: Apache-2.0
// The lines of the indicators over this run: fetched once, then continued from the stream.
import { shallowReactive, watch } from "vue";
import { api } from "@/api/client";
import { live } from "@/api/live";
import type { Arm, IndicatorSeries, Point } from "@/api/types";

export type SeriesLine = [number, number][];
export interface Series { brain: SeriesLine; fixed: SeriesLine }

const known = shallowReactive(new Map<string, Series>());
const asked = new Set<string>();
let runNumber = -1;

const lineOf = (points: readonly Point[] | undefined): SeriesLine => (points ?? []).flatMap(([at, value]) => (value === null ? [] : [[Date.parse(at), value] as [number, number]]));
export const fromWire = (series: IndicatorSeries): Series => ({ brain: lineOf(series.arms.brain), fixed: lineOf(series.arms.fixed) });

/** A line with one more value, if it is newer than its end. */
export function continued(line: SeriesLine, atMs: number, value: number): SeriesLine {
  const end = line.at(-1);
  return end !== undefined && end[0] >= atMs ? line : [...line, [atMs, value]];
}

export const upTo = (line: SeriesLine, atMs: number | null): SeriesLine => (atMs === null ? line : line.filter(([at]) => at <= atMs));

function ask(name: string): void {
  if (asked.has(name)) return;
  asked.add(name);
  api.series(name).then((series) => { known.set(name, fromWire(series)); }, () => { asked.delete(name); });
}

export function seriesOf(name: string): Series {
  ask(name);
  return known.get(name) ?? { brain: [], fixed: [] };
}

watch(() => live.value?.indicators, (indicators) => {
  const run = live.value?.run?.number ?? -1;
  if (run !== runNumber) { runNumber = run; known.clear(); asked.clear(); }
  for (const one of indicators ?? []) {
    const last = known.get(one.name);
    if (last === undefined) continue;
    const grown = (arm: Arm): SeriesLine => {
      const value = one.arms[arm];
      return value == null ? last[arm] : continued(last[arm], Date.parse(value.at), value.value);
    };
    known.set(one.name, { brain: grown("brain"), fixed: grown("fixed") });
  }
});
