// SPDX-License-Identifier: Apache-2.0
// The pool's layer of the map: entities of the chosen type where they are, as points, lines and areas.
import type { Feature } from "geojson";
import type { Lang } from "@/api/types";
import { drawn } from "@/apps/pool/state";
import type { Placed } from "@/apps/pool/types";
import { FONT, nameIn } from "@/map/layer";
import type { ExpressionSpecification, MapLayer } from "@/map/layer";

const SELECTED: ExpressionSpecification = ["boolean", ["feature-state", "sel"], false];
const ACCENT = "#3ec6c0";
const COLOUR = "#8ab6dd";

function features(placed: readonly Placed[], lang: Lang): Feature[] {
  return placed.map(({ id, name, geometry }, i) => ({ type: "Feature", id: i, geometry, properties: { id, name: nameIn(name, lang) } }));
}

let last: readonly Placed[] = [];
let turn = 0;

/** A key that changes with what is drawn, at no cost: the list is another object whenever it was fetched anew. */
function keyOf(placed: readonly Placed[], lang: Lang): string {
  if (placed !== last) { last = placed; turn += 1; }
  return `${turn} ${lang}`;
}

export const entities: MapLayer = {
  id: "pool",
  label: "layer.pool",
  selectable: true,
  features: () => [],
  comes: (_state, lang) => ({ key: keyOf(drawn.value, lang), features: features(drawn.value, lang) }),
  legend: [{ label: "layer.pool", colour: COLOUR, shape: "dot" }],
  paints: [
    { id: "pool-area", type: "fill", filter: ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]], paint: { "fill-color": ["case", SELECTED, ACCENT, COLOUR], "fill-opacity": ["case", SELECTED, 0.4, 0.2] } },
    { id: "pool-line", type: "line", filter: ["!", ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]]], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ["case", SELECTED, ACCENT, COLOUR], "line-width": ["case", SELECTED, 5, 2] } },
    { id: "pool-point", type: "circle", filter: ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]], paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, ["case", SELECTED, 7, 2.5], 14, ["case", SELECTED, 9, 5], 18, ["case", SELECTED, 11, 8]], "circle-color": ["case", SELECTED, ACCENT, COLOUR], "circle-opacity": ["case", SELECTED, 1, 0.85],
      "circle-stroke-color": ["case", SELECTED, "#e8eef3", "#0b1620"], "circle-stroke-width": ["case", SELECTED, 2.5, 1.25],
    } },
    { id: "pool-label", type: "symbol", minzoom: 13.5, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-offset": [0, 0.9], "text-anchor": "top", "text-optional": true }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};
