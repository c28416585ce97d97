// SPDX-License-Identifier: Apache-2.0
// What a list of alarms asks for: as it stands in the address, as the server is asked, and whether an alarm belongs to it. Pure.
import type { Severity } from "@/api/types";
import { HANDLED } from "@/alarms/types";
import type { Alarm, Handled } from "@/alarms/types";
import { SEVERITIES } from "@/kit/severity";

export const STATES = ["open", "ended", "all"] as const;
export type State = (typeof STATES)[number];
export const SORTS = ["severity", "-at", "at"] as const;
export type Sort = (typeof SORTS)[number];
/** How far back a list looks; nothing means as far as there is. */
export const SPANS = ["1h", "8h", "24h", "7d"] as const;

export interface Filters {
  state: State; severities: readonly Severity[]; kinds: readonly string[]; handlings: readonly Handled[];
  isMine: boolean; entity: string; group: string; words: string; span: string; sort: Sort; isFlat: boolean;
}
export type Query = Record<string, string | undefined>;

const split = (words: string | undefined): string[] => (words ?? "").split(",").filter((one) => one !== "");
const among = <T extends string>(words: readonly string[], all: readonly T[]): T[] => all.filter((one) => words.includes(one));

export function readFilters(query: Query): Filters {
  return {
    state: among(split(query["state"]), STATES)[0] ?? "open", sort: among(split(query["sort"]), SORTS)[0] ?? "severity",
    severities: among(split(query["severity"]), SEVERITIES), handlings: among(split(query["handling"]), HANDLED), kinds: split(query["kind"]),
    isMine: query["mine"] === "1", entity: query["entity"] ?? "", group: query["group"] ?? "", words: query["q"] ?? "",
    span: among(split(query["span"]), SPANS)[0] ?? "", isFlat: query["flat"] === "1",
  };
}

export const NOTHING: Filters = readFilters({});

/** The parts of the address; those that say nothing are empty, so that they take away what stood there. */
export function toQuery(filters: Filters): Record<string, string> {
  return {
    state: filters.state === "open" ? "" : filters.state, sort: filters.sort === "severity" ? "" : filters.sort,
    severity: filters.severities.join(), handling: filters.handlings.join(), kind: filters.kinds.join(), mine: filters.isMine ? "1" : "",
    entity: filters.entity, group: filters.group, q: filters.words, span: filters.span, flat: filters.isFlat ? "1" : "",
  };
}

/** As a saved filter is kept: the parts that say something. */
export const partsOf = (filters: Filters): Record<string, string> => Object.fromEntries(Object.entries(toQuery(filters)).filter(([, value]) => value !== ""));

/** How many parts narrow the list, words and order aside. */
export const narrowed = (filters: Filters): number => Object.values(toQuery({ ...filters, words: "", sort: "severity", isFlat: false, state: "open" })).filter((value) => value !== "").length;

const UNIT_MS: Record<string, number> = { h: 3_600_000, d: 86_400_000 };
const spanMs = (span: string): number => Number.parseInt(span, 10) * (UNIT_MS[span.slice(-1)] ?? 0);

/** The question as the server is asked it. `atMs` is the moment that is looked at; in the past nothing later is told. */
export function toParams(filters: Filters, atMs: number, isPast: boolean): URLSearchParams {
  const lists: [string, readonly string[]][] = [["kind", filters.kinds], ["severity", filters.severities], ["handling", filters.handlings]];
  const given: [string, string][] = [
    ["state", filters.state], ["sort", filters.sort], ...lists.map(([name, list]): [string, string] => [name, list.join()]),
    ["mine", filters.isMine ? "1" : ""], ["entity_id", filters.entity], ["group", filters.group], ["q", filters.words.trim()],
    ["since", filters.span === "" ? "" : new Date(atMs - spanMs(filters.span)).toISOString()], ["until", isPast ? new Date(atMs).toISOString() : ""],
  ];
  return new URLSearchParams(given.filter(([, value]) => value !== ""));
}

const WORST: Record<Severity, number> = { I: 0, II: 1, III: 2, IV: 3 };
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const newest = (a: Alarm, b: Alarm): number => byText(b.at, a.at) || byText(b.id, a.id);
const ORDER: Record<Sort, (a: Alarm, b: Alarm) => number> = {
  "severity": (a, b) => WORST[a.severity] - WORST[b.severity] || newest(a, b),
  "-at": newest,
  "at": (a, b) => newest(b, a),
};
export const orderOf = (sort: Sort): ((a: Alarm, b: Alarm) => number) => ORDER[sort];

const isState = (alarm: Alarm, state: State): boolean => state === "all" || (alarm.ended_at === null) === (state === "open");
const isIn = (value: string, list: readonly string[]): boolean => list.length === 0 || list.includes(value);

/** Whether an alarm belongs to a list, as far as the browser can tell: words are the server's matter. */
export function belongs(alarm: Alarm, filters: Filters, account: string | null): boolean {
  return [
    isState(alarm, filters.state), isIn(alarm.severity, filters.severities), isIn(alarm.kind, filters.kinds), isIn(alarm.handling.state, filters.handlings),
    !filters.isMine || alarm.handling.taken_by === account, filters.entity === "" || alarm.entity_id === filters.entity, filters.group === "" || alarm.group === filters.group,
  ].every(Boolean);
}
