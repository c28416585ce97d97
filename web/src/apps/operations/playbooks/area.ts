// SPDX-License-Identifier: Apache-2.0
// An area as corners: what a plain outline is, and one that lies around roads. Pure.
import type { LonLat } from "@/api/types";
import { METRES_OF_A_DEGREE } from "@/map/vehicle-rows";

/** The corners of a plain outline; none of no area, null of an area that is more than that. */
export function cornersOfArea(area: unknown): LonLat[] | null {
  if (area == null) return [];
  const { type, coordinates } = area as { type?: string; coordinates?: LonLat[][] };
  return type === "Polygon" && coordinates?.length === 1 ? (coordinates[0] ?? []).slice(0, -1) : null;
}

/** Fewer than three corners are no area. */
export const areaOf = (corners: readonly LonLat[]): unknown => (corners.length < 3 ? null : { type: "Polygon", coordinates: [[...corners, corners[0]]] });

const SIDES = 8;
/** Left of the line from a to b it is above nothing. */
const turn = (a: LonLat, b: LonLat, c: LonLat): number => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/** The corners of what is around all of these points (Andrew's monotone chain), against the clock. */
export function hull(points: readonly LonLat[]): LonLat[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (from: readonly LonLat[]): LonLat[] => {
    const kept: LonLat[] = [];
    for (const point of from) {
      for (let [a, b] = [kept.at(-2), kept.at(-1)]; a !== undefined && b !== undefined && turn(a, b, point) <= 0; [a, b] = [kept.at(-2), kept.at(-1)]) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

const rounded = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

/** An outline that keeps so many metres from every point of these roads. */
export function around(roads: readonly (readonly LonLat[])[], metres: number): LonLat[] {
  const wide = roads.flat().flatMap(([lon, lat]) => Array.from({ length: SIDES }, (_, side): LonLat => {
    const angle = (2 * Math.PI * side) / SIDES;
    const reach = metres / Math.cos(Math.PI / SIDES) / METRES_OF_A_DEGREE;
    return [lon + (reach * Math.cos(angle)) / Math.cos((lat * Math.PI) / 180), lat + reach * Math.sin(angle)];
  }));
  return hull(wide).map(([lon, lat]): LonLat => [rounded(lon), rounded(lat)]);
}
