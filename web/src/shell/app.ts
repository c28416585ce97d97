// SPDX-License-Identifier: Apache-2.0
// What an app may show in the centre: one value per app, found by main.ts.
import type { Component, InjectionKey } from "vue";
import { inject } from "vue";
import type { Network } from "@/api/types";
import type { Key } from "@/i18n";
import type { IconName } from "@/kit/icons";
import type { Mark } from "@/map/engine";
import type { MapLayer } from "@/map/layer";

export type { PublicPage } from "@/citizen/page";

/** Under which word the rail shows a desk. */
export type Group = "city" | "work" | "data" | "manage";
type Lazy = () => Promise<{ default: Component }>;
/**
 * A desk of the rail; `path` is its address. One of kind `desk` fills all beside the rail, light and without a map; its
 * component is better loaded when it is opened, and keeps its own part of the address. A `wall` has the whole screen.
 */
export interface Panel {
  path: string;
  title: Key;
  icon: IconName;
  component: Component | Lazy;
  kind?: "centre" | "desk" | "wall";
  group?: Group;
  shown?: () => boolean;
  /** How much waits behind it; nothing is shown for none. */
  badge?: () => number;
}
/** Shows a selection; the component gets it as `id`. One that shows whatever nobody else does is `last`. */
export interface Inspector { of: (selection: string) => boolean; component: Component; last?: true }
/** A thing that can be found by name. */
export interface Place { id: string; label: string; hint: string; points: readonly (readonly [number, number])[] }

export interface CityApp {
  name: string;
  /** It is about streets: where there are none it stands behind the others, and its layers have no legend. */
  streets?: true;
  layers: MapLayer[];
  marks: Mark[];
  panels: Panel[];
  inspectors: Inspector[];
  places: (network: Network) => Place[];
  /** Where a selection is that is none of the places. */
  pointsOf?: (selection: string) => readonly (readonly [number, number])[] | undefined;
}

export const APPS: InjectionKey<readonly CityApp[]> = Symbol("apps");
/** The desks in their order: those about streets first where there are streets, last where there are none. */
export function desks(apps: readonly CityApp[], hasStreets: boolean): Panel[] {
  const rank = (app: CityApp): number => Number((app.streets ?? false) !== hasStreets);
  return [...apps].sort((a, b) => rank(a) - rank(b)).flatMap((app) => app.panels).filter((panel) => panel.shown?.() ?? true);
}

/** Desks under their words, in the order of the first desk of each. */
export function grouped(panels: readonly Panel[]): { group: Group; panels: Panel[] }[] {
  const groupOf = (panel: Panel): Group => panel.group ?? "city";
  return [...new Set(panels.map(groupOf))].map((group) => ({ group, panels: panels.filter((panel) => groupOf(panel) === group) }));
}

/** The layers of the map from below to above. */
export const layersOf = (apps: readonly CityApp[]): MapLayer[] => apps.flatMap((app) => app.layers).sort((a, b) => Number(a.above ?? false) - Number(b.above ?? false));

export const theApps = (): readonly CityApp[] => inject(APPS, []);
