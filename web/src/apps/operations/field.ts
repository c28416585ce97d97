// SPDX-License-Identifier: Apache-2.0
// What is out there, now or at the time that is replayed: teams, crews that orders sent, roads that are closed or changed.
import { computed, shallowRef, watch } from "vue";
import { network } from "@/api/live";
import { ask, query } from "@/api/client";
import type { Crew, LonLat } from "@/api/types";
import { say } from "@/i18n";
import type { StandingOrder } from "@/orders/types";
import { may } from "@/shell/access";
import { isLive } from "@/time/clock";
import { seen } from "@/time/seen";

export type Duty = "free" | "busy" | "off";
export interface Resource { id: string; type: string; name: string; skills: string; duty: Duty; load: number; capacity: number; point: LonLat | null; ageS: number | null }
interface Team { id: string; type: string; values: Record<string, unknown>; age_s: number | null }
export interface Field { at: string | null; teams: Team[]; changes: StandingOrder[] }

/** As the dispatcher reads it: without a word a team is free, with one that nobody knows it is off. */
const DUTY: Record<string, Duty> = { free: "free", available: "free", parked: "free", onroute: "free", busy: "busy", ondelivery: "busy", off: "off", broken: "off", outofservice: "off" };
const words = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(", ") : typeof value === "string" ? value : "");
const whole = (value: unknown, otherwise: number): number => (typeof value === "number" ? Math.max(0, Math.trunc(value)) : otherwise);

function nameOfTeam({ id, values }: Team): string {
  const name = values["name"];
  if (typeof name === "string") return name;
  const map = (name ?? {}) as Record<string, string>;
  return map["zh"] ?? map["en"] ?? id.split(":").slice(3).join(":");
}
export function resourceOf(team: Team): Resource {
  const { id, type, values } = team;
  const said = words(values["status"] ?? values["serviceStatus"] ?? "free").replaceAll(" ", "").toLowerCase();
  const place = values["location"] as { type?: string; coordinates?: LonLat } | undefined;
  return {
    id, type, name: nameOfTeam(team), skills: [words(values["skill"]), words(values["skills"]), words(values["vehicleType"])].filter((one) => one !== "").join(", "),
    duty: DUTY[said] ?? "off", load: whole(values["load"], 0), capacity: whole(values["capacity"], 1), point: place?.type === "Point" ? (place.coordinates ?? null) : null, ageS: team.age_s,
  };
}

/** What was told of another time than the one that is shown is not shown: in replay never the present, nor the reverse. */
export const fits = (field: Field | null, live: boolean): field is Field => field !== null && (field.at === null) === live;
const told = shallowRef<Field | null>(null);
export const fieldFailure = shallowRef<unknown>(null);
const shown = computed<Field | null>(() => (fits(told.value, isLive.value) ? told.value : null));
export const fieldKnown = computed(() => shown.value !== null);
export const resources = computed<readonly Resource[]>(() => (shown.value?.teams ?? []).map(resourceOf));
/** Orders that stand on roads and lanes: what is closed, slower, reversed or opened there. */
export const changes = computed<readonly StandingOrder[]>(() => shown.value?.changes ?? []);
/** Those whom orders sent, as they report themselves; who has not driven off yet is nowhere. */
export const crews = computed<readonly Crew[]>(() => seen.value?.crews ?? []);
export const placeOf = (crew: Crew): LonLat | null => (crew.lon === null || crew.lat === null ? null : [crew.lon, crew.lat]);
export const crewWords = (crew: Crew): string => `${say(`crew.kind.${crew.kind}`, {}, crew.kind)} · ${say(`crew.state.${crew.state}`, {}, crew.state)}`;
const EVERY_MS = 10_000;

let busy = false;
let again = false;
async function fetchShown(): Promise<void> {
  const at = isLive.value ? undefined : seen.value?.at ?? null;
  if (at === null) return;
  try {
    told.value = await ask<Field>(`/api/operations/field${query({ at })}`);
    fieldFailure.value = null;
  } catch (failure) { fieldFailure.value = failure; }
}
/** Asks for the time that is shown; while one answer is waited for, only the newest question is kept. */
export async function lookField(): Promise<void> {
  if (document.hidden || !may("operations.view")) return;
  again = true;
  if (busy) return;
  busy = true;
  while (again) { again = false; await fetchShown(); }
  busy = false;
}
export function watchField(): void {
  watch(() => may("operations.view"), () => { told.value = null; void lookField(); });
  watch(() => (isLive.value ? null : (seen.value?.at ?? "")), (at) => { if (at !== "") void lookField(); });
  window.setInterval(() => { if (isLive.value) void lookField(); }, EVERY_MS);
}

const roads = computed(() => new Map((network.value?.roads ?? []).map((road) => [road.id, road.line])));
/** The road of a change, also where it is about one of its lanes. */
export const roadOf = (entityId: string): string => entityId.replace(":RoadLane:", ":RoadSegment:").replace(/_\d+$/, (end) => (entityId.includes(":RoadLane:") ? "" : end));
export const lineOf = (order: StandingOrder): readonly LonLat[] | undefined => roads.value.get(roadOf(order.entity_id));
