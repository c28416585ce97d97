// SPDX-License-Identifier: Apache-2.0
// The rows of the traffic desks, from network and state.
import type { CityState, Network, Now, OrderView, Road, Signal } from "@/api/types";
import { HEAD, headState } from "@/apps/traffic/levels";
import type { HeadState } from "@/apps/traffic/levels";

export interface RoadRow { road: Road; speed: number | null; level: number }

/** Roads, the worst level first, then the slowest against free flow; roads without data last. */
export function roadRows(network: Network, state: CityState): RoadRow[] {
  const share = (row: RoadRow): number => (row.speed === null ? 2 : row.speed / row.road.free_kmh);
  return network.roads.map((road, i) => ({ road, speed: state.road_speeds[i] ?? null, level: state.road_levels[i] ?? 0 }))
    .sort((a, b) => b.level - a.level || share(a) - share(b) || b.road.length_m - a.road.length_m);
}

export interface SignalRow { signal: Signal; state: string; heads: HeadState[]; open: number }

export function signalRows(network: Network, state: CityState): SignalRow[] {
  return network.signals.map((signal, i) => {
    const shown = state.signals[i] ?? "";
    const heads = signal.heads.map((head) => headState(shown, head.links));
    return { signal, state: shown, heads, open: heads.filter((head) => head === HEAD.go).length };
  });
}

export type Compass = "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw";
const COMPASS: readonly Compass[] = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
export interface Approach { edge: string; side: Compass; heads: { lane: string; state: HeadState }[] }

/** From which side traffic comes: along the end of its road, or, without one, where the stop line lies. */
export function sideOf(signal: Signal, line: Signal["heads"][number]["line"], road?: Road): Compass {
  const end = road?.line.at(-1) ?? signal.point;
  const from = road?.line.at(-2) ?? [(line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2];
  const east = (from[0] - end[0]) * Math.cos((signal.point[1] * Math.PI) / 180);
  const north = from[1] - end[1];
  const eighth = Math.round(Math.atan2(east, north) / (Math.PI / 4));
  return COMPASS[(eighth + 8) % 8] ?? "n";
}

export const roadIdOf = (edge: string): string => edge.replace(":RoadLane:", ":RoadSegment:");
const edgeOf = (lane: string): string => lane.replace(/_\d+$/, "");

/** The heads of a signal by approach; a lane's road is its approach. */
export function approaches(signal: Signal, state: string, roads: readonly Road[] = []): Approach[] {
  const found = new Map<string, Approach>();
  for (const head of signal.heads) {
    const edge = edgeOf(head.lane);
    const approach = found.get(edge) ?? { edge, side: sideOf(signal, head.line, roads.find((road) => road.id === roadIdOf(edge))), heads: [] };
    approach.heads.push({ lane: head.lane, state: headState(state, head.links) });
    found.set(edge, approach);
  }
  return [...found.values()].sort((a, b) => COMPASS.indexOf(a.side) - COMPASS.indexOf(b.side));
}

export function valueOf(now: readonly Now[], attribute: string): Now | undefined {
  return now.find((one) => one.attribute === attribute);
}

/** Orders (the newest first) that changed something: other parameters than the one before, or not executed. */
export function changes(orders: readonly OrderView[]): OrderView[] {
  const told = (order: OrderView | undefined): string => (order === undefined ? "" : `${order.means} ${JSON.stringify(order.parameters)}`);
  return orders.filter((order, i) => told(order) !== told(orders[i + 1]) || (order.outcome !== null && order.outcome.state !== "executed"));
}
