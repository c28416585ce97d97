// SPDX-License-Identifier: Apache-2.0
// Alarms as the server says them: an event with how it is handled, what was done with it, and on which signs it rests.
import type { EventView, Facts, OrderView, Text } from "@/api/types";

export const HANDLED = ["new", "acknowledged", "taken", "shelved", "cleared"] as const;
export type Handled = (typeof HANDLED)[number];
export const ACTS = ["acknowledge", "take", "release", "comment", "shelve", "unshelve", "clear"] as const;
export type ActName = (typeof ACTS)[number];

export interface Handling {
  state: Handled;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  taken_by: string | null;
  taken_at: string | null;
  shelved_by: string | null;
  shelved_until: string | null;
  cleared_by: string | null;
  cleared_at: string | null;
  comments: number;
  version: number;
  note?: string;
}

export type Happened = Omit<EventView, "acknowledged_by" | "acknowledged_at" | "note">;
export interface Alarm extends Happened {
  group: string | null;
  group_size: number;
  place: { name: Text | string; [fact: string]: unknown } | null;
  handling: Handling;
}
/** `expire` is the city's own: the time of a shelf is over. */
export interface Act { act: ActName | "expire"; by: string; at: string; note: string | null; facts: Facts }
export interface Sign { kind: string; entity_id: string; at: string; [fact: string]: unknown }
export interface AlarmStory extends Alarm { acts: Act[]; signs: Sign[]; orders: OrderView[] }

export interface Counts { severity: Partial<Record<"I" | "II" | "III" | "IV", number>>; handling: Partial<Record<Handled, number>> }
export interface AlarmPage { rows: Alarm[]; total: number; counts: Counts; next: string | null }
export interface Wanted { act: ActName; note?: string; until?: string; version?: number }
export interface Done { done: string[]; refused: { id: string; code: string; facts: Facts }[] }
