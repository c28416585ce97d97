// SPDX-License-Identifier: Apache-2.0
// How warnings are ordered, named and placed. Pure.
import type { Geometry, Position } from "geojson";
import type { Lang } from "@/api/types";
import type { Alert, Authority, Info, Line, Named, Reference, Source } from "@/doors/cap/types";
import { SEVERITIES } from "@/kit/severity";
import type { View } from "@/map/engine";

/** The worst first, of equal ones the newest. */
export const worstFirst = (lines: readonly Line[]): Line[] =>
  [...lines].sort((a, b) => SEVERITIES.indexOf(a.level) - SEVERITIES.indexOf(b.level) || b.received_at.localeCompare(a.received_at));

/** Sender, identifier and time name a message for the whole world; none of them holds a comma. */
export const keyOf = ({ sender, identifier, sent }: Pick<Named, "sender" | "identifier" | "sent">): string => [sender, identifier, sent].join();
export function named(key: string): Pick<Named, "sender" | "identifier" | "sent"> | null {
  const [sender, identifier, sent, ...more] = key.split(",");
  return sender === undefined || identifier === undefined || sent === undefined || more.length > 0 ? null : { sender, identifier, sent };
}

export const isChinese = (info: Pick<Info, "language">): boolean => info.language.toLowerCase().startsWith("zh");
/** What is said in the reader's language first, then the others in their order. */
export const inOrder = (infos: readonly Info[], lang: Lang): Info[] => [...infos.filter((one) => isChinese(one) === (lang === "zh")), ...infos.filter((one) => isChinese(one) !== (lang === "zh"))];

const fits = (reference: Reference, line: Named): boolean =>
  reference.sender === line.sender && reference.identifier === line.identifier && (reference.sent === null || Date.parse(reference.sent) === Date.parse(line.sent));
/** References to messages that never came here. */
export const missing = (alert: Pick<Alert, "references">, chain: readonly Named[]): Reference[] => alert.references.filter((one) => !chain.some((line) => fits(one, line)));
/**
 * Warnings in force that a message without a valid signature would end by coming in: those of its sender, or that the
 * same service brought and that nobody signed validly, as the door has it.
 */
export function wouldEnd(alert: Pick<Alert, "references" | "msg_type" | "status" | "sender">, postedBy: string, chain: readonly Line[]): Line[] {
  const isTheirs = (line: Line): boolean => line.sender === alert.sender || (line.posted_by === postedBy && !line.is_ours && line.signature !== "valid");
  if (!["Update", "Cancel"].includes(alert.msg_type)) return [];
  return chain.filter((line) => line.closed_at === null && line.status === alert.status && isTheirs(line) && alert.references.some((one) => fits(one, line)));
}

export function positions(geometry: Geometry): Position[] {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(positions);
  if (geometry.type === "Point") return [geometry.coordinates];
  return (geometry.coordinates as unknown[]).flat(geometry.type === "MultiPolygon" ? 2 : geometry.type === "Polygon" || geometry.type === "MultiLineString" ? 1 : 0) as Position[];
}
/** The two corners of a place. */
export function corners(geometry: Geometry): [[number, number], [number, number]] | null {
  const all = positions(geometry);
  if (all.length === 0) return null;
  const [lons, lats] = [all.map((one) => one[0] ?? 0), all.map((one) => one[1] ?? 0)];
  const least = (of: number[]): number => of.reduce((a, b) => Math.min(a, b));
  const most = (of: number[]): number => of.reduce((a, b) => Math.max(a, b));
  return [[least(lons), least(lats)], [most(lons), most(lats)]];
}

const CLOSEST = 15;
/** A map's view of a place: it fills about a half of a map of 1,024 pixels, whose world at zoom 0 has 512. */
export function viewOfPlace(geometry: Geometry): View | null {
  const box = corners(geometry);
  if (box === null) return null;
  const [[west, south], [east, north]] = box;
  const wide = Math.max(east - west, (north - south) * 1.5, 0.0001);
  return { lon: (west + east) / 2, lat: (south + north) / 2, zoom: Math.max(1, Math.min(CLOSEST, Math.log2(360 / wide))) };
}

/** How an authority's word on what it revoked stands: nobody asks, nothing is here, it is over, or it counts. */
export type ListState = "not_asked" | "missing" | "over" | "current";
export function listState(source: Pick<Source, "revocations">, authority: Pick<Authority, "list">): ListState {
  if (!source.revocations) return "not_asked";
  if (authority.list === null) return "missing";
  return authority.list.is_current ? "current" : "over";
}
/** Whether something of a source makes its messages wait: a certificate out of its time, a list missing or over. */
export const hasTrouble = (source: Source): boolean =>
  [...source.certificates, ...source.authorities].some((one) => one.standing !== "good") || source.authorities.some((one) => ["missing", "over"].includes(listState(source, one)));
