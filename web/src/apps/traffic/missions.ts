// SPDX-License-Identifier: Apache-2.0
// Missions as the map and lists show them, from the event that tells of each. Pure.
import type { Feature, Geometry } from "geojson";
import type { CityState, Crew, EventView, LonLat, Network } from "@/api/types";
import type { Ahead, Mission, MissionFacts } from "@/apps/traffic/types";

export const MISSION = "traffic.mission";
export const isMission = (selection: string): boolean => selection.includes(":Mission:");
export const isOver = (mission: Pick<Mission, "state">): boolean => mission.state === "arrived" || mission.state === "cancelled";

export function missionOf(event: EventView): Mission {
  return { ...(event.evidence as unknown as MissionFacts), begun_at: event.at, ended_at: event.ended_at, because: event.because, geometry: event.geometry };
}
/**
 * A mission that was under way at a time that is replayed, where its vehicle was then. What is kept of the mission itself is
 * how it ended, so nothing is told that was not known then: no arrival, no queues, no opened junctions.
 */
export function asOf(mission: Mission, crews: readonly Crew[], atMs: number): Mission {
  const crew = crews.find((one) => one.mission === mission.id);
  const place = crew === undefined || crew.lon === null || crew.lat === null ? null : { lon: crew.lon, lat: crew.lat, road: crew.road, speed_kmh: crew.kmh };
  return {
    ...mission, ended_at: null, state: crew === undefined || crew.state === "waiting" ? "assigned" : "under_way", position: place, passed_s: Math.max(0, (atMs - Date.parse(mission.begun_at)) / 1000),
    eta_s: null, arrives_at: null, saved_s: null, junctions: [], acts: mission.acts.filter((act) => Date.parse(act.at) <= atMs),
  };
}
/** Those of a state, live or replayed. */
export function missionsIn(state: Pick<CityState, "mode" | "at" | "events" | "crews"> | null): Mission[] {
  const found = missionsOf(state?.events ?? []);
  return state?.mode === "replay" && state.at !== null ? found.map((one) => asOf(one, state.crews ?? [], Date.parse(state.at ?? ""))) : found;
}
export const missionsOf = (events: readonly EventView[]): Mission[] => events.filter((event) => event.kind === MISSION).map(missionOf);

/** Under way first, those in greatest need before others, the newest first. */
export const missionRows = (missions: readonly Mission[]): Mission[] => [...missions].sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || a.urgency - b.urgency || Date.parse(b.begun_at) - Date.parse(a.begun_at));

/** Minutes and seconds of a stretch of time; a dash where it is not known. */
export function lasting(seconds: number | null): string {
  if (seconds === null) return "–";
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
    ...(mission.position === null ? [] : [point([mission.position.lon, mission.position.lat], { id: mission.id, what: "vehicle", words: mission.eta_s === null ? "" : lasting(mission.eta_s) })]),
  ]);
  return found.map((feature, id) => ({ ...feature, id }));
}

export const signalPlaces = (network: Network): ReadonlyMap<string, LonLat> => new Map(network.signals.map((signal) => [signal.id, signal.point]));
/** Changes whenever what is drawn does. */
export const missionKey = (state: Pick<CityState, "mode" | "at" | "events" | "crews">): string => missionsIn(state).map((one) => `${one.id} ${one.state} ${one.position?.lon ?? ""} ${one.position?.lat ?? ""} ${one.eta_s} ${one.route.length} ${one.junctions.map((each) => each.state).join("")}`).join();
