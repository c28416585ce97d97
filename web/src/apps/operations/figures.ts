// SPDX-License-Identifier: Apache-2.0
// Figures of handling in words: value with its unit, and the target it is held against. Pure.
import type { Figure } from "@/apps/operations/types";
import { number, say, t } from "@/i18n";

const unitWords = (unit: string): string => say(`unit.${unit}`, {}, unit === "1" ? "" : unit);
export function valueWords(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "%") return `${number(value)} %`;
  const words = unitWords(unit);
  return words === "" ? number(value) : `${number(value)} ${words}`;
}

/** Whether the target is reached; null where there is none or nothing was measured. */
export function isReached(figure: Pick<Figure, "value" | "target" | "lower_is_better">): boolean | null {
  if (figure.value === null || figure.target === null) return null;
  return figure.lower_is_better === true ? figure.value <= figure.target : figure.value >= figure.target;
}

export function figureWords(figure: Figure): { name: string; value: string; target: string } {
  const sign = figure.lower_is_better === true ? "≤" : "≥";
  return { name: say(`indicator.${figure.name}`, {}, figure.name), value: valueWords(figure.value, figure.unit), target: figure.target === null ? "" : t("figures.target", { target: `${sign} ${valueWords(figure.target, figure.unit)}` }) };
}
