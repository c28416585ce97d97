// SPDX-License-Identifier: Apache-2.0
// What an event is about and what stands beside it, and which means fit any of that. Pure.
import { nameOf } from "@/api/live";
import type { Network } from "@/api/types";
import type { Alarm } from "@/alarms/types";
import type { Means } from "@/orders/types";

export interface Subject { id: string; type: string; name: string }

const typeOf = (id: string): string => (id.startsWith("urn:") ? (id.split(":")[2] ?? "") : "");
const subject = (id: string): Subject => ({ id, type: typeOf(id), name: nameOf(id) });

/** The entity itself, the others of its cause, its road, and the nearest signal. */
export function subjects(alarm: Alarm, network: Network | null): Subject[] {
  const place = (alarm.evidence["place"] ?? {}) as Record<string, unknown>;
  const road = typeof place["road"] === "string" ? [place["road"]] : [];
  const point = pointOf(alarm);
  const near = point === null || network === null ? [] : [...network.signals].sort((a, b) => away(a.point, point) - away(b.point, point)).slice(0, 1).map((signal) => signal.id);
  return [...new Set([alarm.entity_id, ...road, ...(alarm.because.entity_ids ?? []).slice(0, 8), ...near])].map(subject);
}

/** Means that can be used on any of these, the executable ones. */
export const fitting = (means: readonly Means[], subjects: readonly Subject[]): Means[] => means.filter((one) => one.entity_types.length === 0 || subjects.some((each) => one.entity_types.includes(each.type)));

type Point = readonly [number, number];
const away = (a: Point, b: Point): number => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;

/** Somewhere on what the event shows on the map. */
export function pointOf(alarm: Pick<Alarm, "geometry">): Point | null {
  const { geometry } = alarm;
  if (geometry === null || geometry.type === "GeometryCollection") return null;
  let at: unknown = geometry.coordinates;
  while (Array.isArray(at) && Array.isArray(at[0])) at = at[Math.floor(at.length / 2)];
  return Array.isArray(at) && typeof at[0] === "number" && typeof at[1] === "number" ? [at[0], at[1]] : null;
}
