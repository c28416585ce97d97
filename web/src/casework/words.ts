// SPDX-License-Identifier: Apache-2.0
// How long until something is due, how old it is, and how urgent that is. Pure.
import type { Severity } from "@/api/types";
import type { Key } from "@/i18n";
import type { CaseRow } from "@/casework/types";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LONG_HOURS = 48 * HOUR;

export interface Told { key: Key; n: number }
export interface Due extends Told { severity: Severity | null }

/** Whole units that are surely over: what is almost two hours is one hour and a bit. */
function lengthOf(ms: number, keys: readonly [Key, Key, Key]): Told {
  if (ms < HOUR) return { key: keys[0], n: Math.max(1, Math.floor(ms / MINUTE)) };
  if (ms < LONG_HOURS) return { key: keys[1], n: Math.floor(ms / HOUR) };
  return { key: keys[2], n: Math.floor(ms / DAY) };
}
const LEFT = ["work.due_minutes", "work.due_hours", "work.due_days"] as const;
const OVER = ["work.over_minutes", "work.over_hours", "work.over_days"] as const;
const SINCE = ["work.age_minutes", "work.age_hours", "work.age_days"] as const;

const SOON = 2 * HOUR;
type Timed = Pick<CaseRow, "phase" | "due_at" | "closed_at" | "warned_at">;

function closed(row: Timed): Due | null {
  if (row.due_at === null || row.closed_at === null) return null;
  const isLate = Date.parse(row.closed_at) > Date.parse(row.due_at);
  return { key: isLate ? "work.was_late" : "work.was_in_time", n: 0, severity: null };
}

/** What is said of the time limit of a case; nothing where there is none. In a case that rests it stands still. */
export function dueOf(row: Timed, nowMs: number): Due | null {
  if (row.phase === "closed") return closed(row);
  if (row.due_at === null) return null;
  if (row.phase === "suspended") return { key: "work.due_rests", n: 0, severity: null };
  const leftMs = Date.parse(row.due_at) - nowMs;
  if (leftMs < 0) return { ...lengthOf(-leftMs, OVER), severity: "I" };
  const severity: Severity = leftMs <= SOON || row.warned_at !== null ? "II" : leftMs <= DAY ? "III" : "IV";
  return { ...lengthOf(leftMs, LEFT), severity };
}

export const ageOf = (at: string, nowMs: number): Told => lengthOf(Math.max(0, nowMs - Date.parse(at)), SINCE);

const UNITS = ["B", "kB", "MB", "GB"];
export function sizeWords(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < UNITS.length - 1) { size /= 1000; unit += 1; }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit] ?? ""}`;
}


/** Numbers that somebody typed or pasted: by blanks, commas or lines. */
export const numbersIn = (words: string): string[] => words.split(/[\s,，;；、]+/u).filter((one) => one !== "");

/** The place of a value in a `<input type="datetime-local">`, in a city's own time, and back. */
export function localTime(iso: string, zone: string): string {
  const parts = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(new Date(iso));
  return parts.replace(" ", "T");
}
export function fromLocalTime(words: string, zone: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(words)) return null;
  const asIfUtc = Date.parse(`${words}:00Z`);
  if (Number.isNaN(asIfUtc)) return null;
  let at = asIfUtc;
  for (let round = 0; round < 3; round += 1) at += asIfUtc - Date.parse(`${localTime(new Date(at).toISOString(), zone)}:00Z`);
  return new Date(at).toISOString();
}
