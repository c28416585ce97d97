// SPDX-License-Identifier: Apache-2.0
// A small plan of a junction: stop lines and junction surface in pixels of a fixed box, north up.
import type { Junction, LonLat, Signal } from "@/api/types";

export interface PlanLine { lane: string; x1: number; y1: number; x2: number; y2: number; markX: number; markY: number }
export interface Plan { lines: PlanLine[]; surfaces: string[] }

/** How far from the signal a junction surface may lie to be drawn (degrees of latitude, about 90 m). */
const NEAR_DEG = 0.0008;

export function planOf(signal: Signal, junctions: readonly Junction[], { width, height }: { width: number; height: number }): Plan {
  const squash = Math.cos((signal.point[1] * Math.PI) / 180);
  const ends = signal.heads.flatMap((head) => head.line);
  const [lon, lat] = centreOf(ends.length === 0 ? [signal.point] : ends);
  const reach = Math.max(0.0001, ...ends.map(([x, y]) => Math.max((Math.abs(x - lon) * squash * height) / width, Math.abs(y - lat))));
  const scale = (height / 2 - 22) / reach;
  const at = ([x, y]: LonLat): [number, number] => [width / 2 + (x - lon) * squash * scale, height / 2 - (y - lat) * scale];
  const near = junctions.filter(({ polygon }) => polygon.some(([x, y]) => Math.abs(x - lon) * squash < NEAR_DEG + reach && Math.abs(y - lat) < NEAR_DEG + reach));
  return {
    surfaces: near.map(({ polygon }) => polygon.map((point) => at(point).map((v) => v.toFixed(1)).join(",")).join(" ")),
    lines: signal.heads.map((head) => {
      const [[x1, y1], [x2, y2]] = [at(head.line[0]), at(head.line[1])];
      const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
      const away = Math.hypot(mx - width / 2, my - height / 2) || 1;
      return { lane: head.lane, x1, y1, x2, y2, markX: mx + ((mx - width / 2) / away) * 10, markY: my + ((my - height / 2) / away) * 10 };
    }),
  };
}

function centreOf(points: readonly LonLat[]): LonLat {
  const lons = points.map((point) => point[0]);
  const lats = points.map((point) => point[1]);
  return [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
}
