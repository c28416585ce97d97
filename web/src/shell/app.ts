// SPDX-License-Identifier: Apache-2.0
// What an app may show in the centre: one value per app, found by main.ts.
import type { Component, InjectionKey } from "vue";
import { inject } from "vue";
import type { Network } from "@/api/types";
import type { Key } from "@/i18n";
import type { IconName } from "@/kit/icons";
import type { Mark } from "@/map/engine";
import type { MapLayer } from "@/map/layer";

/** A desk of the rail; `path` is its address. */
export interface Panel { path: string; title: Key; icon: IconName; component: Component }
/** Shows a selection; the component gets it as `id`. */
export interface Inspector { of: (selection: string) => boolean; component: Component }
/** A thing that can be found by name. */
export interface Place { id: string; label: string; hint: string; points: readonly (readonly [number, number])[] }

export interface CityApp {
  name: string;
  layers: MapLayer[];
  marks: Mark[];
  panels: Panel[];
  inspectors: Inspector[];
  places: (network: Network) => Place[];
}

export const APPS: InjectionKey<readonly CityApp[]> = Symbol("apps");
export const theApps = (): readonly CityApp[] => inject(APPS, []);
