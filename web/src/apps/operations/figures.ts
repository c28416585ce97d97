// SPDX-License-Identifier: Apache-2.0
// Figures of handling in words: value with its unit, and the target it is held against. Pure.
import type { Figure, WallFigure } from "@/apps/operations/types";
import { number, say, shown, t } from "@/i18n";

const unitWords = (unit: string): string => say(`unit.${unit}`, {}, unit === "1" ? "" : unit);
export function valueWords(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "%") return `${number(value)} %`;
  const words = unitWords(unit);
  return words === "" ? number(value) : `${number(value)} ${words}`;
}

export function figureWords(figure: WallFigure): { name: string; value: string; target: string } {
  const sign = figure.lower_is_better ? "≤" : "≥";
  return { name: say(`indicator.${figure.name}`, {}, figure.name), value: valueWords(figure.value, figure.unit), target: figure.target === null ? "" : t("figures.target", { target: `${sign} ${valueWords(figure.target, figure.unit)}` }) };
}

/** What was counted, in the words that there are for it. */
export function partsWords(figure: Pick<Figure, "parts">): string {
  const { part, known, of, ...others } = figure.parts;
  const share = of === undefined ? [] : [t("figures.part_of", { part: part ?? known, of })];
  return [...share, ...Object.entries(others).filter(([, value]) => value !== null).map(([name, value]) => `${say(`figures.part.${name}`, {}, name)} ${shown(value)}`)].join(" · ");
}

export const SPANS = { "8h": 8, "24h": 24, "7d": 168 } as const;
export type SpanName = keyof typeof SPANS;
export const spanOf = (name: string, untilMs: number): { since: string; until: string } => ({ since: new Date(untilMs - (SPANS[name as SpanName] ?? SPANS["8h"]) * 3_600_000).toISOString(), until: new Date(untilMs).toISOString() });
