// SPDX-License-Identifier: Apache-2.0
// What the operation centre says over HTTP: figures of handling, playbooks at work, what would happen, and the report of a shift.
import type { Because, Facts, Severity, Text } from "@/api/types";
import type { Alarm } from "@/alarms/types";
import type { StandingOrder } from "@/orders/types";

/** A figure as a wall has it: without rows, parts and names. */
export interface WallFigure { name: string; value: number | null; unit: string; target: number | null; lower_is_better: boolean; meets_target: boolean | null }
export interface Figure extends WallFigure { owner: string; source: string; formula: string; parts: Facts; rows_url: string }
export interface FigureRows { name: string; value: number | null; parts: Facts; columns: string[]; rows: unknown[][] }

export interface HappenedKind { kind: string; number: number; worst: Severity; open: number }
export interface ShiftReport {
  since: string; until: string; made_at: string; made_by: string; lang: string; happened: HappenedKind[]; total: number; open: { rows: Alarm[]; total: number }; shelved: { rows: Alarm[]; total: number };
  waiting: Run[]; orders: StandingOrder[]; indicators: Figure[]; comments: { event: string; kind: string; note: string; at: string }[]; before?: Handed | null;
}
/** A shift that was handed over; a list has no reports. */
export interface Handed { id: string; since: string; until: string; comments: string; from_by: string; to_by: string; handed_at: string; acknowledged_by: string | null; acknowledged_at: string | null }
export interface Handover extends Handed { report: ShiftReport }

export const LINE_STATES = ["waiting", "proposed", "due", "ordered", "executed", "refused", "failed", "late", "skipped", "checked"] as const;
export type LineState = (typeof LINE_STATES)[number];
export type LineAct = "confirm" | "skip" | "retry";
export type Verdict = "helped" | "missed" | "unknown";
export interface Check { attribute: string; of_entity: string; becomes: string; value: unknown; before: unknown; after: unknown; executed_at: string; due_at: string; state: Verdict | "waiting"; checked_at: string | null }
export interface After { line: number | null; state: string; minutes: number }
/** A line of a run on one entity; `code` and `facts` say why it is in its state, `confirm_until` is by the clock. */
export interface RunLine {
  number: number; part: number; means: string; target: string; entity_id: string; parameters: Facts; approval: "none" | "officer" | "two"; note: Text; after: After | null; undoes: boolean;
  state: LineState; at: string; city_at: string; code: string; facts: Facts; order_id: string | null; tries: number; two_person: boolean; confirmed_by: string | null; second_by: string | null;
  confirm_until: string | null; ordered_at: string | null; executed_at: string | null; verdict: Verdict | null; undo: "none" | "due" | "done" | "refused"; version: number; order: StandingOrder | null; check: Check | null;
}
export interface Run {
  id: string; event_id: string; kind: string; severity: Severity; entity_id: string; playbook: string; name: Text; version: number; because: Because; state: "open" | "done"; waits_for_person: boolean;
  started_at: string; city_at: string; event_at: string; event_ended_at: string | null; ended_at: string | null; lines: RunLine[];
}

export interface SuggestedLine { number: number; part: number; means: string; entity_id: string; parameters: Facts; approval: string; waits: boolean; note: Text; code: string; facts: Facts }
/** What a playbook would do about an event now; `wins`: of those in force it is the one that counts. */
export interface Suggestion { playbook: string; name: Text; version: number; state: "draft" | "active" | "retired"; wins: boolean; because: Because; lines: SuggestedLine[] }

export interface Thought { means: string; entity_id: string; parameters: Facts }
export interface Question { event_id: string; means?: readonly Thought[]; minutes?: number; seeds?: number; playbook?: boolean }
export interface Place { delay_s: number; vehicles_queued: number; vehicles_queued_mean: number; travel_s_per_km: number | null }
export interface StudyArm { name: string; draws: number; around: Place; net: Place; arrived: number; minutes: number; refused: Because[] }
export interface Study {
  id: string; question: Question; by: string; asked_at: string; state: "waiting" | "running" | "done" | "failed" | "cancelled"; progress: number; from_at: string | null; arms: StudyArm[];
  compared: { arm: string; verdict: Because; caveat: Because }[]; left_out: string[]; verdict: Because | null; caveat: Because | null; trouble: Because | null;
}
