// SPDX-License-Identifier: Apache-2.0
// How an app describes a layer of the one map: features, their paint, and one moving number per feature.
import type { Feature } from "geojson";
import type { FilterSpecification, LayerSpecification } from "maplibre-gl";
import type { CityState, Lang, Network, Text } from "@/api/types";
import type { Key } from "@/i18n";

export type { ExpressionSpecification } from "maplibre-gl";
type WithoutPlace<T> = T extends unknown ? Omit<T, "source" | "source-layer"> : never;
export type Paint = WithoutPlace<Exclude<LayerSpecification, { type: "background" } | { type: "custom" }>> & { filter?: FilterSpecification };

/** In which letters a map writes: what the machine has of these, the first one first. */
export const FONT = ["Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
/** A name in the reader's language, or in the one there is. */
export const nameIn = (name: Text | undefined, lang: Lang): string => name?.[lang] ?? name?.zh ?? name?.en ?? "";

/** A sign of the legend: drawn as `shape` in `colour`. */
export interface Sign { label: Key; colour: string; shape: "line" | "thin" | "triangle" | "diamond" | "square" | "dot" | "arrow" }

export interface MapLayer {
  id: string;
  label: Key;
  /** Features with numeric ids = place in the list; `properties.id` is the entity (or event) that a click selects. */
  features: (network: Network, lang: Lang) => Feature[];
  paints: Paint[];
  /** One number per feature, in their order; it becomes the feature-state `v`. */
  values?: (state: CityState, network: Network) => number[];
  /** Features that come and go with the state; they replace those of `features` when their key changes. */
  comes?: (state: CityState, lang: Lang) => { key: string; features: Feature[] };
  selectable?: boolean;
  /** Drawn over the layers of all apps that are not. */
  above?: true;
  legend?: Sign[];
}
