// SPDX-License-Identifier: Apache-2.0
// Missions as the map and lists show them, from the event that tells of each. Pure.
import type { Feature, Geometry } from "geojson";
import type { CityState, EventView, LonLat, Network } from "@/api/types";
import type { Ahead, Mission, MissionFacts } from "@/apps/traffic/types";

export const MISSION = "traffic.mission";
export const isMission = (selection: string): boolean => selection.includes(":Mission:");
export const isOver = (mission: Pick<Mission, "state">): boolean => mission.state === "arrived" || mission.state === "cancelled";

export function missionOf(event: EventView): Mission {
  return { ...(event.evidence as unknown as MissionFacts), begun_at: event.at, ended_at: event.ended_at, because: event.because, geometry: event.geometry };
}
export const missionsOf = (events: readonly EventView[]): Mission[] => events.filter((event) => event.kind === MISSION).map(missionOf);

/** Under way first, those in greatest need before others, the newest first. */
export const missionRows = (missions: readonly Mission[]): Mission[] => [...missions].sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || a.urgency - b.urgency || Date.parse(b.begun_at) - Date.parse(a.begun_at));

/** Minutes and seconds of a stretch of time. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const point = (at: LonLat, properties: Record<string, unknown>): Feature => ({ type: "Feature", geometry: { type: "Point", coordinates: at }, properties });

/** A junction ahead, where it stands; those that were passed are behind. */
function aheadFeatures(mission: Mission, places: ReadonlyMap<string, LonLat>): Feature[] {
  return mission.junctions.filter((one) => one.state !== "passed").flatMap((one: Ahead) => {
    const at = places.get(one.signal);
    return at === undefined ? [] : [point(at, { id: mission.id, what: one.state, words: one.eta_s === null ? "" : lasting(one.eta_s) })];
  });
}

/** The route as a line, the vehicle where it reported itself, and when it reaches each junction ahead. */
export function missionFeatures(missions: readonly Mission[], places: ReadonlyMap<string, LonLat>): Feature[] {
  const found = missions.filter((mission) => !isOver(mission)).flatMap((mission): Feature[] => [
    ...(mission.geometry === null ? [] : [{ type: "Feature" as const, geometry: mission.geometry as Geometry, properties: { id: mission.id, what: "route" } }]),
    ...aheadFeatures(mission, places),
    ...(mission.position === null ? [] : [point([mission.position.lon, mission.position.lat], { id: mission.id, what: "vehicle", words: lasting(mission.eta_s) })]),
  ]);
  return found.map((feature, id) => ({ ...feature, id }));
}

export const signalPlaces = (network: Network): ReadonlyMap<string, LonLat> => new Map(network.signals.map((signal) => [signal.id, signal.point]));
/** Changes whenever what is drawn does. */
export const missionKey = (state: Pick<CityState, "events">): string => missionsOf(state.events).map((one) => `${one.id} ${one.state} ${one.position?.lon ?? ""} ${one.position?.lat ?? ""} ${one.eta_s} ${one.route.length} ${one.junctions.map((each) => each.state).join("")}`).join();
