// SPDX-License-Identifier: Apache-2.0
// The one clock of the page: live, or a replay of a past time. Every panel follows it.
import { computed, reactive } from "vue";
import type { Extent } from "@/api/types";

export type Mode = "live" | "replay";
export const RATES = [1, 2, 5, 10, 20, 60] as const;
export const STEP_MS = 60_000;

export interface Span { fromMs: number; toMs: number }

export const clock = reactive({
  mode: "live" as Mode,
  atMs: 0,
  playing: false,
  rate: 10,
  span: null as Span | null,
});

export const isLive = computed(() => clock.mode === "live");

export function spanOf(extent: Extent): Span | null {
  if (extent.from === null || extent.to === null) return null;
  return { fromMs: Date.parse(extent.from), toMs: Date.parse(extent.to) };
}

/** When each of the city's days began of which something was kept, oldest first. */
export function daysOf(span: Span | null, days: readonly { begins_at: string; ends_at: string }[]): number[] {
  return days.filter((day) => span !== null && Date.parse(day.ends_at) > span.fromMs && Date.parse(day.begins_at) < span.toMs)
    .map((day) => Date.parse(day.begins_at)).sort((a, b) => a - b);
}

export function within(atMs: number, span: Span | null): number {
  if (span === null) return atMs;
  return Math.min(span.toMs, Math.max(span.fromMs, atMs));
}

/** Where the replay stands after `elapsedMs` of wall time; it stops at the end of what is known. */
export function advance(atMs: number, rate: number, elapsedMs: number, span: Span | null): { atMs: number; ended: boolean } {
  const wanted = atMs + rate * elapsedMs;
  const reached = within(wanted, span);
  return { atMs: reached, ended: reached < wanted };
}

/** The city's time between two messages: runs on at its speed, but at most `HOLD_MS` of wall time beyond the last one. */
export const HOLD_MS = 1500;
export function cityNow(lastAtMs: number, speed: number | null, sinceMs: number): number {
  return lastAtMs + (speed ?? 0) * Math.min(Math.max(0, sinceMs), HOLD_MS);
}

/** The time of the neighbouring event, or null: `side` -1 before, 1 after. Equal times are not neighbours. */
export function neighbour(timesMs: readonly number[], atMs: number, side: -1 | 1): number | null {
  const there = timesMs.filter((time) => (side === 1 ? time > atMs + 500 : time < atMs - 500));
  if (there.length === 0) return null;
  return side === 1 ? Math.min(...there) : Math.max(...there);
}

export function goLive(): void {
  clock.mode = "live";
  clock.playing = false;
}

export function replayAt(atMs: number): void {
  clock.atMs = within(atMs, clock.span);
  clock.mode = "replay";
}
