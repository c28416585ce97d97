// SPDX-License-Identifier: Apache-2.0
// What a draft would change of the version in force, part by part. Pure.
import { fieldsOfForm, titleOfField } from "@/casework/types/form";
import type { Definition } from "@/casework/types/model";
import type { Tab } from "@/casework/types/faults";

export type Change = "added" | "removed" | "changed";
export interface Difference { part: Tab; kind: "state" | "move" | "field" | "deadline" | "personal" | "word"; change: Change; name: string; words: { zh?: string; en?: string }; inside: Inside[] }
/** One word of something that is changed, before and after. */
export interface Inside { name: string; before: unknown; after: unknown }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
function insides(before: unknown, after: unknown): Inside[] {
  const [old, now] = [isObject(before) ? before : { "": before }, isObject(after) ? after : { "": after }];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => !same(old[name], now[name])).map((name) => ({ name, before: old[name], after: now[name] }));
}

type Named = { name: string; words: Difference["words"]; body: unknown };
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function between(before: readonly Named[], after: readonly Named[], part: Tab, kind: Difference["kind"]): Difference[] {
  const [old, now] = [new Map(before.map((one) => [one.name, one])), new Map(after.map((one) => [one.name, one]))];
  const gone = before.filter((one) => !now.has(one.name)).map((one) => ({ one, change: "removed" as const, inside: [] }));
  const rest = after.flatMap((one): { one: Named; change: Change; inside: Inside[] }[] => {
    const was = old.get(one.name);
    if (was === undefined) return [{ one, change: "added", inside: [] }];
    return same(was.body, one.body) ? [] : [{ one, change: "changed", inside: insides(was.body, one.body) }];
  });
  return [...rest, ...gone].map(({ one, change, inside }) => ({ part, kind, change, name: one.name, words: one.words, inside }));
}

const states = (of: Definition): Named[] => Object.entries(of.states).map(([name, state]) => ({ name, words: state.words, body: state }));
/** Those of one name are told apart by their place among them. */
const numbered = (list: readonly { name: string }[], i: number): string => {
  const name = list[i]?.name ?? "";
  const number = list.slice(0, i + 1).filter((one) => one.name === name).length;
  return number === 1 ? name : `${name} (${number})`;
};
const moves = (of: Definition): Named[] => of.moves.map((move, i) => ({ name: numbered(of.moves, i), words: { ...move.words }, body: move }));
const fields = (of: Definition): Named[] => fieldsOfForm(of.form).map((field) => ({ name: field.name, words: titleOfField(field.schema), body: { ...field.schema, required: field.required, when: field.when } }));
const deadlines = (of: Definition): Named[] => of.deadlines.map((rule, i) => ({ name: numbered(of.deadlines, i), words: {}, body: rule }));
const personal = (of: Definition): Named[] => of.personal.map((one) => ({ name: one.name, words: {}, body: one }));
const words = (of: Definition, part: Tab): Named[] => {
  const given: Partial<Record<Tab, unknown>> = {
    basics: { name: of.name, numbering: of.numbering, initial: of.initial },
    form: { searched: of.searched, "x-purpose": of.form["x-purpose"] },
    rules: { transfers: of.transfers, merges_into: of.merges_into, rating: of.rating, extras: of.extras },
  };
  return Object.entries((given[part] ?? {}) as Record<string, unknown>).map(([name, body]) => ({ name, words: {}, body }));
};

export function differences(before: Definition, after: Definition): Difference[] {
  return [
    ...(["basics", "form", "rules"] as const).flatMap((part) => between(words(before, part), words(after, part), part, "word")),
    ...between(states(before), states(after), "states", "state"),
    ...between(moves(before), moves(after), "states", "move"),
    ...between(fields(before), fields(after), "form", "field"),
    ...between(deadlines(before), deadlines(after), "deadlines", "deadline"),
    ...between(personal(before), personal(after), "personal", "personal"),
  ];
}
