// SPDX-License-Identifier: Apache-2.0
// The traffic layers of the map: junctions, roads by level, signal heads, events, labels.
import type { Feature, Geometry } from "geojson";
import type { CityState, EventView, LonLat, Network, Signal } from "@/api/types";
import { HEAD, HEAD_COLOURS, headState, LEVEL_COLOURS } from "@/apps/traffic/levels";
import { missions } from "@/apps/traffic/mission-layer";
import { MISSION } from "@/apps/traffic/missions";
import { COLOUR_OF, SEVERITIES } from "@/kit/severity";
import type { Mark } from "@/map/engine";
import { FONT, nameIn } from "@/map/layer";
import type { ExpressionSpecification, MapLayer, Sign } from "@/map/layer";

const V: ExpressionSpecification = ["number", ["feature-state", "v"], 0];
const SELECTED: ExpressionSpecification = ["boolean", ["feature-state", "sel"], false];
const LANES: ExpressionSpecification = ["get", "lanes"];
const ACCENT = "#3ec6c0";

/** Road width: its lanes at 3.25 m when near, a line by class when far. `more` pixels for casing or selection. */
function width(more: number): ExpressionSpecification {
  const far = (px: number): ExpressionSpecification => ["+", px + more, ["*", 0.35, LANES], ["*", 0.28, V]];
  const near = (pxPerLane: number): ExpressionSpecification => ["+", more, ["*", pxPerLane, LANES]];
  return ["interpolate", ["exponential", 2], ["zoom"], 11, far(0.3), 13, far(0.7), 15, far(1.8), 16.5, near(1.6), 20, near(14)];
}

const LEVEL: ExpressionSpecification = ["match", V, 1, LEVEL_COLOURS[1], 2, LEVEL_COLOURS[2], 3, LEVEL_COLOURS[3], 4, LEVEL_COLOURS[4], 5, LEVEL_COLOURS[5], LEVEL_COLOURS[0]];

const line = (points: readonly LonLat[]): Geometry => ({ type: "LineString", coordinates: [...points] });

const junctions: MapLayer = {
  id: "junctions",
  label: "layer.junctions",
  features: (network) => network.junctions.map((junction, id) => ({ type: "Feature", id, geometry: { type: "Polygon", coordinates: [junction.polygon] }, properties: { id: junction.id } })),
  paints: [{ id: "junctions", type: "fill", paint: { "fill-color": "#1b2d3b" } }],
};

const LEVEL_SIGNS: Sign[] = [1, 2, 3, 4, 5, 0].map((level) => ({ label: `level.${level}` as Sign["label"], colour: LEVEL_COLOURS[level as 0], shape: level === 0 ? "thin" : "line" }));

const roads: MapLayer = {
  id: "roads",
  label: "layer.roads",
  selectable: true,
  features: (network, lang) => network.roads.map((road, id) => ({ type: "Feature", id, geometry: line(road.line), properties: { id: road.id, name: nameIn(road.name, lang), lanes: road.lanes } })),
  values: (state) => state.road_levels,
  legend: LEVEL_SIGNS,
  paints: [
    { id: "roads-casing", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#1f3342", "line-width": ["interpolate", ["exponential", 2], ["zoom"], 11, 1.6, 16, ["+", 1.5, ["*", 4, LANES]], 20, ["*", 64, LANES]] } },
    { id: "roads-chosen", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ACCENT, "line-opacity": ["case", SELECTED, 0.9, 0], "line-width": ["interpolate", ["exponential", 2], ["zoom"], 11, 6, 16, ["+", 7, ["*", 2, LANES]], 20, ["+", 14, ["*", 16, LANES]]] } },
    { id: "roads", type: "line", layout: { "line-cap": ["step", ["zoom"], "round", 16, "butt"], "line-join": "round", "line-sort-key": LANES }, paint: { "line-color": LEVEL, "line-width": width(0), "line-opacity": ["interpolate", ["linear"], ["zoom"], 16, 1, 18, 0.85] } },
  ],
};

const HEAD_COLOUR: ExpressionSpecification = ["match", V, HEAD.go, HEAD_COLOURS[3], HEAD.caution, HEAD_COLOURS[2], HEAD.stop, HEAD_COLOURS[1], HEAD_COLOURS[0]];

function headFeatures(network: Network): Feature[] {
  return network.signals.flatMap((signal) => signal.heads.map((head) => ({ signal, head }))).map(({ signal, head }, id) => ({ type: "Feature", id, geometry: line(head.line), properties: { id: signal.id } }));
}

const heads: MapLayer = {
  id: "heads",
  label: "layer.heads",
  selectable: true,
  features: headFeatures,
  values: (state, network) => network.signals.flatMap((signal, i) => signal.heads.map((head) => headState(state.signals[i] ?? "", head.links))),
  legend: [
    { label: "head.3", colour: HEAD_COLOURS[3], shape: "triangle" },
    { label: "head.2", colour: HEAD_COLOURS[2], shape: "diamond" },
    { label: "head.1", colour: HEAD_COLOURS[1], shape: "square" },
  ],
  paints: [
    { id: "heads", type: "line", minzoom: 14.5, layout: { "line-cap": "butt" }, paint: { "line-color": HEAD_COLOUR, "line-width": ["interpolate", ["exponential", 2], ["zoom"], 14.5, 2, 17, 4, 20, 16] } },
    ...([[HEAD.go, "go"], [HEAD.caution, "caution"], [HEAD.stop, "stop"]] as const).map(([state, mark]): MapLayer["paints"][number] => ({
      id: `heads-${mark}`, type: "symbol", minzoom: 17, layout: { "icon-image": `head-${mark}`, "icon-size": 0.62, "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-placement": "line-center", "icon-rotation-alignment": "viewport" },
      paint: { "icon-opacity": ["case", ["==", V, state], 1, 0] },
    })),
  ],
};

/** A signal as a whole counts its open heads: it is a dot until one is near enough to see the stop lines. */
function goShare(signal: Signal, state: string): number {
  const open = signal.heads.filter((head) => headState(state, head.links) === HEAD.go).length;
  return signal.heads.length === 0 ? 0 : open / signal.heads.length;
}

const signals: MapLayer = {
  id: "signals",
  label: "layer.signals",
  selectable: true,
  features: (network, lang) => network.signals.map((signal, id) => ({ type: "Feature", id, geometry: { type: "Point", coordinates: signal.point }, properties: { id: signal.id, name: nameIn(signal.name, lang) } })),
  values: (state, network) => network.signals.map((signal, i) => Math.round(goShare(signal, state.signals[i] ?? "") * 10) / 10),
  legend: [{ label: "layer.signals", colour: "#e8eef3", shape: "dot" }],
  paints: [
    { id: "signals", type: "circle", paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 3, 14, 5, 16, 7, 18, 9], "circle-color": ["case", SELECTED, ACCENT, "#0b1620"], "circle-opacity": ["step", ["zoom"], 1, 16, 0],
      "circle-stroke-color": ["case", SELECTED, ACCENT, "#e8eef3"], "circle-stroke-width": ["case", SELECTED, 3, 1.75],
    } },
    { id: "signals-label", type: "symbol", minzoom: 13.2, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-offset": [0, 1.1], "text-anchor": "top", "text-optional": true }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};

const roadLabels: MapLayer = {
  id: "road-names",
  label: "layer.road_names",
  features: (network, lang) => {
    const seen = new Set<string>();
    return network.roads.filter((road) => road.length_m > 120).sort((a, b) => b.lanes - a.lanes || b.length_m - a.length_m).filter((road) => {
      const name = nameIn(road.name, lang);
      return name !== "" && !seen.has(name) && seen.add(name);
    }).map((road, id) => ({ type: "Feature", id, geometry: line(road.line), properties: { name: nameIn(road.name, lang) } }));
  },
  paints: [{ id: "road-names-label", type: "symbol", minzoom: 16.2, layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "symbol-spacing": 400 }, paint: { "text-color": "#9fb3c4", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } }],
};

/** Where the mark of an event stands: the middle of its longest line. */
function markOf(geometry: Geometry): LonLat | null {
  if (geometry.type === "Point") return geometry.coordinates as LonLat;
  const lines = geometry.type === "LineString" ? [geometry.coordinates] : geometry.type === "MultiLineString" ? geometry.coordinates : [];
  const longest = [...lines].sort((a, b) => b.length - a.length)[0];
  return (longest?.[Math.floor(longest.length / 2)] ?? null) as LonLat | null;
}

function eventFeatures(event: EventView): Feature[] {
  if (event.geometry === null) return [];
  const point = markOf(event.geometry);
  const properties = { id: `event:${event.id}`, severity: event.severity, rank: SEVERITIES.indexOf(event.severity), known: event.acknowledged_at !== null };
  const mark: Feature[] = point === null ? [] : [{ type: "Feature", geometry: { type: "Point", coordinates: point }, properties }];
  return event.geometry.type === "Point" ? mark : [{ type: "Feature", geometry: event.geometry, properties }, ...mark];
}

const events: MapLayer = {
  id: "events",
  label: "layer.events",
  selectable: true,
  features: () => [],
  comes: (state: CityState) => ({
    key: state.events.map((event) => `${event.id} ${event.severity} ${event.acknowledged_at ?? ""} ${JSON.stringify(event.geometry).length}`).join(),
    features: state.events.filter((event) => event.kind !== MISSION).flatMap(eventFeatures).map((feature, id) => ({ ...feature, id })),
  }),
  legend: SEVERITIES.map((severity) => ({ label: `severity.${severity}` as Sign["label"], colour: COLOUR_OF[severity], shape: ({ I: "triangle", II: "diamond", III: "square", IV: "dot" } as const)[severity] })),
  paints: [
    { id: "events-line", type: "line", filter: ["!=", ["geometry-type"], "Point"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ACCENT, "line-width": ["interpolate", ["linear"], ["zoom"], 12, 6, 18, 20], "line-opacity": ["case", SELECTED, 0.45, 0] } },
    { id: "events-ring", type: "circle", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 13, "circle-color": ACCENT, "circle-opacity": ["case", SELECTED, 0.35, 0], "circle-stroke-color": ACCENT, "circle-stroke-width": ["case", SELECTED, 2, 0] } },
    { id: "events", type: "symbol", filter: ["==", ["geometry-type"], "Point"], layout: { "icon-image": ["concat", "severity-", ["get", "severity"]], "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.7, 16, 1], "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["-", 3, ["get", "rank"]] }, paint: { "icon-opacity": ["case", ["get", "known"], 0.55, 1] } },
  ],
};

export const LAYERS: MapLayer[] = [junctions, roads, heads, missions, signals, events, roadLabels];

export const MARKS: Mark[] = [
  { name: "head-go", shape: "triangle", colour: HEAD_COLOURS[3] },
  { name: "head-caution", shape: "diamond", colour: HEAD_COLOURS[2] },
  { name: "head-stop", shape: "square", colour: HEAD_COLOURS[1] },
  ...SEVERITIES.map((severity): Mark => ({ name: `severity-${severity}`, colour: COLOUR_OF[severity], shape: ({ I: "triangle", II: "diamond", III: "square", IV: "dot" } as const)[severity] })),
];
