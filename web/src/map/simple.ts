// SPDX-License-Identifier: Apache-2.0
// A small light map for citizens and forms: streets as lines, a place in its middle, points to pick, corners to set. Nothing from outside.
import { Map as LibreMap, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { GeoJSONSource, LngLatBoundsLike, StyleSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { ask } from "@/api/client";
import type { Network } from "@/api/types";
import { needsDrawing } from "@/map/able";
import { FONT } from "@/map/layer";

setWorkerUrl(workerUrl);

type Place = readonly [number, number];
export interface Point { id: string; at: Place; done: boolean }
export interface SimpleAsked {
  container: HTMLElement;
  title: string;
  bounds: [number, number, number, number] | null;
  at: Place | null;
  /** Hears the middle of the map whenever somebody moved it. */
  onMove?: (place: Place) => void;
  onPick?: (id: string) => void;
  /** Hears each place that is clicked, for whoever sets corners. */
  onPlace?: (place: Place) => void;
  onCorner?: (index: number) => void;
}
export interface SimpleMap {
  show: (points: readonly Point[], chosen: string) => void;
  outline: (corners: readonly Place[]) => void;
  middle: () => Place;
  fit: (points: readonly Place[]) => void;
  zoomBy: (steps: number) => void;
  close: () => void;
}

const NEAR = 16;
const NOTHING = { type: "FeatureCollection" as const, features: [] };
const STYLE: StyleSpecification = {
  version: 8,
  sources: { streets: { type: "geojson", data: NOTHING }, points: { type: "geojson", data: NOTHING }, outline: { type: "geojson", data: NOTHING }, corners: { type: "geojson", data: NOTHING } },
  layers: [
    { id: "ground", type: "background", paint: { "background-color": "#eef1f4" } },
    { id: "casing", source: "streets", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#b9c4cc", "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 11, 1.5, 18, 16] } },
    { id: "streets", source: "streets", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#ffffff", "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 11, 0.5, 18, 12] } },
    { id: "area", source: "outline", type: "fill", paint: { "fill-color": "#0b7a75", "fill-opacity": 0.18 } },
    { id: "outline", source: "outline", type: "line", layout: { "line-join": "round" }, paint: { "line-color": "#0b7a75", "line-width": 3 } },
    { id: "corners", source: "corners", type: "circle", paint: { "circle-radius": 9, "circle-color": "#ffffff", "circle-stroke-width": 3, "circle-stroke-color": "#0b7a75" } },
    { id: "corner-numbers", source: "corners", type: "symbol", layout: { "text-field": ["get", "number"], "text-font": ["Noto Sans CJK SC", "Noto Sans SC", "sans-serif"], "text-size": 11, "text-allow-overlap": true }, paint: { "text-color": "#14212b" } },
    {
      id: "points", source: "points", type: "circle",
      paint: {
        "circle-radius": ["case", ["get", "chosen"], 13, 9], "circle-color": ["case", ["get", "done"], "#0b7a75", "#ffffff"],
        "circle-stroke-width": 3, "circle-stroke-color": ["case", ["get", "done"], "#0b7a75", "#b35900"],
      },
    },
    {
      id: "names", source: "streets", type: "symbol", minzoom: 14, filter: ["!=", ["get", "name"], ""],
      layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": FONT, "text-size": 13 },
      paint: { "text-color": "#14212b", "text-halo-color": "#ffffff", "text-halo-width": 1.5 },
    },
  ],
};

const reduced = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
const motion = (): { duration: number } => ({ duration: reduced() ? 0 : 150 });
const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

function open(asked: SimpleAsked): LibreMap {
  const whole = asked.bounds === null ? { center: [0, 0] as [number, number], zoom: 1 } : { bounds: asked.bounds as LngLatBoundsLike };
  const start = asked.at === null ? whole : { center: [...asked.at] as [number, number], zoom: NEAR };
  const map = new LibreMap({ container: asked.container, style: STYLE, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, maxZoom: 19, fadeDuration: 0, locale: { "Map.Title": asked.title }, ...start });
  map.touchZoomRotate.disableRotation();
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  return map;
}

async function drawStreets(map: LibreMap): Promise<void> {
  const network = await ask<Network>("/api/network").catch(() => null);
  const features = (network?.roads ?? []).map((road) => ({ type: "Feature" as const, geometry: { type: "LineString" as const, coordinates: [...road.line] }, properties: { name: road.name.zh ?? road.name.en ?? "" } }));
  map.getSource<GeoJSONSource>("streets")?.setData({ type: "FeatureCollection", features });
}

function listen(map: LibreMap, asked: SimpleAsked): void {
  // Only what a hand did is a choice: the first picture of a map is none.
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    asked.onMove?.([round(lng), round(lat)]);
  });
  map.on("click", "points", (event) => {
    const id: unknown = event.features?.[0]?.properties["id"];
    if (typeof id === "string") asked.onPick?.(id);
  });
  map.on("click", (event) => {
    const at: unknown = map.queryRenderedFeatures(event.point, { layers: ["corners"] })[0]?.properties["index"];
    if (typeof at === "number") asked.onCorner?.(at);
    else asked.onPlace?.([round(event.lngLat.lng), round(event.lngLat.lat)]);
  });
}

/** Two corners are a line, three and more an area; each corner has its number. */
function drawOutline(map: LibreMap, corners: readonly Place[]): void {
  const ring = corners.map((corner) => [...corner]);
  const closed = [...ring, ...ring.slice(0, 1)];
  const shape = ring.length > 2 ? { type: "Polygon" as const, coordinates: [closed] } : { type: "LineString" as const, coordinates: ring };
  map.getSource<GeoJSONSource>("outline")?.setData(ring.length < 2 ? NOTHING : { type: "Feature", geometry: shape, properties: {} });
  const features = ring.map((coordinates, index) => ({ type: "Feature" as const, geometry: { type: "Point" as const, coordinates }, properties: { index, number: String(index + 1) } }));
  map.getSource<GeoJSONSource>("corners")?.setData({ type: "FeatureCollection", features });
}

/** Opens the map; it can be used as soon as this is done, streets may come a little later. */
export async function openSimpleMap(asked: SimpleAsked): Promise<SimpleMap> {
  needsDrawing();
  const map = open(asked);
  return new Promise((resolve) => {
    map.once("load", () => {
      listen(map, asked);
      void drawStreets(map).then(() => { asked.container.dataset["drawn"] = "yes"; });
      resolve({
        show: (points, chosen) => {
          const features = points.map(({ id, at, done }) => ({ type: "Feature" as const, geometry: { type: "Point" as const, coordinates: [...at] }, properties: { id, done, chosen: id === chosen } }));
          map.getSource<GeoJSONSource>("points")?.setData({ type: "FeatureCollection", features });
        },
        outline: (corners) => { drawOutline(map, corners); },
        middle: () => [round(map.getCenter().lng), round(map.getCenter().lat)],
        fit: (points) => {
          const lons = points.map(([lon]) => lon);
          const lats = points.map(([, lat]) => lat);
          if (points.length > 0) map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: 60, maxZoom: NEAR, ...motion() });
        },
        zoomBy: (steps) => { map.zoomTo(map.getZoom() + steps, motion()); },
        close: () => { map.remove(); },
      });
    });
  });
}
