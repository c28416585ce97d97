// SPDX-License-Identifier: Apache-2.0
// Orders of people as the server says them: what can be ordered, what was, and what became of it.
import type { Because, Facts, Outcome } from "@/api/types";
import type { Schema } from "@/kit/schema";

/** What a means promises, looked at after so many seconds. */
export interface Effect { attribute: string; on: "entity" | "road" | "junction"; becomes: "falls" | "rises" | "below" | "above" | "is" | "ordered"; value: number | string | null; within_s: number }
export interface Means {
  name: string; group: string; permission: string; entity_types: string[]; two_person: boolean; lasts: boolean; undone_by: string; parameters: Schema;
  executable: boolean; lacks: { code: string; facts: Facts } | null; effect: Effect | null; precondition: string;
}
export type OrderState = "proposed" | "standing" | "ended" | "refused";
export type Why = "done" | "failed" | "ended" | "expired" | "replaced" | "withdrawn" | "late" | "refused";

export interface StandingOrder {
  id: string;
  means: string;
  entity_id: string;
  parameters: Facts;
  reason: string;
  state: OrderState;
  lasts: boolean;
  two_person: boolean;
  proposed_by: string;
  proposed_at: string;
  approve_until: string | null;
  approved_by: string | null;
  approved_at: string | null;
  given_at: string | null;
  expires_at: string | null;
  outcome: Outcome | null;
  ending: { by: string; at: string; until: string } | null;
  ended: { why: Why; by: string; at: string; reason: string } | null;
  replaced_by: { id: string; by: string; at: string } | null;
  because?: Because | null;
  undo: { state: "none" | "due" | "done"; outcome: Outcome | null };
}
export interface OrderAct { act: string; by: string; at: string; facts: Facts }
export interface OrderStory { order: StandingOrder; acts: OrderAct[] }
export interface NewOrder { id: string; means: string; entity_id: string; parameters: Facts; reason: string; expires_at?: string; event_id?: string }
