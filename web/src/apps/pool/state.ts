// SPDX-License-Identifier: Apache-2.0
// What the pool's desks share: filters of the address, what is on the map, and which time counts as now.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from "vue";
import { hasStreets, serverAhead } from "@/api/live";
import { pool } from "@/apps/pool/ask";
import type { EntityView, Placed } from "@/apps/pool/types";
import { boxOf, positions } from "@/apps/pool/words";
import { filterOf, setFilters } from "@/shell/filters";
import { view } from "@/shell/selection";
import { isLive } from "@/time/clock";
import { beat, shownAtMs } from "@/time/seen";

/** Stands for every type, where none would mean that none is chosen. */
export const ANY = "*";

export const tenant = computed({ get: () => filterOf("tenant"), set: (name: string) => { setFilters({ tenant: name, type: "", words: "" }); } });
export const type = computed({ get: () => filterOf("type"), set: (name: string) => { setFilters({ type: name }); } });
export const words = computed({ get: () => filterOf("words"), set: (asked: string) => { setFilters({ words: asked }); } });
export const wantedType = computed(() => (type.value === ANY ? "" : type.value));

/** Ages of what was observed count by the time of a simulated city, else by the server's clock; both move with the beat. */
export const wallMs = computed(() => beat.value + serverAhead.value);
export const nowMs = computed(() => (hasStreets.value && shownAtMs.value !== null ? shownAtMs.value : wallMs.value));

const onMap = shallowRef<readonly Placed[]>([]);
const chosen = shallowRef<Placed | null>(null);
export const shownOnMap = ref(0);
export const thereOnMap = ref(0);
export const mapFailure = shallowRef<unknown>(null);

/** Where these were at a past time the layer of teams says; here they stand where they are now. */
const MOVING = /:(Vehicle|Team|Person):/;

/** Everything that is drawn: those of the chosen type, and the selected one whatever it is. */
export const drawn = computed<readonly Placed[]>(() => {
  const extra = chosen.value;
  const all = extra === null || onMap.value.some((one) => one.id === extra.id) ? onMap.value : [...onMap.value, extra];
  return isLive.value ? all : all.filter((one) => !MOVING.test(one.id));
});

export function showChosen(entity: EntityView | null): void {
  chosen.value = entity?.geometry == null ? null : { id: entity.id, name: entity.name, geometry: entity.geometry };
}

export function pointsOf(id: string): readonly (readonly [number, number])[] | undefined {
  const found = drawn.value.find((one) => one.id === id);
  return found === undefined ? undefined : positions(found.geometry);
}

let asked = 0;
async function loadMap(bbox: string): Promise<void> {
  const mine = ++asked;
  // Over streets nothing is drawn before a type is chosen: all there is would hide how the traffic flows.
  if (type.value === "" && hasStreets.value) { onMap.value = []; return; }
  try {
    const found = await pool.onMap({ tenant: tenant.value, type: wantedType.value, bbox });
    if (mine !== asked) return;
    onMap.value = found.placed;
    shownOnMap.value = found.shown;
    thereOnMap.value = found.total;
    mapFailure.value = null;
  } catch (failure) { if (mine === asked) mapFailure.value = failure; }
}

const WAIT_MS = 400;
const REFRESH_MS = 30_000;

/** Keeps the map's entities in step with the filters, and, where there are too many, with what is in view. */
export function useMapOfType(): void {
  let timer = 0;
  const boxed = (): string => {
    if (view.value === null || thereOnMap.value <= shownOnMap.value) return "";
    return boxOf(view.value, window.innerWidth, window.innerHeight).map((degrees) => degrees.toFixed(5)).join();
  };
  const stops = [
    watch([tenant, type, hasStreets], () => { shownOnMap.value = thereOnMap.value = 0; void loadMap(""); }, { immediate: true }),
    watch(view, () => { window.clearTimeout(timer); timer = window.setTimeout(() => { const box = boxed(); if (box !== "") void loadMap(box); }, WAIT_MS); }),
  ];
  const again = window.setInterval(() => { void loadMap(boxed()); }, REFRESH_MS);
  onBeforeUnmount(() => { window.clearInterval(again); window.clearTimeout(timer); for (const stop of stops) stop(); if (hasStreets.value) onMap.value = []; });
}
