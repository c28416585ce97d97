// SPDX-License-Identifier: Apache-2.0
// What is out there: teams and vehicles that can be sent, with their state, and roads that people or playbooks have closed or changed.
import { computed, shallowRef, watch } from "vue";
import { network } from "@/api/live";
import { ask } from "@/api/client";
import type { LonLat } from "@/api/types";
import { orders } from "@/orders/ask";
import { mayOrder } from "@/orders/means";
import type { StandingOrder } from "@/orders/types";
import { may } from "@/shell/access";
import { isLive } from "@/time/clock";

export type Duty = "free" | "busy" | "off";
export interface Resource { id: string; type: string; name: string; skills: string; duty: Duty; load: number; capacity: number; point: LonLat | null }

/** As the dispatcher reads it: without a word a team is free, with one that nobody knows it is off. */
const DUTY: Record<string, Duty> = { free: "free", available: "free", parked: "free", onroute: "free", busy: "busy", ondelivery: "busy", off: "off", broken: "off", outofservice: "off" };
const words = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(", ") : typeof value === "string" ? value : "");
const whole = (value: unknown, otherwise: number): number => (typeof value === "number" ? Math.max(0, Math.trunc(value)) : otherwise);
type Given = Record<string, unknown> & { id: string; type: string };

function nameOfGiven(given: Given): string {
  const { name } = given;
  if (typeof name === "string") return name;
  const map = (name as { languageMap?: Record<string, string> } | undefined)?.languageMap ?? {};
  return map["zh"] ?? map["en"] ?? given.id.split(":").slice(3).join(":");
}
export function resourceOf(given: Given): Resource {
  const said = words(given["status"] ?? given["serviceStatus"] ?? "free").replaceAll(" ", "").toLowerCase();
  const place = given["location"] as { type?: string; coordinates?: LonLat } | undefined;
  return {
    id: given.id, type: given.type, name: nameOfGiven(given), skills: [words(given["skill"]), words(given["skills"]), words(given["vehicleType"])].filter((one) => one !== "").join(", "),
    duty: DUTY[said] ?? "off", load: whole(given["load"], 0), capacity: whole(given["capacity"], 1), point: place?.type === "Point" ? (place.coordinates ?? null) : null,
  };
}

export const resources = shallowRef<readonly Resource[]>([]);
export const changes = shallowRef<readonly StandingOrder[]>([]);
/** Orders that stand on roads and lanes: what is closed, slower, reversed or opened there. */
export const isChange = (order: Pick<StandingOrder, "means" | "state">): boolean => order.means.startsWith("street.") && order.state === "standing";
const EVERY_MS = 10_000;
const MOST = 1_000;

export async function lookField(): Promise<void> {
  if (document.hidden || !may("operations.view")) return;
  const [found, standing] = await Promise.all([
    ask<Given[]>(`/ngsi-ld/v1/entities?type=Vehicle,Team,Person&format=simplified&limit=${MOST}`).catch(() => null),
    mayOrder() ? orders.find({ state: "standing", limit: "500" }).catch(() => null) : [],
  ]);
  if (found !== null) resources.value = found.map(resourceOf);
  if (standing !== null) changes.value = standing.filter(isChange);
}
export function watchField(): void {
  watch(() => may("operations.view"), () => { resources.value = []; changes.value = []; void lookField(); });
  window.setInterval(() => { if (isLive.value) void lookField(); }, EVERY_MS);
}

const roads = computed(() => new Map((network.value?.roads ?? []).map((road) => [road.id, road.line])));
/** The road of a change, also where it is about one of its lanes. */
export const roadOf = (entityId: string): string => entityId.replace(":RoadLane:", ":RoadSegment:").replace(/_\d+$/, (end) => (entityId.includes(":RoadLane:") ? "" : end));
export const lineOf = (order: StandingOrder): readonly LonLat[] | undefined => roads.value.get(roadOf(order.entity_id));
