// SPDX-License-Identifier: Apache-2.0
// Casework as the server tells it.
import type { Facts, Text } from "@/api/types";

export type Phase = "open" | "suspended" | "closed";
export type Need = "reason" | "answer" | "department" | "assignee";
export type Schema = Record<string, unknown>;
export interface StateOfType { phase: Phase; words: Text }
export interface Move { name: string; from: string[]; to: string; permission: string; roles: string[]; helpers: boolean; automatic: boolean; needs: Need[]; fields: string[]; assignee: string; priority: number | null; words: Text }
export interface CaseType {
  id: string; name: Text; version: number; initial: string; states: Record<string, StateOfType>; moves: Move[]; form: Schema;
  personal: { name: string; sort?: string }[]; rating: boolean; merges_into: string | null; extras: Facts;
}
export interface Department { id: string; name: Text; parent: string | null; successor: string | null }
export interface Colleague { account: string; shown_name: string; departments: string[] }
export interface Count { department: string; type: string; state: string; phase: Phase | ""; assignee: string; count: number }
export interface Work { types: CaseType[]; departments: Department[]; colleagues: Colleague[]; counts: Count[] }

/** A case as a list shows it. */
export interface CaseRow {
  id: number; number: string; type: string; type_version: number; state: string; phase: Phase; title: string; department: string; came_from: string | null;
  assignee: string | null; opened_by: string; priority: number; channel: string; category: string; longitude: number | null; latitude: number | null; address: string;
  created_at: string; changed_at: string; due_at: string | null; warned_at: string | null; suspended_at: string | null; closed_at: string | null;
  transfers: number; returns: number; reopened: number; version: number;
}
export interface Case extends CaseRow { fields: Facts; clocks: Facts; key: string | null }
export interface Page { cases: CaseRow[]; next: string | null; total: number | null }

export type Verb =
  | "open" | "move" | "assign" | "take" | "to_pool" | "transfer" | "return" | "suspend" | "resume" | "reopen" | "edit" | "join" | "leave"
  | "comment" | "link" | "merge" | "split" | "convert" | "plan" | "task";
export interface CaseEvent { case_id: number; version: number; at: string; verb: Verb; move: string | null; by: string; on_behalf_of: string | null; reason: string; changes: Facts; facts: Facts }
export type CommentKind = "internal" | "public" | "answer";
export interface Comment { id: number; case_id: number; at: string; by: string; department: string; kind: CommentKind; text: string }
export type LinkKind = "duplicate_of" | "follows" | "parent";
export interface CaseLink { from_id: number; to_id: number; kind: LinkKind; at: string; by: string; number?: string | null; title?: string | null; state?: string | null; type?: string | null; type_version?: number | null }
export interface Share { case_id: number; department: string; task: string; asked_by: string; asked_at: string; answer: string | null; answered_by: string | null; answered_at: string | null }
export interface Attachment {
  id: number; case_id: number | null; owner: string; name: string; public: boolean; uploaded_at: string; attached_at: string | null; removed_at: string | null;
  size: number; media_type: string; original_sha?: string | null; scan?: string;
}
export interface Rating { round: number; satisfaction: string; indicators: string[]; remark: string; channel: string; by_default: boolean; department: string; rated_at: string }
export interface Alarm { clock: string; kind: string; step: number; due_at: string; at: string; to: string[]; rung_at: string | null }
export interface Task { task: string; element: string; name: string; lane: string }
export interface Standing { case_id: number; version: number; is_over: boolean; tasks: Task[] }
export interface Detail {
  case: Case; events: CaseEvent[]; comments: Comment[]; links: CaseLink[]; shares: Share[]; moves: Move[]; attachments: Attachment[];
  ratings: Rating[]; alarms: Alarm[]; process: Standing | null; verbs: Verb[];
}
export interface Draft { place: string; saved_at: string; expires_at: string; values: Facts }
export interface Done { id: number; number: string; done: boolean; code: string; facts: Facts }
