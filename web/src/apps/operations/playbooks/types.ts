// SPDX-License-Identifier: Apache-2.0
// Playbooks as the server says them: when they count, their lines, their versions, and what came of a dry run.
import type { Because, Facts, Severity, Text } from "@/api/types";

export const DAYS = ["all", "workdays", "weekends"] as const;
export const APPROVALS = ["none", "officer", "two"] as const;
export const REACHED = ["executed", "failed", "helped", "missed", "skipped", "over"] as const;
export const PLACES_OF_VALUE = ["entity", "road", "junction"] as const;
export const COMPARED = ["above", "below", "equal"] as const;

export interface Hours { from: string; to: string; days: (typeof DAYS)[number] }
export interface Places { entity_ids?: string[]; area?: unknown; types?: string[] }
export interface When { kinds: string[]; severities?: Severity[]; places?: Places | null; hours?: Hours[] }
export interface After { line?: number | null; state?: (typeof REACHED)[number]; minutes?: number }
export interface Value { attribute: string; is: (typeof COMPARED)[number]; value: number | string; on?: (typeof PLACES_OF_VALUE)[number] }
export type Plain = string | number | boolean;
export interface Conditions { value?: Value | null; evidence?: Record<string, Plain | Plain[]>; net?: "has_room" | null; minutes?: number }
export interface OnlyIf extends Conditions { event_open?: boolean }
export interface Line {
  number: number; means: string; target: string; parameters: Facts; after?: After | null; only_if?: OnlyIf | null; approval: (typeof APPROVALS)[number]; note: Text; undo: boolean; answer_s: number; approve_minutes: number;
  alone_if?: Conditions | null; undo_if_missed?: boolean;
}
export interface Playbook { id: string; name: Text; when: When; lines: Line[]; note?: Text; valid_from?: string | null; valid_until?: string | null }

export type State = "draft" | "active" | "retired";
export interface Problem { line: number; code: string; facts: Facts }
export interface Version {
  version: number; state: State; made_by: string; made_at: string; proposed_by: string | null; proposed_at: string | null; activated_by: string | null; activated_at: string | null; retired_by: string | null; retired_at: string | null;
}
export interface PlaybookView {
  id: string; name: Text; shipped: boolean; version: number; state: State; active: number | null; body: Playbook; conditions: string; two_person: boolean; usable: boolean; problems: Problem[];
  activation: { version: number; by: string; at: string; until: string } | null; versions: Version[]; runs_open: number; runs: number;
}

export interface TrialLine { number: number; part: number; means: string; entity_id: string; approval: string; waits: boolean; code: string; facts: Facts }
export interface TrialRow { event_id: string; kind: string; severity: Severity; at: string; entity_id: string; wins: boolean; because: Because; lines: TrialLine[] }
export interface Trial { events: number; matched: number; won: number; orders: number; later: number; would_wait: number; orders_by_means: Record<string, number>; later_by_means: Record<string, number>; unusable: number; rows: TrialRow[] }
