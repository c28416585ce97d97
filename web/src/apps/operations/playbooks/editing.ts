// SPDX-License-Identifier: Apache-2.0
// A playbook while it is written: lines come, go and change places, and what is wrong is known before it is sent. Pure.
import type { Facts } from "@/api/types";
import type { Conditions, Line, OnlyIf, Plain, Playbook, When } from "@/apps/operations/playbooks/types";
import * as lists from "@/kit/lists";
import { judge } from "@/kit/schema";
import { formOf } from "@/orders/rules";
import type { Means } from "@/orders/types";

export const ID = /^[a-z0-9][a-z0-9_.-]{0,79}$/;
export const LINES_AT_MOST = 40;
const PLACE_TARGETS = ["event", "road", "junction", "upstream_junctions"] as const;
export const NEAREST = "nearest:";
export const TARGETS = [...PLACE_TARGETS, "nearest", "entity"] as const;
export type TargetKind = (typeof TARGETS)[number];

export const blankLine = (number: number): Line => ({ number, means: "", target: "event", parameters: {}, after: null, only_if: null, approval: "none", alone_if: null, note: {}, undo: false, undo_if_missed: false, answer_s: 60, approve_minutes: 10 });
export const blank = (): Playbook => ({ id: "", name: { zh: "", en: "" }, when: { kinds: [] }, lines: [], note: {} });

/** A body with all that a form needs to be there. */
export const whole = (given: Playbook): Playbook => ({ valid_from: null, valid_until: null, ...given, name: { ...given.name }, when: { ...given.when, kinds: [...given.when.kinds] }, lines: given.lines.map((line) => ({ ...blankLine(line.number), ...line })) });

/** Numbers follow the order; who waits for a line keeps waiting for it. A line that is gone is waited for by nobody. */
export function renumbered(lines: readonly Line[]): Line[] {
  const now = new Map(lines.map((line, i) => [line.number, i + 1]));
  return lines.map((line, i) => {
    const awaited = line.after?.line ?? null;
    if (line.after == null || awaited === null) return { ...line, number: i + 1 };
    const after = now.has(awaited) ? { ...line.after, line: now.get(awaited) ?? null } : null;
    return { ...line, number: i + 1, after };
  });
}
export const added = (lines: readonly Line[], after?: number): Line[] => {
  const at = after === undefined ? lines.length : lines.findIndex((line) => line.number === after) + 1;
  const free = Math.max(0, ...lines.map((line) => line.number)) + 1;
  return renumbered([...lines.slice(0, at), blankLine(free), ...lines.slice(at)]);
};
export const removed = (lines: readonly Line[], number: number): Line[] => renumbered(lines.filter((line) => line.number !== number));
export function moved(lines: readonly Line[], number: number, by: -1 | 1): Line[] {
  return renumbered(lists.moved(lines, lines.findIndex((line) => line.number === number), by));
}

export function targetKind(target: string): TargetKind {
  if (target.startsWith(NEAREST)) return "nearest";
  return PLACE_TARGETS.find((one) => one === target) ?? "entity";
}

export interface Wrong { field: string; key: string; facts?: Facts }
const isSlot = (value: unknown): boolean => typeof value === "string" && /^\{.*\}$/u.test(value);

/** What does not fit in the parameters of a line; what a slot stands for is known only when an event is there. */
export function parameterProblems(line: Line, means: Means | undefined): { code: string; facts: Facts & { field: string } }[] {
  if (means === undefined) return [];
  const given = Object.fromEntries(Object.entries(line.parameters).filter(([, value]) => value !== null && value !== ""));
  return judge(formOf(means, (_, name) => name), given).problems.filter((one) => !isSlot(line.parameters[one.facts.field]));
}

export const numberOr = (typed: string): number | string => (typed.trim() !== "" && !Number.isNaN(Number(typed)) ? Number(typed) : typed);
/** Evidence as it is typed: a name, and the words or numbers of which one will do. */
export interface EvidenceRow { name: string; values: string }
type Evidence = NonNullable<Conditions["evidence"]>;
export const evidenceRows = (evidence: Evidence | undefined): EvidenceRow[] => Object.entries(evidence ?? {}).map(([name, value]) => ({ name, values: [value].flat().join(", ") }));
const plainOf = (typed: string): Plain => (typed === "true" ? true : typed === "false" ? false : numberOr(typed));
export function evidenceOf(rows: readonly EvidenceRow[]): Evidence {
  return Object.fromEntries(rows.map(({ name, values }): [string, Plain | Plain[]] => {
    const all = values.split(/[,，]/u).map((one) => one.trim()).filter((one) => one !== "").map(plainOf);
    return [name, all.length === 1 && all[0] !== undefined ? all[0] : all];
  }));
}
/** Without what was begun and left empty. */
function settledConditions<T extends Conditions>(given: T): T {
  const evidence = Object.fromEntries(Object.entries(given.evidence ?? {}).filter(([name, one]) => name !== "" && one !== "" && !(Array.isArray(one) && one.length === 0)));
  return { ...given, evidence, minutes: given.minutes ?? 0, net: given.net ?? null, value: given.value ?? null };
}
const asksNothing = (given: Conditions): boolean => given.value === null && given.net === null && given.minutes === 0 && Object.keys(given.evidence ?? {}).length === 0;
function settledOnly(given: OnlyIf | null | undefined): OnlyIf | null {
  if (given == null) return null;
  const now = { ...settledConditions(given), event_open: given.event_open ?? true };
  return now.event_open && asksNothing(now) ? null : now;
}
const hasWrongValue = ({ value }: Conditions): boolean => value != null && (value.attribute.trim() === "" || value.value === "");

type Rule = (line: Line, seen: ReadonlySet<number>, means: Means | undefined) => string | null;
const LINE_RULES: readonly [string, Rule][] = [
  ["means", (line) => (line.means === "" ? "playbook.wrong.means" : null)],
  ["target", (line) => (line.target === "" || line.target === NEAREST ? "playbook.wrong.target" : null)],
  ["after", (line, seen) => (line.after?.line != null && !seen.has(line.after.line) ? "playbook.wrong.after" : null)],
  ["minutes", (line) => (line.after != null && !within(line.after.minutes ?? 0, 0, 10_080) ? "playbook.wrong.minutes" : null)],
  ["value", (line) => (hasWrongValue(line.only_if ?? {}) ? "playbook.wrong.value" : null)],
  ["alone", (line) => (line.alone_if == null ? null : hasWrongValue(line.alone_if) ? "playbook.wrong.value" : asksNothing(settledConditions(line.alone_if)) ? "playbook.wrong.alone" : null)],
  ["approval", (line, _, means) => (means?.two_person === true && line.approval === "none" ? "playbook.wrong.approval" : null)],
  ["approve_minutes", (line) => (line.approval !== "none" && !within(line.approve_minutes, 0.01, 1_440) ? "playbook.wrong.approve_minutes" : null)],
  ["answer_s", (line) => (within(line.answer_s, 0.01, 86_400) ? null : "playbook.wrong.answer_s")],
  ["parameters", (line, _, means) => (parameterProblems(line, means).length > 0 ? "playbook.wrong.parameters" : null)],
];
const within = (value: unknown, least: number, most: number): boolean => typeof value === "number" && value >= least && value <= most;

const isNeverValid = ({ valid_from: from, valid_until: until }: Playbook): boolean => from != null && until != null && Date.parse(until) <= Date.parse(from);

/** What is wrong with a playbook, by field; `lines.2.means` is the means of line 2. */
export function check(playbook: Playbook, meansOf: (name: string) => Means | undefined): Wrong[] {
  const head: Wrong[] = [
    ...(ID.test(playbook.id) ? [] : [{ field: "id", key: "playbook.wrong.id" }]),
    ...(Object.values(playbook.name).some((one) => one !== undefined && one.trim() !== "") ? [] : [{ field: "name", key: "playbook.wrong.name" }]),
    ...(playbook.when.kinds.length > 0 ? [] : [{ field: "kinds", key: "playbook.wrong.kinds" }]),
    ...(playbook.when.hours ?? []).flatMap((hours, i) => (hours.from === "" || hours.to === "" ? [{ field: `hours.${i}`, key: "playbook.wrong.hours" }] : [])),
    ...(isNeverValid(playbook) ? [{ field: "valid", key: "playbook.wrong.valid" }] : []),
    ...(playbook.lines.length <= LINES_AT_MOST ? [] : [{ field: "lines", key: "playbook.wrong.lines" }]),
  ];
  const seen = new Set<number>();
  const lines = playbook.lines.flatMap((line) => {
    const found = LINE_RULES.flatMap(([field, rule]) => { const key = rule(line, seen, meansOf(line.means)); return key === null ? [] : [{ field: `lines.${line.number}.${field}`, key }]; });
    seen.add(line.number);
    return found;
  });
  return [...head, ...lines];
}

const filled = (facts: Facts): Facts => Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0)));
function settledWhen(when: When): When {
  const places = filled({ ...when.places });
  return { kinds: when.kinds, severities: when.severities ?? [], hours: when.hours ?? [], places: Object.keys(places).length === 0 ? null : places };
}
/** As it is sent: without what was left empty. */
export const settled = (playbook: Playbook): Playbook => ({
  ...playbook, name: filled(playbook.name), note: filled(playbook.note ?? {}), when: settledWhen(playbook.when),
  lines: playbook.lines.map((line) => ({ ...line, parameters: filled(line.parameters), note: filled(line.note), after: line.after ?? null, only_if: settledOnly(line.only_if), alone_if: line.alone_if == null ? null : settledConditions(line.alone_if), undo_if_missed: line.undo_if_missed ?? false })),
});

export const isChanged = (now: Playbook, from: Playbook): boolean => !lists.same(settled(whole(now)), settled(whole(from)));

export interface LinePair { before: Line | null; after: Line | null }
/** How many lines of two lists can be kept, from each place of either on (the longest common subsequence of their means). */
function keepable(before: readonly Line[], after: readonly Line[]): (i: number, j: number) => number {
  const best = new Map<string, number>();
  const at = (i: number, j: number): number => best.get(`${i} ${j}`) ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) best.set(`${i} ${j}`, before[i]?.means === after[j]?.means ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1)));
  }
  return at;
}
/** Lines of two versions side by side: those of the same means are one line that changed, in the order that keeps most of them. */
export function paired(before: readonly Line[], after: readonly Line[]): LinePair[] {
  const at = keepable(before, after);
  const found: LinePair[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    const step = stepOf(before[i] ?? null, after[j] ?? null, at(i + 1, j) >= at(i, j + 1));
    found.push(step);
    i += Number(step.before !== null);
    j += Number(step.after !== null);
  }
  return found;
}
function stepOf(old: Line | null, now: Line | null, isGone: boolean): LinePair {
  if (old === null || now === null || old.means === now.means) return { before: old, after: now };
  return isGone ? { before: old, after: null } : { before: null, after: now };
}
