// SPDX-License-Identifier: Apache-2.0
// The map layers of the field: teams where they are, roads where something is closed or changed. Of the past neither is kept.
import type { Feature } from "geojson";
import { changes, lineOf, resources } from "@/apps/operations/field";
import type { ExpressionSpecification, MapLayer } from "@/map/layer";
import { isLive } from "@/time/clock";

const FONT = ["Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const SELECTED: ExpressionSpecification = ["boolean", ["feature-state", "sel"], false];
const ACCENT = "#3ec6c0";
const FREE = "#3fbf6f";
const BUSY = "#ffbf47";
const OFF = "#5b7083";
const CLOSED = "#ff5a5f";

const teams: MapLayer = {
  id: "resources",
  label: "layer.resources",
  selectable: true,
  above: true,
  features: () => [],
  comes: () => {
    const shown = isLive.value ? resources.value.filter((one) => one.point !== null) : [];
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
    const shown = isLive.value ? changes.value.flatMap((order) => { const line = lineOf(order); return line === undefined ? [] : [{ order, line }]; }) : [];
    return { key: shown.map(({ order }) => order.id).join(), features: shown.map(({ order, line }, i): Feature => ({ type: "Feature", id: i, geometry: { type: "LineString", coordinates: [...line] }, properties: { id: order.entity_id } })) };
  },
  legend: [{ label: "layer.closures", colour: CLOSED, shape: "line" }],
  paints: [
    { id: "closures-casing", type: "line", paint: { "line-color": "#0b1620", "line-width": ["interpolate", ["linear"], ["zoom"], 11, 5, 18, 14] } },
    { id: "closures", type: "line", paint: { "line-color": CLOSED, "line-dasharray": [1.5, 1], "line-width": ["interpolate", ["linear"], ["zoom"], 11, 3, 18, 9] } },
  ],
};

export const FIELD_LAYERS: MapLayer[] = [closures, teams];
