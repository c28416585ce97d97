// SPDX-License-Identifier: Apache-2.0
// Map and charts are described in the colours of the dark centre; here are those of the other themes. Pure.

export type Theme = "dark" | "light" | "contrast";
type Table = Readonly<Record<string, string>>;

const LIGHT: Table = {
  "#0b1620": "#f5f7f9", "#111f2b": "#ffffff", "#182a38": "#ffffff", "#24384a": "#d5dde3", "#3a5368": "#8495a1", "#e8eef3": "#14212b", "#9fb3c4": "#51626f", "#3ec6c0": "#0b7a75", "#c79bff": "#6d3fc0",
  "#1b2d3b": "#dde5ea", "#1f3342": "#b9c6cf", "#2b3f50": "#d3dce3", "#2f8a7f": "#2a8076", "#8fa24a": "#6f8026", "#e8b23c": "#b87d00", "#ff8a3c": "#dc5f00", "#ff5a5f": "#d0202a", "#ffbf47": "#b87d00", "#3fbf6f": "#17803f", "#5b7083": "#7b8a95",
  "#d6e6f2": "#1d4f7c", "#e2a3ff": "#8a2bbf", "#ff7ad9": "#b3187f", "#ffd6f2": "#7d0f58", "#8ab6dd": "#2a6aa3",
};
const CONTRAST: Table = {
  "#0b1620": "#000000", "#111f2b": "#000000", "#182a38": "#101010", "#24384a": "#8f8f8f", "#3a5368": "#ffffff", "#e8eef3": "#ffffff", "#9fb3c4": "#e4e4e4", "#3ec6c0": "#5ff0ea", "#c79bff": "#e0c4ff",
  "#1b2d3b": "#262626", "#1f3342": "#5c5c5c", "#2b3f50": "#9a9a9a", "#2f8a7f": "#3fd0bf", "#8fa24a": "#c6e05a", "#e8b23c": "#ffcf4d", "#5b7083": "#b0b0b0", "#d6e6f2": "#ffffff", "#8ab6dd": "#b5dcff",
};
const TABLES: Record<Theme, Table> = { dark: {}, light: LIGHT, contrast: CONTRAST };

export const coloured = (colour: string, theme: Theme): string => TABLES[theme][colour.toLowerCase()] ?? colour;

/** The same value with every colour in it changed, however deep: a paint, an expression, the option of a chart. */
export function recoloured<T>(value: T, theme: Theme): T {
  if (theme === "dark") return value;
  if (typeof value === "string") return coloured(value, theme) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => recoloured(one, theme)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, typeof one === "function" ? (one as unknown) : recoloured(one as unknown, theme)])) as T;
}

/** In which theme a part of the page is shown. */
export const themeAt = (element: Element): Theme => ((element.closest("[data-theme]") as HTMLElement | null)?.dataset["theme"] ?? "dark") as Theme;
