// SPDX-License-Identifier: Apache-2.0
// The one map: opens MapLibre without any outside address and keeps its layers in step with the city.
import { Map as LibreMap, setWorkerUrl } from "maplibre-gl";
import type { GeoJSONSource, LayerSpecification, LngLatBoundsLike, StyleSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { CityState, Lang, Network } from "@/api/types";
import { coloured, recoloured } from "@/kit/colours";
import type { Theme } from "@/kit/colours";
import { newest } from "@/api/vehicles";
import { nearestVehicle, selectionOfVehicle } from "@/map/vehicle-rows";
import { viewBox } from "@/map/view-box";
import type { MapLayer } from "@/map/layer";
import { drawShape, PIXEL_RATIO } from "@/map/shapes";
import type { Shape } from "@/map/shapes";
import { MOVING, STANDING } from "@/map/vehicle-colours";
import { vehicleLayer } from "@/map/vehicle-layer";
import type { VehicleLayer } from "@/map/vehicle-layer";
import { needsDrawing } from "@/map/able";

setWorkerUrl(workerUrl);

export interface Mark { name: string; shape: Shape; colour: string }
export interface View { lon: number; lat: number; zoom: number }

export interface Asked {
  container: HTMLElement;
  layers: readonly MapLayer[];
  marks: readonly Mark[];
  bounds: [number, number, number, number];
  view: View | null;
  /** Nobody moves it, and all of it is drawn so much larger: a picture on a wall. */
  stillAt?: number;
  title: string;
  onPick: (id: string | null) => void;
  onView: (view: View) => void;
}

export interface CityMapEngine {
  vehicles: VehicleLayer;
  draw: (network: Network, lang: Lang) => void;
  paint: (state: CityState, network: Network, lang: Lang) => void;
  select: (id: string | null) => void;
  toggle: (layer: string, shown: boolean) => void;
  fit: () => void;
  goTo: (points: readonly (readonly [number, number])[]) => void;
  zoomBy: (steps: number) => void;
  title: (title: string) => void;
  theme: (theme: Theme) => void;
  resize: () => void;
  close: () => void;
}

const VEHICLES = "vehicles";
/** A vehicle is hit within so many pixels. */
const PICK_PX = 7;
const ROOM = { top: 48, bottom: 48, left: 48, right: 48 };

const STYLE: StyleSpecification = {
  version: 8,
  sources: {},
  layers: [{ id: "ground", type: "background", paint: { "background-color": "#0b1620" } }],
};

const reduced = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

function open(asked: Asked): LibreMap {
  const start = asked.view === null
    ? { bounds: asked.bounds as LngLatBoundsLike, fitBoundsOptions: { padding: ROOM } }
    : { center: [asked.view.lon, asked.view.lat] as [number, number], zoom: asked.view.zoom };
  return new LibreMap({
    container: asked.container,
    style: STYLE,
    attributionControl: false,
    interactive: asked.stillAt === undefined,
    ...(asked.stillAt === undefined ? {} : { pixelRatio: asked.stillAt * devicePixelRatio }),
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    minZoom: 9,
    maxZoom: 20.5,
    fadeDuration: 0,
    locale: { "Map.Title": asked.title },
    ...start,
  });
}

/** On a wall the page's type is larger; the map's labels grow with it. */
function scaled(paint: LayerSpecification, stillAt: number | undefined): LayerSpecification {
  if (stillAt !== undefined) return paint;
  const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const size = paint.type === "symbol" ? paint.layout?.["text-size"] : undefined;
  return typeof size === "number" ? ({ ...paint, layout: { ...paint.layout, "text-size": size * scale } } as LayerSpecification) : paint;
}

function addLayers(map: LibreMap, { layers, stillAt }: Asked, vehicles: VehicleLayer): void {
  for (const layer of layers) map.addSource(layer.id, { type: "geojson", data: { type: "FeatureCollection", features: [] }, tolerance: 0.1 });
  const paints = layers.flatMap((layer) => layer.paints.map((paint) => scaled({ ...paint, source: layer.id } as LayerSpecification, stillAt)));
  const labels = paints.filter((paint) => paint.id.endsWith("label"));
  for (const paint of paints) if (!labels.includes(paint)) map.addLayer(paint);
  map.addLayer(vehicles);
  for (const paint of labels) map.addLayer(paint);
}

/** Tells the map only what changed; 850 roads and 300 heads cost nothing while they stay as they are. */
function valueWriter(map: LibreMap): (layer: string, values: readonly number[]) => void {
  const last = new Map<string, readonly number[]>();
  return (layer, values) => {
    const before = last.get(layer);
    values.forEach((v, id) => { if (before?.[id] !== v) map.setFeatureState({ source: layer, id }, { v }); });
    last.set(layer, values);
  };
}

function selector(map: LibreMap, layers: readonly MapLayer[]): { know: (layer: string, ids: string[]) => void; select: (id: string | null) => void } {
  const places = new Map<string, string[]>();
  let selected: string | null = null;
  const mark = (id: string, sel: boolean): void => {
    for (const layer of layers) {
      places.get(layer.id)?.forEach((other, i) => { if (other === id) map.setFeatureState({ source: layer.id, id: i }, { sel }); });
    }
  };
  return {
    know: (layer, ids) => {
      if (selected !== null) mark(selected, false);
      places.set(layer, ids);
      if (selected !== null) mark(selected, true);
    },
    select: (id) => {
      if (selected !== null) mark(selected, false);
      selected = id;
      if (id !== null) mark(id, true);
    },
  };
}

/** The vehicle under the pointer, if vehicles are shown. */
function vehicleUnder(map: LibreMap, vehicles: VehicleLayer, { x, y }: { x: number; y: number }): string | null {
  if (newest.frame === null || !vehicles.isShown()) return null;
  const [here, beside] = [map.unproject([x, y]), map.unproject([x + PICK_PX, y])];
  const found = nearestVehicle(newest.frame, [here.lng, here.lat], beside.lng - here.lng);
  return found === null ? null : selectionOfVehicle(found.id);
}

function sayView(map: LibreMap): void {
  const bounds = map.getBounds();
  viewBox.value = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

function listenToMouse(map: LibreMap, asked: Asked, vehicles: VehicleLayer): void {
  const paints = asked.layers.filter((layer) => layer.selectable).flatMap((layer) => layer.paints).reverse();
  const pickable = paints.map((paint) => paint.id);
  const marks = paints.filter((paint) => (paint.type === "symbol" || paint.type === "circle") && !paint.id.endsWith("label")).map((paint) => paint.id);
  const at = (x: number, y: number, reach: number, among = pickable): string | null => {
    const there = map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]], { layers: among.filter((id) => map.getLayer(id) !== undefined) });
    const id: unknown = there[0]?.properties["id"];
    return typeof id === "string" ? id : null;
  };
  // A mark, of an alarm above all, is what was meant where vehicles queue beneath it; a road is not.
  map.on("click", ({ point }) => { asked.onPick(at(point.x, point.y, 0, marks) ?? vehicleUnder(map, vehicles, point) ?? at(point.x, point.y, 0) ?? at(point.x, point.y, 5)); });
  let waiting = false;
  map.on("mousemove", (event) => {
    if (waiting) return;
    waiting = true;
    window.setTimeout(() => {
      waiting = false;
      map.getCanvas().style.cursor = at(event.point.x, event.point.y, 3) === null ? "" : "pointer";
    }, 80);
  });
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    sayView(map);
    asked.onView({ lon: lng, lat, zoom: map.getZoom() });
  });
}

/** Every paint in the colours of a theme. */
function dress(map: LibreMap, layers: readonly MapLayer[], theme: Theme): void {
  map.setPaintProperty("ground", "background-color", coloured("#0b1620", theme));
  for (const paint of layers.flatMap((layer) => layer.paints)) {
    for (const [name, value] of Object.entries(paint.paint ?? {})) if (name.endsWith("color")) map.setPaintProperty(paint.id, name as "fill-color", recoloured(value as unknown, theme) as string);
  }
}

function boxOf(points: readonly (readonly [number, number])[]): [number, number, number, number] {
  const lons = points.map((point) => point[0]);
  const lats = points.map((point) => point[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

const given = (map: LibreMap, sources: readonly string[]): boolean => sources.every((source) => map.isSourceLoaded(source) && map.querySourceFeatures(source).length > 0);

/** Vehicles keep the map from ever being idle, so "drawn" is: a frame with all tiles there, after `sources` were given. */
function sayWhenDrawn(map: LibreMap, sources: () => readonly string[]): void {
  map.on("render", () => {
    if (document.documentElement.dataset["map"] !== "ready" && given(map, sources())) document.documentElement.dataset["map"] = "ready";
  });
}

export async function openMap(asked: Asked): Promise<CityMapEngine> {
  needsDrawing();
  const map = open(asked);
  const vehicles = vehicleLayer(VEHICLES);
  return new Promise((resolve) => {
    map.once("load", () => {
      for (const mark of asked.marks) map.addImage(mark.name, drawShape(mark.shape, mark.colour), { pixelRatio: PIXEL_RATIO });
      addLayers(map, asked, vehicles);
      listenToMouse(map, asked, vehicles);
      sayView(map);
      resolve(engineOf(map, asked, vehicles));
    });
  });
}

function engineOf(map: LibreMap, asked: Asked, vehicles: VehicleLayer): CityMapEngine {
  const write = valueWriter(map);
  const selection = selector(map, asked.layers);
  const came = new Map<string, string>();
  const awaited: string[] = [];
  sayWhenDrawn(map, () => awaited);
  const give = (layer: string, features: GeoJSON.Feature[]): void => {
    map.getSource<GeoJSONSource>(layer)?.setData({ type: "FeatureCollection", features });
    selection.know(layer, features.map((feature) => String(feature.properties?.["id"] ?? "")));
  };
  const motion = (): { duration: number } => ({ duration: reduced() ? 0 : 150 });
  return {
    vehicles,
    draw: (network, lang) => {
      awaited.splice(0, awaited.length, ...(network.roads.length > 0 ? ["roads", "signals"] : []));
      for (const layer of asked.layers) if (layer.comes === undefined) give(layer.id, layer.features(network, lang));
    },
    paint: (state, network, lang) => {
      for (const layer of asked.layers) {
        if (layer.values !== undefined) write(layer.id, layer.values(state, network));
        const there = layer.comes?.(state, lang);
        if (there !== undefined && came.get(layer.id) !== there.key) { came.set(layer.id, there.key); give(layer.id, there.features); }
      }
    },
    select: selection.select,
    toggle: (layer, shown) => {
      if (layer === VEHICLES) { vehicles.show(shown); return; }
      const paints = asked.layers.find((one) => one.id === layer)?.paints ?? [];
      for (const paint of paints) map.setLayoutProperty(paint.id, "visibility", shown ? "visible" : "none");
    },
    fit: () => { map.fitBounds(asked.bounds, { padding: ROOM, ...motion() }); },
    goTo: (points) => {
      if (points.length > 0) map.fitBounds(boxOf(points), { padding: 120, maxZoom: 17.5, ...motion() });
    },
    zoomBy: (steps) => { map.zoomTo(map.getZoom() + steps, motion()); },
    theme: (theme) => { dress(map, asked.layers, theme); vehicles.tint(coloured(MOVING, theme), coloured(STANDING, theme)); },
    title: (title) => { map.getCanvas().setAttribute("aria-label", title); },
    resize: () => { map.resize(); },
    close: () => { viewBox.value = null; map.remove(); },
  };
}
