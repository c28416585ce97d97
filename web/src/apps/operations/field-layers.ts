// SPDX-License-Identifier: Apache-2.0
// The map layers of the field at the time that is shown: teams and crews where they are, roads that are closed or changed.
import type { Feature } from "geojson";
import { changes, crews, crewWords, lineOf, placeOf, resources } from "@/apps/operations/field";
import { FONT } from "@/map/layer";
import type { ExpressionSpecification, MapLayer } from "@/map/layer";

const SELECTED: ExpressionSpecification = ["boolean", ["feature-state", "sel"], false];
const ACCENT = "#3ec6c0";
const FREE = "#3fbf6f";
const BUSY = "#ffbf47";
const OFF = "#5b7083";
const CLOSED = "#ff5a5f";
const CREW = "#4ea8ff";

const teams: MapLayer = {
  id: "resources",
  label: "layer.resources",
  selectable: true,
  above: true,
  features: () => [],
  comes: () => {
    const shown = resources.value.filter((one) => one.point !== null);
    return { key: shown.map((one) => `${one.id} ${one.duty} ${one.point?.join() ?? ""}`).join(), features: shown.map(({ id, name, duty, point }, i): Feature => ({ type: "Feature", id: i, geometry: { type: "Point", coordinates: point ?? [0, 0] }, properties: { id, name, duty } })) };
  },
  legend: [{ label: "duty.free", colour: FREE, shape: "square" }, { label: "duty.busy", colour: BUSY, shape: "square" }, { label: "duty.off", colour: OFF, shape: "square" }],
  paints: [
    { id: "resources", type: "circle", paint: { "circle-radius": 7, "circle-color": ["match", ["get", "duty"], "free", FREE, "busy", BUSY, OFF], "circle-stroke-color": ["case", SELECTED, ACCENT, "#0b1620"], "circle-stroke-width": ["case", SELECTED, 3, 2] } },
    { id: "resources-label", type: "symbol", minzoom: 12, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-offset": [0, 1], "text-anchor": "top", "text-optional": true }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};

const closures: MapLayer = {
  id: "closures",
  label: "layer.closures",
  selectable: true,
  above: true,
  features: () => [],
  comes: () => {
    const shown = changes.value.flatMap((order) => { const line = lineOf(order); return line === undefined ? [] : [{ order, line }]; });
    return { key: shown.map(({ order }) => order.id).join(), features: shown.map(({ order, line }, i): Feature => ({ type: "Feature", id: i, geometry: { type: "LineString", coordinates: [...line] }, properties: { id: order.entity_id } })) };
  },
  legend: [{ label: "layer.closures", colour: CLOSED, shape: "line" }],
  paints: [
    { id: "closures-casing", type: "line", paint: { "line-color": "#0b1620", "line-width": ["interpolate", ["linear"], ["zoom"], 11, 5, 18, 14] } },
    { id: "closures", type: "line", paint: { "line-color": CLOSED, "line-dasharray": [1.5, 1], "line-width": ["interpolate", ["linear"], ["zoom"], 11, 3, 18, 9] } },
  ],
};

const sent: MapLayer = {
  id: "crews",
  label: "layer.crews",
  selectable: true,
  above: true,
  features: () => [],
  comes: (_state, lang) => {
    // Of those on a mission its own layer draws the way too.
    const out = crews.value.filter((crew) => crew.mission === "").flatMap((crew) => { const place = placeOf(crew); return place === null ? [] : [{ crew, place }]; });
    return { key: `${lang} ${out.map(({ crew, place }) => `${crew.vehicle} ${crew.state} ${place.join()}`).join()}`, features: out.map(({ crew, place }, i): Feature => ({ type: "Feature", id: i, geometry: { type: "Point", coordinates: place }, properties: { id: crew.mission || crew.destination, name: crewWords(crew), state: crew.state } })) };
  },
  legend: [{ label: "layer.crews", colour: CREW, shape: "dot" }],
  paints: [
    { id: "crews", type: "circle", paint: { "circle-radius": 8, "circle-color": ["match", ["get", "state"], "at_work", BUSY, CREW], "circle-stroke-color": "#0b1620", "circle-stroke-width": 2 } },
    { id: "crews-label", type: "symbol", minzoom: 12, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-offset": [0, 1], "text-anchor": "top", "text-optional": true }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};

export const FIELD_LAYERS: MapLayer[] = [closures, teams, sent];
