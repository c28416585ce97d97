// SPDX-License-Identifier: Apache-2.0
// Before and after: what a difference with its bounds says in one word, and the box of the map. Pure.
import type { Difference } from "@/apps/traffic/types";
import type { View } from "@/map/engine";

export type Said = "better" | "worse" | "uncertain" | "unknown";

/** Better or worse only where the whole interval lies on one side of nothing. */
export function saidOf(one: Pick<Difference, "before" | "after" | "low" | "high" | "lower_is_better">): Said {
  if (one.before === null || one.after === null || one.low === null || one.high === null) return "unknown";
  if (one.low <= 0 && one.high >= 0) return "uncertain";
  return one.high < 0 === one.lower_is_better ? "better" : "worse";
}

const TILE_PX = 512;
/** The box that a view of so many pixels shows: west, south, east, north (web Mercator). */
export function boxOf(view: View, width: number, height: number): [number, number, number, number] {
  const world = TILE_PX * 2 ** view.zoom;
  const halfLon = (width / 2 / world) * 360;
  const y = Math.log(Math.tan(Math.PI / 4 + (view.lat * Math.PI) / 360));
  const lat = (by: number): number => (2 * Math.atan(Math.exp(y + by)) - Math.PI / 2) * (180 / Math.PI);
  const halfY = (height / 2 / world) * 2 * Math.PI;
  return [view.lon - halfLon, lat(-halfY), view.lon + halfLon, lat(halfY)];
}
