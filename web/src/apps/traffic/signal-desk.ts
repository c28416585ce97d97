// SPDX-License-Identifier: Apache-2.0
// The rows of the junctions' desk: state, mode, doubts, gain; and which of them are wanted. Pure.
import type { EventView } from "@/api/types";
import type { SignalRow } from "@/apps/traffic/rows";
import { savedSeconds, worthOf } from "@/apps/traffic/gains";
import type { Gain, Mode, Sayer, ShadowReport } from "@/apps/traffic/types";

export const SENSOR_DOUBTED = "traffic.sensor_doubted";
export interface DeskRow extends SignalRow { id: string; words: string; mode: Mode | null; says: Sayer | null; gain: Gain | null; isDoubted: boolean; partners: readonly string[] }
export interface Wanted { mode: string; doubt: string; worth: string; words: string }

export const doubted = (events: readonly EventView[]): ReadonlySet<string> => new Set(events.filter((event) => event.kind === SENSOR_DOUBTED && event.ended_at === null).map((event) => event.entity_id));

/** Signals that act as one have one row in the report: each of them shows it. */
export function deskRows(rows: readonly SignalRow[], report: ShadowReport | null, doubts: ReadonlySet<string>, nameOf: (id: string) => string): DeskRow[] {
  const told = new Map((report?.junctions ?? []).flatMap((row) => row.signals.map((id) => [id, row] as const)));
  return rows.map((row) => {
    const { id } = row.signal;
    const { mode, says, gain, signals } = told.get(id) ?? { mode: null, says: null, gain: null, signals: [id] };
    return { ...row, id, words: nameOf(id), mode, says, gain, isDoubted: doubts.has(id), partners: signals };
  });
}

const IS_WANTED: Record<keyof Wanted, (row: DeskRow, wanted: string) => boolean> = {
  mode: (row, wanted) => row.mode === wanted,
  doubt: (row, wanted) => row.isDoubted === (wanted === "yes"),
  worth: (row, wanted) => row.gain !== null && (wanted === "gains" ? ["gains", "short"] : [wanted]).includes(worthOf(row.gain)),
  words: (row, wanted) => `${row.words} ${row.id}`.toLowerCase().includes(wanted.toLowerCase()),
};

/** Those that are wanted, the one first that would save (or saves) most. */
export function wantedRows(rows: readonly DeskRow[], wanted: Wanted): DeskRow[] {
  const asked = (Object.keys(IS_WANTED) as (keyof Wanted)[]).filter((name) => wanted[name] !== "");
  const saved = (row: DeskRow): number => (row.gain === null ? 0 : savedSeconds(row.gain));
  return rows.filter((row) => asked.every((name) => IS_WANTED[name](row, wanted[name]))).sort((a, b) => saved(b) - saved(a));
}

/** With a signal go those that act as one with it. */
export const together = (rows: readonly DeskRow[], marked: ReadonlySet<string>): string[] => [...new Set(rows.filter((row) => marked.has(row.id)).flatMap((row) => row.partners))];
