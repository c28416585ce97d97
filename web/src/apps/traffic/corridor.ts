// SPDX-License-Identifier: Apache-2.0
// A corridor in time and distance: where things lie, how one would have driven, what each signal showed. Pure.
import type { Corridor, Green, Stop, Stretch } from "@/apps/traffic/types";

export interface Frame { fromMs: number; toMs: number; lengthM: number; left: number; top: number; width: number; height: number }
export type Way = [number, number][];

export const frameOf = (corridor: Corridor, box: { left: number; top: number; width: number; height: number }): Frame => ({
  fromMs: Date.parse(corridor.since), toMs: Date.parse(corridor.until), lengthM: Math.max(1, corridor.stops.at(-1)?.distance_m ?? 1), ...box,
});
export const xOf = (frame: Frame, atMs: number): number => frame.left + ((atMs - frame.fromMs) / Math.max(1, frame.toMs - frame.fromMs)) * frame.width;
/** The way there goes up: the first signal lies at the bottom. */
export const yOf = (frame: Frame, metres: number): number => frame.top + (1 - metres / frame.lengthM) * frame.height;
export const timeAt = (frame: Frame, x: number): number => Math.min(frame.toMs, Math.max(frame.fromMs, frame.fromMs + ((x - frame.left) / frame.width) * (frame.toMs - frame.fromMs)));

const within = (green: Green, atMs: number): boolean => Date.parse(green.begins_at) <= atMs && atMs < Date.parse(green.ends_at);
export const isGreen = (greens: readonly Green[], atMs: number): boolean => greens.some((green) => within(green, atMs));

/** The speed of a stretch as it was last known; before the first sample the first, without any the limit. */
export function speedAt(stretch: Stretch, atMs: number): number {
  const last = stretch.speeds.filter((one) => Date.parse(one.at) <= atMs).at(-1) ?? stretch.speeds[0];
  return Math.max(1, last?.kmh ?? stretch.limit_kmh);
}

function passes(stop: Stop, atMs: number): number | null {
  if (isGreen(stop.there, atMs)) return atMs;
  const next = stop.there.map((green) => Date.parse(green.begins_at)).filter((begins) => begins >= atMs).sort((a, b) => a - b)[0];
  return next ?? null;
}

interface Leg { stretch: Stretch; fromM: number; stop: Stop; isLast: boolean }
const legs = (corridor: Corridor): Leg[] => corridor.stretches.flatMap((stretch, i) => {
  const [before, stop] = [corridor.stops[i], corridor.stops[i + 1]];
  return before === undefined || stop === undefined ? [] : [{ stretch, fromM: before.distance_m, stop, isLast: i + 1 === corridor.stretches.length }];
});

/** One stretch from a time on: the points it adds, and when one goes on; null when what is known ends before. */
function drivenLeg(leg: Leg, atMs: number, untilMs: number): { points: Way; goesMs: number | null } {
  const tookMs = (leg.stretch.length_m / (speedAt(leg.stretch, atMs) / 3.6)) * 1000;
  const thereMs = atMs + tookMs;
  const metres = leg.stop.distance_m;
  if (thereMs > untilMs) return { points: [[untilMs, leg.fromM + (metres - leg.fromM) * ((untilMs - atMs) / tookMs)]], goesMs: null };
  const goesMs = leg.isLast ? thereMs : passes(leg.stop, thereMs);
  const waits: Way = goesMs === thereMs ? [] : [[goesMs ?? untilMs, metres]];
  return { points: [[thereMs, metres], ...waits], goesMs };
}

/** The way of somebody who sets out at the first signal and waits where it is red; it ends with what is known. */
export function driven(corridor: Corridor, startMs: number): Way {
  const way: Way = [[startMs, corridor.stops[0]?.distance_m ?? 0]];
  let atMs: number | null = startMs;
  for (const leg of legs(corridor)) {
    if (atMs === null) break;
    const { points, goesMs } = drivenLeg(leg, atMs, Date.parse(corridor.until));
    way.push(...points);
    atMs = goesMs;
  }
  return way;
}

/** One way for each green of the first signal. */
export const ways = (corridor: Corridor): Way[] => (corridor.stops[0]?.there ?? []).map((green) => driven(corridor, Date.parse(green.begins_at)));

export interface Summary { share: number; cycleS: number | null; greens: number }
/** Of a span the share of green, and how often it began anew. */
export function summaryOf(greens: readonly Green[], fromMs: number, toMs: number): Summary {
  const lengths = greens.map((green) => Math.min(toMs, Date.parse(green.ends_at)) - Math.max(fromMs, Date.parse(green.begins_at))).filter((ms) => ms > 0);
  const begins = greens.map((green) => Date.parse(green.begins_at));
  const [first, last] = [begins[0], begins.at(-1)];
  return { share: lengths.reduce((sum, ms) => sum + ms, 0) / Math.max(1, toMs - fromMs), greens: greens.length, cycleS: begins.length > 1 && first !== undefined && last !== undefined ? (last - first) / (begins.length - 1) / 1000 : null };
}

/** Times for the axis, at most `most`, at whole steps. */
export function ticks(fromMs: number, toMs: number, most: number): number[] {
  const stepMs = [10, 30, 60, 120, 300, 600, 1800, 3600].map((s) => s * 1000).find((step) => (toMs - fromMs) / step <= most) ?? 7_200_000;
  const found: number[] = [];
  for (let at = Math.ceil(fromMs / stepMs) * stepMs; at <= toMs; at += stepMs) found.push(at);
  return found;
}
