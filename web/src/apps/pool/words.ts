// SPDX-License-Identifier: Apache-2.0
// How values, names and ages of the pool are worded; pure but for the language.
import type { Geometry, Position } from "geojson";
import { number, say, shown, t, text } from "@/i18n";
import type { Text } from "@/api/types";
import { unitSign } from "@/apps/pool/units";
import type { Brief, Value } from "@/apps/pool/types";
import { wordsOfAge } from "@/time/age";

/** A value without a promise is old after a day; one with a promise when it is late by more than the grace. */
export const OLD_AFTER_S = 86_400;
const GRACE_S = 3;

export const isOld = (ageS: number, everyS: number | null): boolean => ageS > (everyS === null ? OLD_AFTER_S : everyS + GRACE_S);

export const ageS = (at: string, nowMs: number): number => Math.max(0, (nowMs - Date.parse(at)) / 1000);

export function ageWords(at: string, nowMs: number): string {
  const { key, n } = wordsOfAge(ageS(at, nowMs));
  return t(key, { n });
}

/** The last word of an IRI; other names are short already. */
export const shortName = (name: string): string => (name.includes("://") ? name.split(/[/#]/).filter((one) => one !== "").at(-1) ?? name : name);

export const attributeName = (name: string): string => say(`attribute.${shortName(name)}`, {}, shortName(name));
export const typeName = (type: string): string => say(`type.${shortName(type)}`, {}, shortName(type));

const URN = /^urn:ngsi-ld:[^:]+:/;
export const shortId = (id: string): string => id.replace(URN, "") || id;
export const called = (entity: { id: string; name: Text }): string => text(entity.name) || shortId(entity.id);

const SHORTEST = 90;
const inShort = (words: string): string => (words.length > SHORTEST ? `${words.slice(0, SHORTEST)}…` : words);

/** A geometry in words: what it is, and where or how many positions. */
export function placeWords(geometry: Geometry): string {
  const all = positions(geometry);
  const first = all[0];
  if (geometry.type === "Point" && first !== undefined) return `${(first[0] ?? 0).toFixed(5)}, ${(first[1] ?? 0).toFixed(5)}`;
  return t("pool.geometry", { kind: geometry.type, n: all.length });
}

export function positions(geometry: Geometry): [number, number][] {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(positions);
  const flat = (part: unknown): [number, number][] => (Array.isArray(part) && typeof part[0] === "number" ? [[(part as Position)[0] ?? 0, (part as Position)[1] ?? 0]] : Array.isArray(part) ? part.flatMap(flat) : []);
  return flat(geometry.coordinates);
}

const OF_KIND: Partial<Record<string, (value: unknown) => string>> = {
  GeoProperty: (value) => placeWords(value as Geometry),
  LanguageProperty: (value) => text(languages(value)),
  VocabProperty: (value) => [value].flat().map((one) => shortName(String(one))).join(t("value.join")),
  Relationship: (value) => [value].flat().map(String).join(t("value.join")),
  ListRelationship: (value) => [value].flat().map(String).join(t("value.join")),
};

/** A language map, its keys cut to the languages that we speak. */
export function languages(value: unknown): Text {
  if (value === null || typeof value !== "object") return {};
  return Object.fromEntries(Object.entries(value as Record<string, unknown>).map(([key, word]) => [key.slice(0, 2), [word].flat().join(t("value.join"))])) as Text;
}

export function valueWords(value: Pick<Value, "kind" | "value">): string {
  const words = OF_KIND[value.kind];
  if (value.value === null || value.value === undefined) return "–";
  if (words !== undefined) return inShort(words(value.value));
  if (typeof value.value === "number") return number(value.value, 6);
  if (typeof value.value === "object") return inShort(JSON.stringify(value.value));
  return inShort(shown(value.value));
}

export function briefWords(brief: Brief): string {
  const unit = unitSign(brief.unit_code);
  return `${attributeName(brief.name)} ${valueWords({ kind: "Property", value: brief.value })}${unit === "" ? "" : ` ${unit}`}`;
}

/** Which part of a page list a row is of. */
export const PAGE = 500;
export const MOST_ROWS = 100_000;
export const pageOf = (index: number): number => Math.floor(index / PAGE);

/** West, south, east, north of what a view of so many pixels shows, with a little more around it. */
export function boxOf(view: { lon: number; lat: number; zoom: number }, width: number, height: number): [number, number, number, number] {
  const perPixel = 360 / (512 * 2 ** view.zoom);
  const halfLon = perPixel * width * 0.55;
  const halfLat = perPixel * height * 0.55 * Math.cos((view.lat * Math.PI) / 180);
  const within = (degrees: number, most: number): number => Math.min(most, Math.max(-most, degrees));
  return [within(view.lon - halfLon, 180), within(view.lat - halfLat, 90), within(view.lon + halfLon, 180), within(view.lat + halfLat, 90)];
}
