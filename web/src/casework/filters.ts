// SPDX-License-Identifier: Apache-2.0
// What a desk asks for: as it stands in its address, as the server is asked, and as a queue is kept. Pure.
import type { StoredQuery } from "@/casework/ask";

export const SCOPES = ["mine", "pool", "held", "helped", "seen"] as const;
export type Scope = (typeof SCOPES)[number];
export const ORDERS = ["due", "priority", "newest", "oldest"] as const;
export type Order = (typeof ORDERS)[number];
export type WhichPhase = "undone" | "suspended" | "closed" | "all";
/** Within which time something is due or was opened. */
export const DUES = ["overdue", "24h", "3d", "7d"] as const;
export const OPENED = ["1d", "7d", "30d"] as const;

export interface Filters {
  scope: Scope; phase: WhichPhase; states: string[]; types: string[]; categories: string[]; departments: string[]; channels: string[];
  assignee: string; due: string; opened: string; words: string; order: Order;
}
export type Address = Record<string, string | string[] | undefined>;

const LISTS = { state: "states", type: "types", category: "categories", department: "departments", channel: "channels" } as const;
const one = (value: string | string[] | null | undefined): string => (Array.isArray(value) ? value[0] : value) ?? "";
const many = (value: string | string[] | null | undefined): string[] => [value ?? []].flat().filter((each) => each !== "");
const among = <T extends string>(value: string, all: readonly T[], otherwise: T): T => all.find((each) => each === value) ?? otherwise;

/** Only what is not done has an order by urgency. */
const isOpenOrder = (order: Order): boolean => order === "due" || order === "priority";
export function fitting(filters: Filters): Filters {
  const wantsClosed = filters.phase === "closed" || filters.phase === "all";
  return wantsClosed && isOpenOrder(filters.order) ? { ...filters, order: "newest" } : filters;
}

export function readAddress(query: Record<string, string | null | (string | null)[] | undefined>): Filters {
  const get = (name: string): string | string[] => [query[name] ?? []].flat().filter((each): each is string => each !== null);
  return fitting({
    scope: among(one(get("scope")), SCOPES, "seen"),
    phase: among(one(get("phase")), ["undone", "suspended", "closed", "all"] as const, "undone"),
    states: many(get("state")), types: many(get("type")), categories: many(get("category")), departments: many(get("department")), channels: many(get("channel")),
    assignee: one(get("assignee")), due: one(get("due")), opened: one(get("opened")), words: one(get("words")), order: among(one(get("order")), ORDERS, "due"),
  });
}

export function toAddress(filters: Filters): Address {
  const plain = { scope: filters.scope, phase: filters.phase === "undone" ? "" : filters.phase, assignee: filters.assignee, due: filters.due, opened: filters.opened, words: filters.words, order: filters.order === "due" ? "" : filters.order };
  const lists = Object.entries(LISTS).map(([name, list]) => [name, filters[list]] as const);
  return Object.fromEntries([...Object.entries(plain).filter(([, value]) => value !== ""), ...lists.filter(([, value]) => value.length > 0)]);
}

const UNIT_MS: Record<string, number> = { h: 3_600_000, d: 86_400_000 };
export const lengthMs = (words: string): number => Number.parseInt(words, 10) * (UNIT_MS[words.slice(-1)] ?? 0);

function phasesOf(filters: Filters): string[] {
  if (filters.phase === "closed" || filters.phase === "suspended") return [filters.phase];
  return filters.phase === "all" || isOpenOrder(filters.order) ? [] : ["open", "suspended"];
}

function timesOf(filters: Filters, nowMs: number): [string, string][] {
  const due: [string, string][] = filters.due === "overdue" ? [["overdue", "true"]] : filters.due === "" ? [] : [["due_before", new Date(nowMs + lengthMs(filters.due)).toISOString()]];
  return filters.opened === "" ? due : [...due, ["created_from", new Date(nowMs - lengthMs(filters.opened)).toISOString()]];
}

/** The question as the server reads it from an address. */
export function toParams(filters: Filters, nowMs: number): URLSearchParams {
  const params = new URLSearchParams([["scope", filters.scope], ["order", filters.order], ...timesOf(filters, nowMs)]);
  for (const [name, list] of Object.entries(LISTS)) for (const value of filters[list]) params.append(name, value);
  for (const phase of phasesOf(filters)) params.append("phase", phase);
  if (filters.assignee !== "") params.set("assignee", filters.assignee);
  if (filters.words !== "") params.set("words", filters.words);
  return params;
}

/** The question as it is kept. Times that move with the clock cannot be kept; `loses` says so. */
export function toStored(filters: Filters): StoredQuery {
  const lists = Object.values(LISTS).filter((list) => filters[list].length > 0).map((list) => [list, filters[list]]);
  return {
    scope: filters.scope, order: filters.order, ...Object.fromEntries(lists), ...(phasesOf(filters).length > 0 ? { phases: phasesOf(filters) } : {}),
    ...(filters.assignee === "" ? {} : { assignee: filters.assignee }), ...(filters.words === "" ? {} : { words: filters.words }), ...(filters.due === "overdue" ? { overdue: true } : {}),
  };
}
export const loses = (filters: Filters): boolean => (filters.due !== "" && filters.due !== "overdue") || filters.opened !== "";

function phaseOf(phases: string[], order: Order): WhichPhase {
  if (phases.length === 1 && (phases[0] === "closed" || phases[0] === "suspended")) return phases[0];
  return phases.length === 0 && !isOpenOrder(order) ? "all" : "undone";
}
export function fromStored(query: StoredQuery): Filters {
  const list = (name: string): string[] => (Array.isArray(query[name]) ? (query[name] as unknown[]).map(String) : []);
  const word = (name: string): string => (typeof query[name] === "string" ? query[name] : "");
  const order = among(word("order"), ORDERS, "due");
  return {
    scope: among(word("scope"), SCOPES, "seen"), phase: phaseOf(list("phases"), order), order, words: word("words"), assignee: word("assignee"), due: query["overdue"] === true ? "overdue" : "", opened: "",
    states: list("states"), types: list("types"), categories: list("categories"), departments: list("departments"), channels: list("channels"),
  };
}

export const NOTHING: Filters = readAddress({});
/** How many parts narrow the list, its scope and words aside. */
export const narrowed = (filters: Filters): number => Object.keys(toAddress({ ...filters, scope: "seen", words: "", order: "due" })).length - 1;
