// SPDX-License-Identifier: Apache-2.0
// What each act asks for as a form, what is sent of it, and what of a case became different. Pure.
import type { Facts, Text } from "@/api/types";
import { titleOf } from "@/kit/schema";
import type { Schema } from "@/kit/schema";
import type { Act } from "@/casework/ask";
import { both } from "@/casework/both";
import { fromLocalTime, localTime, numbersIn } from "@/casework/words";
import type { Case, CaseType, Detail, Move, Task, Verb } from "@/casework/types";

/** An act that somebody chose: a move, a task of the process, or another verb. */
export interface Choice { verb: Verb; move?: Move; task?: Task; department?: string }
/** What was filled in: what the act itself asks for, and fields of the case. */
export interface Filled { facts: Facts; fields: Facts }
export interface ActForm { facts: Schema; fields: readonly string[] | "all" | null }

const LONG = { type: "string", maxLength: 5000 };
const PARTS: Record<string, Schema> = {
  reason: { type: "string", maxLength: 2000, "x-title": both("work.part.reason") },
  answer: { ...LONG, "x-title": both("work.part.answer") },
  department: { type: "string", "x-title": both("work.part.department") },
  assignee: { type: "string", "x-title": both("work.part.assignee") },
  due_at: { type: "string", "x-title": both("work.part.due_at") },
  text: { ...LONG, "x-title": both("work.part.text") },
  kind: { enum: ["internal", "public"], default: "internal", "x-title": both("work.part.kind"), "x-choices": { internal: both("work.kind.internal"), public: both("work.kind.public") } },
  task: { type: "string", maxLength: 2000, "x-title": both("work.part.task") },
  part_answer: { ...LONG, "x-title": both("work.part.part_answer") },
  to: { type: "string", "x-title": both("work.part.to") },
  link: { enum: ["follows", "parent", "duplicate_of"], default: "follows", "x-title": both("work.part.link"), "x-choices": { follows: both("work.link.follows"), parent: both("work.link.parent"), duplicate_of: both("work.link.duplicate_of") } },
  numbers: { type: "string", maxLength: 2000, "x-title": both("work.part.numbers"), description: both("work.part.numbers_about") },
  titles: { type: "array", items: { type: "string" }, minItems: 1, "x-title": both("work.part.titles") },
  title: { type: "string", minLength: 1, maxLength: 200, "x-title": both("work.part.title") },
  priority: { enum: [1, 2, 3, 4, 5], "x-title": both("work.part.priority"), "x-choices": { 1: both("work.priority.1"), 2: both("work.priority.2"), 3: both("work.priority.3"), 4: both("work.priority.4"), 5: both("work.priority.5") } },
  category: { type: "string", maxLength: 100, "x-title": both("work.part.category") },
  address: { type: "string", maxLength: 200, "x-title": both("work.part.address") },
  longitude: { type: "number", minimum: -180, maximum: 180, "x-title": both("work.part.longitude") },
  latitude: { type: "number", minimum: -90, maximum: 90, "x-title": both("work.part.latitude") },
};
/** Of each verb the parts of its form; those with a question mark may stay empty. */
const FORMS: Partial<Record<Verb, readonly string[]>> = {
  assign: ["assignee", "reason?"], to_pool: ["reason?"], transfer: ["department", "reason"], return: ["reason"], edit: ["title", "priority", "category?", "address?", "longitude?", "latitude?"],
  plan: ["due_at", "reason"], comment: ["kind", "text"], join: ["department", "task"], leave: ["part_answer"], link: ["link", "to"], merge: ["numbers", "reason"], split: ["titles", "department"], convert: [], take: [], task: [],
};

function schemaOfParts(parts: readonly string[]): Schema {
  const names = parts.map((part) => part.replace("?", ""));
  return { type: "object", properties: Object.fromEntries(names.map((name) => [name, PARTS[name] ?? {}])), required: parts.filter((part) => !part.endsWith("?")) };
}

export function formOf(choice: Choice): ActForm {
  const { move } = choice;
  if (choice.verb === "move" && move !== undefined) {
    // An answer says it all; else a word on why may be left.
    const optional = ["reason?"].filter(() => !move.needs.includes("reason") && !move.needs.includes("answer"));
    return { facts: schemaOfParts([...move.needs, ...optional]), fields: move.fields.length > 0 ? move.fields : null };
  }
  return { facts: schemaOfParts(FORMS[choice.verb] ?? []), fields: choice.verb === "edit" ? "all" : null };
}
/** Done without a form: nothing has to be said, and it can be taken back. What closes a case is asked for. */
export function isPlain({ verb, move }: Choice, type: CaseType | undefined): boolean {
  if (move !== undefined) return move.needs.length === 0 && move.fields.length === 0 && type?.states[move.to]?.phase !== "closed";
  return verb === "take" || verb === "convert";
}

const EDITED = ["title", "priority", "category", "address", "longitude", "latitude"] as const;

const START: Partial<Record<Verb, (of: Case, zone: string) => Facts>> = {
  edit: (of) => Object.fromEntries(EDITED.filter((name) => of[name] !== null && of[name] !== "").map((name) => [name, of[name]])),
  plan: (of, zone) => (of.due_at === null ? {} : { due_at: localTime(of.due_at, zone) }),
  comment: () => ({ kind: "internal" }),
  link: () => ({ link: "follows" }),
};

/** What stands in the form when it opens. */
export function startOf(choice: Choice, { case: of }: Pick<Detail, "case">, zone: string): Filled {
  const fields = choice.verb === "edit" || (choice.move?.fields.length ?? 0) > 0 ? of.fields : {};
  return { facts: START[choice.verb]?.(of, zone) ?? {}, fields };
}

/** The fields that became different; what was emptied is null, which takes it away, since what is not named stays. */
export function changedFields(before: Facts, now: Facts): Facts {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return Object.fromEntries(names.map((name) => [name, now[name] ?? null]));
}

/** Fields with changes put over them: what a change takes away is there no more. */
export function putOver(fields: Facts, changes: Facts): Facts {
  return Object.fromEntries(Object.entries({ ...fields, ...changes }).filter(([name, value]) => value !== null || !(name in changes)));
}

function edited(of: Case, { facts, fields }: Filled): Facts {
  const given = EDITED.filter((name) => (facts[name] ?? "") !== (of[name] ?? "")).map((name) => [name, facts[name] ?? (name === "longitude" || name === "latitude" ? null : "")]);
  return { ...Object.fromEntries(given), fields: changedFields(of.fields, fields) };
}
function parts(of: Case, facts: Facts): Facts {
  const titles = Array.isArray(facts["titles"]) ? facts["titles"].map(String).filter((title) => title.trim() !== "") : [];
  const { type, fields, channel, category, priority, longitude, latitude, address } = of;
  return { openings: titles.map((title) => ({ type, title, department: facts["department"] ?? of.department, fields, channel, category, priority, longitude, latitude, address })) };
}

/** Looks up cases by their numbers. */
export type Lookup = (numbers: string[]) => Promise<number[]>;
type Make = (of: Case, filled: Filled, lookup: Lookup, zone: string, choice: Choice) => Facts | Promise<Facts>;
const MAKE: Partial<Record<Verb, Make>> = {
  move: (of, { facts, fields }, _lookup, _zone, { move }) => ({ move: move?.name, ...facts, fields: (move?.fields.length ?? 0) > 0 ? changedFields(of.fields, fields) : {} }),
  edit: edited,
  plan: (_of, { facts }, _lookup, zone) => ({ due_at: fromLocalTime(String(facts["due_at"]), zone) ?? facts["due_at"], reason: facts["reason"] }),
  leave: (_of, { facts }, _lookup, _zone, { department }) => ({ department, answer: facts["part_answer"] }),
  link: async (_of, { facts }, lookup) => ({ to: (await lookup(numbersIn(String(facts["to"]))))[0], kind: facts["link"] }),
  merge: async (_of, { facts }, lookup) => ({ ids: await lookup(numbersIn(String(facts["numbers"]))), reason: facts["reason"] }),
  split: (of, { facts }) => parts(of, facts),
  task: (_of, { fields }, _lookup, _zone, { task }) => ({ task: task?.task, data: fields }),
};

/** What is sent. */
export async function actOf(choice: Choice, filled: Filled, detail: Detail, { lookup, zone, version }: { lookup: Lookup; zone: string; version: number }): Promise<Act> {
  const make = MAKE[choice.verb];
  const said = make === undefined ? filled.facts : await make(detail.case, filled, lookup, zone, choice);
  return { ...said, verb: choice.verb, expected_version: version };
}

export interface Difference { name: string; label: Text; before: unknown; now: unknown }
const COMPARED = ["state", "department", "assignee", "title", "priority", "category", "address", "due_at"] as const;
/** What of a case is different from what somebody had before them. */
export function differences(before: Case, now: Case, type: CaseType | undefined, words: (name: string) => Text): Difference[] {
  const plain = COMPARED.filter((name) => before[name] !== now[name]).map((name) => ({ name, label: words(name), before: before[name], now: now[name] }));
  const properties = (type?.form["properties"] ?? {}) as Record<string, Schema>;
  const names = [...new Set([...Object.keys(before.fields), ...Object.keys(now.fields)])].filter((name) => JSON.stringify(before.fields[name]) !== JSON.stringify(now.fields[name]));
  return [...plain, ...names.map((name) => ({ name: `fields.${name}`, label: titleOf(properties[name] ?? {}, name), before: before.fields[name], now: now.fields[name] }))];
}

/** What was typed for a case as it was, for the case as it is: what was not touched is as the newer one has it. */
export function rebase(choice: Choice, filled: Filled, before: Case, now: Case): Filled {
  const fields = Object.keys(filled.fields).length === 0 ? {} : putOver(now.fields, changedFields(before.fields, filled.fields));
  if (choice.verb !== "edit") return { facts: filled.facts, fields };
  const untouched = EDITED.filter((name) => (filled.facts[name] ?? "") === (before[name] ?? ""));
  const kept = Object.fromEntries(Object.entries(filled.facts).filter(([name]) => !untouched.some((one) => one === name)));
  return { facts: { ...kept, ...Object.fromEntries(untouched.filter((name) => (now[name] ?? "") !== "").map((name) => [name, now[name]])) }, fields };
}

/** Where the draft of an act is kept. */
export const placeOf = (id: number, choice: Choice): string => `case:${id}:${choice.task?.element ?? choice.move?.name ?? choice.verb}`;

/** What every case is opened with, whatever its type asks for. */
export const openingForm: Schema = schemaOfParts(["title", "department", "priority", "category?", "address?", "longitude?", "latitude?"]);
