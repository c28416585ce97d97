// SPDX-License-Identifier: Apache-2.0
// Hot spots of the last week on the map of the centre, for those who may see figures; asked anew every ten minutes.
import type { Feature } from "geojson";
import { shallowRef } from "vue";
import { hotline } from "@/apps/hotline/ask";
import type { Spot } from "@/apps/hotline/types";
import { spanOf } from "@/apps/hotline/words";
import { FONT } from "@/map/layer";
import type { MapLayer } from "@/map/layer";
import { may } from "@/shell/access";

const COLOUR = "#ff9f1c";
const EVERY_MS = 600_000;
const spots = shallowRef<readonly Spot[]>([]);
let askedAt = -EVERY_MS;

async function refresh(): Promise<void> {
  askedAt = performance.now();
  const found = await hotline.hotSpots(spanOf("days7", new Date()), "").catch(() => null);
  spots.value = found?.spots ?? [];
}

export const hotSpots: MapLayer = {
  id: "hotline-spots",
  label: "layer.hotline_spots",
  features: () => [],
  comes: () => {
    if (may("hotline.figures") && performance.now() - askedAt > EVERY_MS) void refresh();
    return {
      key: spots.value.map((spot) => `${spot.longitude} ${spot.case_ids.length}`).join(),
      features: spots.value.map((spot, id): Feature => ({ type: "Feature", id, geometry: { type: "Point", coordinates: [spot.longitude, spot.latitude] }, properties: { count: spot.case_ids.length } })),
    };
  },
  legend: [{ label: "layer.hotline_spots", colour: COLOUR, shape: "dot" }],
  paints: [
    { id: "hotline-spots", type: "circle", paint: { "circle-radius": ["interpolate", ["linear"], ["get", "count"], 3, 10, 50, 32], "circle-color": COLOUR, "circle-opacity": 0.22, "circle-stroke-color": COLOUR, "circle-stroke-width": 1.5 } },
    { id: "hotline-spots-count", type: "symbol", layout: { "text-field": ["to-string", ["get", "count"]], "text-font": FONT, "text-size": 12, "text-allow-overlap": true }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};
