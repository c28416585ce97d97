// SPDX-License-Identifier: Apache-2.0
// Times as people type them, in the time zone of the city. Pure.

const PARTS = ["year", "month", "day", "hour", "minute"] as const;

/** As a field for date and time wants it: 2026-11-25T08:30, in a zone. */
export function localOf(atMs: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date(atMs));
  const [year, month, day, hour, minute] = PARTS.map((name) => parts.find((part) => part.type === name)?.value ?? "");
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

/** The moment that such a field means in a zone; NaN for none. An hour that a clock skips is the one after it. */
export function momentOf(local: string, zone: string): number {
  const asUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local) ? Date.parse(`${local}:00Z`) : Number.NaN;
  if (Number.isNaN(asUtc)) return Number.NaN;
  const shift = (atMs: number): number => Date.parse(`${localOf(atMs, zone)}:00Z`) - atMs;
  const guess = asUtc - shift(asUtc);
  return asUtc - shift(guess);
}

/** A moment as such a field shows it; empty for none. */
export const shownIn = (at: string | null, zone: string): string => (at === null ? "" : localOf(Date.parse(at), zone));
/** The moment that was typed: none for an empty field, the one before for half a date. */
export function typedIn(typed: string, zone: string, before: string | null): string | null {
  const atMs = momentOf(typed, zone);
  return typed === "" ? null : Number.isNaN(atMs) ? before : iso(atMs);
}

export const iso = (atMs: number): string => new Date(atMs).toISOString();
