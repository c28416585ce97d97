// SPDX-License-Identifier: Apache-2.0
// Lines of a run as people see them: those of one number together, what can be done with them, how long is left. Pure.
import type { LineAct, LineState, Run, RunLine, Suggestion, Thought } from "@/apps/operations/types";

export interface Step { number: number; lines: RunLine[] }
/** A line on several entities is one step. */
export function stepsOf(run: Pick<Run, "lines">): Step[] {
  const steps = new Map<number, RunLine[]>();
  for (const line of run.lines) steps.set(line.number, [...(steps.get(line.number) ?? []), line]);
  return [...steps].map(([number, lines]) => ({ number, lines })).sort((a, b) => a.number - b.number);
}

const CAN: Record<LineAct, readonly LineState[]> = { confirm: ["proposed"], skip: ["waiting", "proposed"], retry: ["refused", "failed", "late"] };
export const can = (act: LineAct, step: Step): boolean => step.lines.some((line) => CAN[act].includes(line.state));

/** The version that was looked at, as the server counts it: the newest of its lines. */
export const versionOf = (step: Step): number => Math.max(...step.lines.map((line) => line.version));

/** The worst state of a step stands for it. */
const RANK: readonly LineState[] = ["proposed", "late", "failed", "refused", "due", "ordered", "waiting", "executed", "checked", "skipped"];
export const stateOf = (step: Step): LineState => RANK.find((state) => step.lines.some((line) => line.state === state)) ?? "waiting";

export type Verdicts = Record<"helped" | "missed" | "unknown", number>;
export function verdictsOf(run: Pick<Run, "lines">): Verdicts {
  const found: Verdicts = { helped: 0, missed: 0, unknown: 0 };
  for (const line of run.lines) if (line.verdict !== null) found[line.verdict] += 1;
  return found;
}

/** What of a suggestion can be tried beforehand: what has something to act on. */
export const thoughtsOf = (suggestion: Pick<Suggestion, "lines">): Thought[] => suggestion.lines.filter((line) => line.code === "").map(({ means, entity_id, parameters }) => ({ means, entity_id, parameters }));
export const thoughtsOfStep = (step: Step): Thought[] => step.lines.map(({ means, entity_id, parameters }) => ({ means, entity_id, parameters }));
