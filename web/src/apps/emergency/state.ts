// SPDX-License-Identifier: Apache-2.0
// What the rail and the map know of emergencies, now or at the time that is replayed: what is commanded, and where resources stand.
import { computed, shallowRef, watch } from "vue";
import type { Feature } from "geojson";
import { emergency } from "@/apps/emergency/ask";
import { pointOf } from "@/apps/emergency/rules";
import type { Head, Resource, Row } from "@/apps/emergency/types";
import { text } from "@/i18n";
import { FONT } from "@/map/layer";
import type { ExpressionSpecification, MapLayer, Paint } from "@/map/layer";
import { may } from "@/shell/access";
import { isLive } from "@/time/clock";
import { seen } from "@/time/seen";

export const active = shallowRef<readonly Row[]>([]);
export const resources = shallowRef<readonly Resource[]>([]);
/** Of this many somebody must do something: a second person is waited for, or a task is late. */
export const pressing = computed(() => active.value.filter((row) => row.incident.proposal !== null || row.tasks.late > 0).length || active.value.length);
const past = shallowRef<{ incidents: readonly Head[]; resources: readonly Resource[] } | null>(null);
/** Those of the time that is shown; in replay none until they are known. */
export const shownIncidents = computed<readonly Head[]>(() => (isLive.value ? active.value.map((row) => row.incident) : (past.value?.incidents ?? [])));
export const shownResources = computed<readonly Resource[]>(() => (isLive.value ? resources.value : (past.value?.resources ?? [])));
const EVERY_MS = 15_000;

let busy = false;
let wanted: string | null = null;
/** What was there at a time; while one answer is waited for, only the newest time is kept. */
async function lookBack(at: string): Promise<void> {
  wanted = at;
  if (busy || !may("emergency.view")) return;
  busy = true;
  while (wanted !== null) {
    const asked: string = wanted;
    wanted = null;
    const [incidents, found] = await Promise.all([emergency.commanded(asked).catch(() => null), emergency.resourcesThen(asked).catch(() => null)]);
    if (!isLive.value) past.value = incidents === null || found === null ? null : { incidents, resources: found };
  }
  busy = false;
}

export async function lookAround(): Promise<void> {
  if (document.hidden || !may("emergency.view")) return;
  const [rows, found] = await Promise.all([emergency.all("active").catch(() => null), emergency.resources(null).catch(() => null)]);
  if (rows !== null) active.value = rows;
  if (found !== null) resources.value = found;
}
export function watchEmergencies(): void {
  watch(() => may("emergency.view"), () => { active.value = []; resources.value = []; void lookAround(); }, { immediate: true });
  watch(() => (isLive.value ? null : (seen.value?.at ?? null)), (at) => { if (at === null) past.value = null; else void lookBack(at); });
  window.setInterval(() => { void lookAround(); }, EVERY_MS);
}
export const nameOfResource = (one: Resource): string => text(one.name) || one.id.split(":").slice(3).join(":");

const SELECTED: ExpressionSpecification = ["boolean", ["feature-state", "sel"], false];
const [SHELTER, STORE, INCIDENT] = ["#3fbf6f", "#4ea8ff", "#ff4d4f"];
const label: Extract<Paint, { type: "symbol" }>["layout"] = { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-offset": [0, 1.1], "text-anchor": "top", "text-optional": true };
const halo = { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 };
const point = (id: number, at: readonly [number, number], properties: Record<string, unknown>): Feature => ({ type: "Feature", id, geometry: { type: "Point", coordinates: [...at] }, properties });

export const LAYERS: MapLayer[] = [{
  id: "emergency-resources", label: "layer.emergency_resources", selectable: true, above: true, features: () => [],
  comes: () => {
    const shown = shownResources.value.flatMap((one) => { const at = pointOf(one.geometry); return at === null ? [] : [{ one, at }]; });
    return { key: shown.map(({ one, at }) => `${one.id} ${at.join()}`).join(), features: shown.map(({ one, at }, i) => point(i, at, { id: one.id, name: nameOfResource(one), type: one.type })) };
  },
  legend: [{ label: "emergency.shelter", colour: SHELTER, shape: "square" }, { label: "emergency.resource", colour: STORE, shape: "square" }],
  paints: [
    { id: "emergency-resources", type: "circle", paint: { "circle-radius": 7, "circle-color": ["match", ["get", "type"], "EmergencyShelter", SHELTER, STORE], "circle-stroke-color": ["case", SELECTED, "#3ec6c0", "#0b1620"], "circle-stroke-width": ["case", SELECTED, 3, 2] } },
    { id: "emergency-resources-label", type: "symbol", minzoom: 12, layout: label, paint: halo },
  ],
}, {
  id: "incidents", label: "layer.incidents", above: true, features: () => [],
  comes: () => {
    const shown = shownIncidents.value.flatMap((incident) => { const at = pointOf(incident.geometry); return at === null ? [] : [{ incident, at }]; });
    return { key: shown.map(({ incident }) => `${incident.id} ${incident.level}`).join(), features: shown.map(({ incident, at }, i) => point(i, at, { id: incident.entity_id ?? incident.id, name: incident.title, level: incident.level })) };
  },
  legend: [{ label: "layer.incidents", colour: INCIDENT, shape: "dot" }],
  paints: [
    { id: "incidents", type: "circle", paint: { "circle-radius": 16, "circle-color": INCIDENT, "circle-opacity": 0.25, "circle-stroke-color": INCIDENT, "circle-stroke-width": 3 } },
    { id: "incidents-label", type: "symbol", layout: label, paint: halo },
  ],
}];
