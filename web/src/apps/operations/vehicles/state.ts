// SPDX-License-Identifier: Apache-2.0
// The vehicles that the map shows, once in two seconds: a list that changed with every frame could not be read.
import { computed, onBeforeUnmount, onMounted, shallowRef } from "vue";
import type { Feature } from "geojson";
import { network } from "@/api/live";
import type { Road } from "@/api/types";
import { newest, watchVehicles } from "@/api/vehicles";
import type { Vehicle } from "@/api/vehicles";
import { t } from "@/i18n";
import type { MapLayer } from "@/map/layer";
import { STANDING_KMH } from "@/map/vehicle-colours";
import { roadUnder, vehicleIdOf, withId } from "@/map/vehicle-rows";
import { selected } from "@/shell/selection";
import { isLive } from "@/time/clock";

const EVERY_MS = 2_000;
/** Counts the times at which lists are made anew. */
export const turn = shallowRef(0);
export const isStanding = (one: Vehicle): boolean => one.kmh < STANDING_KMH;
export const stateWords = (one: Vehicle): string => t(isStanding(one) ? "vehicle.standing" : "vehicle.moving");
export const roadOfVehicle = (one: Vehicle): Road | null => roadUnder(network.value?.roads ?? [], [one.lon, one.lat]);
const POINTS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export const headingWords = (degrees: number): string => t(`vehicle.heading.${POINTS[Math.round(degrees / 45) % 8] ?? "n"}`);

let [users, timer] = [0, 0];
let stop = (): void => undefined;
/** Keeps frames coming and the turn going while a list or a drawer is open; both together have one turn. */
export function useVehicles(): void {
  onMounted(() => {
    users += 1;
    if (users > 1) return;
    stop = watchVehicles(() => { if (turn.value === 0) turn.value = 1; });
    timer = window.setInterval(() => { if (!document.hidden) turn.value += 1; }, EVERY_MS);
  });
  onBeforeUnmount(() => {
    users -= 1;
    if (users > 0) return;
    stop();
    window.clearInterval(timer);
    turn.value = 0;
  });
}

/** The vehicle that is selected, where it is now; null once it has left. */
export const chosenVehicle = computed<Vehicle | null>(() => {
  const id = selected.value === null || !isLive.value ? null : vehicleIdOf(selected.value);
  return turn.value >= 0 && id !== null && newest.frame !== null ? withId(newest.frame, id) : null;
});

/** A ring around the vehicle that is selected. */
export const CHOSEN_LAYER: MapLayer = {
  id: "chosen-vehicle", label: "layer.vehicles", above: true, features: () => [],
  comes: () => {
    const one = chosenVehicle.value;
    const features: Feature[] = one === null ? [] : [{ type: "Feature", id: 0, geometry: { type: "Point", coordinates: [one.lon, one.lat] }, properties: { id: selected.value } }];
    return { key: one === null ? "" : `${one.id} ${one.lon} ${one.lat}`, features };
  },
  paints: [{ id: "chosen-vehicle", type: "circle", paint: { "circle-radius": 12, "circle-opacity": 0, "circle-stroke-color": "#3ec6c0", "circle-stroke-width": 3 } }],
};
