// SPDX-License-Identifier: Apache-2.0
// A definition of a type of case as the editor holds it, and the changes that touch more than one part of it.
import type { Facts, Text } from "@/api/types";
import type { Move, Schema, StateOfType } from "@/casework/types";
import { copied } from "@/kit/lists";

export interface Escalation { to: string[]; after: string | null }
export interface Deadline {
  name: string; within: string; begins: string[]; ends: string[]; priorities: number[]; categories: string[]; channels: string[];
  pauses: boolean; warn: string[]; warn_to: string[]; escalate: Escalation[];
}
export interface Personal { name: string; purpose: string; legal_basis: string; retention: { keep: string; then: string; law: string }; sort: string; sensitive: boolean }
export interface Transfers { at_most: number; returns_at_most: number; return_roles: string[]; states: string[]; to_state: string | null }
export interface Definition {
  id: string; name: Text; version: number; valid_from: string | null; valid_to: string | null; initial: string; states: Record<string, StateOfType>; moves: Move[];
  form: Schema; searched: string[]; deadlines: Deadline[]; personal: Personal[]; numbering: string; rating: boolean; transfers: Transfers; merges_into: string | null; extras: Facts;
}
export interface VersionHead { version: number; valid_from: string; valid_to: string | null; published_by: string; published_at: string; has_process: boolean }
export interface TypeVersions { id: string; name: Text; versions: VersionHead[] }
export interface Fault { code: string; facts: Facts }

export const PHASES = ["open", "suspended", "closed"] as const;
export const NEEDS = ["reason", "answer", "department", "assignee"] as const;
export const EVENTS = ["opened", "reopened", "assigned", "transferred", "closed"] as const;
export const BASES = ["consent", "contract", "duty", "emergency", "news", "published", "law"] as const;
export const THENS = ["erase", "anonymise", "keep_by_law"] as const;
export const SORTS = ["phone", "id_number", "name", "address", "email", "other"] as const;
export const ID = /^[a-z][a-z0-9_]{0,49}$/;

/** Words without the languages that nothing is said in, so that the other language stands in for them. */
export const said = (words: Text): Text => Object.fromEntries(Object.entries(words).filter(([, each]) => each !== ""));

export const newMove = (name: string, from: string[], to: string): Move => ({ name, from, to, permission: "case.work", roles: [], helpers: false, automatic: false, needs: [], fields: [], assignee: "keep", priority: null, words: {} });
export const newDeadline = (name: string): Deadline => ({ name, within: "3wd", begins: ["opened", "reopened"], ends: ["closed"], priorities: [], categories: [], channels: [], pauses: true, warn: ["80%"], warn_to: ["assignee"], escalate: [] });
export const newPersonal = (name: string, purpose: string): Personal => ({ name, purpose, legal_basis: "duty", retention: { keep: "P365D", then: "erase", law: "" }, sort: "other", sensitive: false });
const NO_TRANSFERS: Transfers = { at_most: 3, returns_at_most: 2, return_roles: [], states: [], to_state: null };

/** A type that works, to begin with: a case is opened and finished. */
export function blank(id: string, name: Text): Definition {
  return {
    id, name: { ...name }, version: 0, valid_from: null, valid_to: null, initial: "new",
    states: { new: { phase: "open", words: { zh: "待办", en: "New" } }, done: { phase: "closed", words: { zh: "已办结", en: "Done" } } },
    moves: [{ ...newMove("finish", ["new"], "done"), words: { zh: "办结", en: "Finish" } }],
    form: { type: "object", properties: {}, required: [] }, searched: [], deadlines: [], personal: [], numbering: "{type}{yyyymmdd}{seq:4}", rating: false,
    transfers: copied(NO_TRANSFERS), merges_into: null, extras: {},
  };
}

/** A definition in which everything that may be left out is there. */
export function complete(given: Definition): Definition {
  const found = copied(given);
  return {
    ...found,
    deadlines: found.deadlines.map((one) => ({ ...newDeadline(one.name), ...one, escalate: (one.escalate ?? []).map((step) => ({ to: step.to ?? [], after: step.after ?? null })) })),
    personal: found.personal.map((one) => ({ ...newPersonal(one.name, one.purpose), ...one, retention: { ...newPersonal("", "").retention, ...one.retention } })),
    transfers: { ...NO_TRANSFERS, ...found.transfers },
  };
}

/** What is changed to be published as the version after `newest`: in force at once, for as long as nothing follows. */
export const draftOf = (given: Definition, newest: number): Definition => ({ ...complete(given), version: newest, valid_from: null, valid_to: null });

/** A definition as it is sent: without words that nobody wrote. */
export const sendable = (of: Definition): Definition => ({
  ...of, name: said(of.name), moves: of.moves.map((move) => ({ ...move, words: said(move.words) })),
  states: Object.fromEntries(Object.entries(of.states).map(([id, state]) => [id, { ...state, words: said(state.words) }])),
});

const swapped = (list: string[], from: string, to: string): string[] => list.map((one) => (one === from ? to : one));

export function renameState(of: Definition, from: string, to: string): boolean {
  if (from === to || !ID.test(to) || to in of.states) return false;
  const renamed = (id: string): string => (id === from ? to : id);
  of.states = Object.fromEntries(Object.entries(of.states).map(([id, state]) => [renamed(id), state]));
  of.initial = renamed(of.initial);
  of.merges_into = of.merges_into && renamed(of.merges_into);
  of.transfers.to_state = of.transfers.to_state && renamed(of.transfers.to_state);
  of.transfers.states = swapped(of.transfers.states, from, to);
  for (const move of of.moves) {
    move.from = swapped(move.from, from, to);
    move.to = renamed(move.to);
  }
  for (const rule of of.deadlines) {
    rule.begins = swapped(rule.begins, `state:${from}`, `state:${to}`);
    rule.ends = swapped(rule.ends, `state:${from}`, `state:${to}`);
  }
  return true;
}

/** Takes a state away, with the moves that only begin there; what leads there stays and is told as a fault. */
export function removeState(of: Definition, id: string): void {
  of.states = Object.fromEntries(Object.entries(of.states).filter(([each]) => each !== id));
  for (const move of of.moves) move.from = move.from.filter((each) => each !== id);
  of.moves = of.moves.filter((move) => move.from.length > 0);
}

export function shiftState(of: Definition, id: string, by: number): void {
  const order = Object.keys(of.states);
  shift(order, order.indexOf(id), by);
  of.states = Object.fromEntries(order.flatMap((each) => { const state = of.states[each]; return state === undefined ? [] : [[each, state]]; }));
}

/** Moves an entry up or down a list. */
export function shift<T>(list: T[], at: number, by: number): void {
  const to = at + by;
  if (at < 0 || to < 0 || to >= list.length) return;
  const [one] = list.splice(at, 1);
  if (one !== undefined) list.splice(to, 0, one);
}

/** An id that is not taken yet. */
export function freeId(taken: readonly string[], stem: string): string {
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? stem : `${stem}_${n}`;
    if (!taken.includes(id)) return id;
  }
}

/** How the next number would read, or nothing when the pattern cannot be used. */
export function exampleNumber(pattern: string, type: string, day: string): string | null {
  const found = /^((?:[A-Za-z0-9_-]|\{(?:type|yyyymmdd|yyyymm|yyyy)\})*)\{seq:([1-9])\}$/.exec(pattern);
  if (found === null) return null;
  const digits = day.replaceAll("-", "");
  const fixed = (found[1] ?? "").replaceAll("{type}", type.toUpperCase()).replaceAll("{yyyymmdd}", digits).replaceAll("{yyyymm}", digits.slice(0, 6)).replaceAll("{yyyy}", digits.slice(0, 4));
  return `${fixed}${"1".padStart(Number(found[2]), "0")}`;
}
