// SPDX-License-Identifier: Apache-2.0
// Incidents under command as the server says them: plans, levels, the board, tasks, messages, resources, the report.
import type { Geometry } from "geojson";
import type { Severity, Text } from "@/api/types";

export type Level = Severity;
export type State = "active" | "ended" | "closed";
export type Deed = "raise" | "lower" | "stand_down" | "resume" | "close" | "confirm" | "withdraw";
export type Written = Exclude<Deed, "confirm"> | "declare" | "propose" | "confirm";
export const MESSAGES = ["order", "report", "notice"] as const;
export type MessageKind = (typeof MESSAGES)[number];

export interface PlanTask { number: number; title: Text; department: string; minutes: number; details?: Text; priority?: number }
export interface Response { condition: Text; roles?: string[]; tasks?: PlanTask[]; report_minutes?: number }
export interface Plan { id: string; version: number; name: Text; kinds: string[]; basis: string; roles: { id: string; name: Text }[]; responses: Partial<Record<Level, Response>>; valid_from?: string | null }
export interface PlanVersion { version: number; made_by: string; made_at: string; valid_from: string | null; in_force: boolean }
export interface Proposal { act: Deed; level: Level | null; reason: string; by: string; at: string; until: string }
export interface Head {
  id: string; number: number; title: string; plan: string; plan_version: number; level: Level; state: State; event_id: string | null; entity_id: string | null; geometry: Geometry | null;
  declared_by: string; declared_at: string; level_at: string; ended_at: string | null; closed_at: string | null; proposal: Proposal | null; version: number;
}
export interface Row { incident: Head; plan_name: Text; tasks: { open: number; late: number; closed: number } }
export interface Act { number: number; act: Written; by: string; second_by: string | null; at: string; from_level: Level | null; to_level: Level | null; from_state: State | null; to_state: State | null; reason: string }
export interface Fact { number: number; subject: string; text: string; value: number | null; unit: string; source: string; at: string; geometry: Geometry | null; by: string; said_at: string; replaced_by: number | null }
export interface Role { number: number; role: string; name: string; account: string | null; by: string; since: string; until: string | null }
export interface Post { number: number; name: string; address: string; geometry: Geometry | null; by: string; since: string; until: string | null }
export interface Task { number: number; case_id: number; case_number: string; title: string; department: string; role: string | null; line: string | null; state: string; phase: "open" | "suspended" | "closed"; given_by: string; given_at: string; due_at: string; closed_at: string | null; late: boolean }
export interface Message { number: number; kind: MessageKind; from: string; to: string; text: string; at: string; by: string; said_at: string }
export interface Incident extends Row { plan: Plan; acts: Act[]; facts: Fact[]; roles: Role[]; posts: Post[]; tasks_list: Task[]; missing_roles: string[]; may: Deed[]; next_report_at: string | null }
export interface Resource { id: string; type: "EmergencyShelter" | "EmergencyResource"; kind: string; name: Text; capacity: number | null; used: number; free: number | null; unit: string; status: string; contact: string; geometry: Geometry | null; distance_m: number | null }

export interface Report {
  incident: Head; title: string; lang: string; generated_at: string;
  summary: { minutes: number; worst_level: Level; levels: number; facts: number; messages: number; tasks: number; tasks_late: number; tasks_open: number; orders: number };
  levels: { level: Level; from: string; until: string | null; minutes: number; by: string; second_by: string | null; reason: string }[];
  timeline: { at: string; kind: "act" | "fact" | "message" | "task" | "order"; text: string; by: string }[];
  tasks: { task: Task; minutes_taken: number }[]; orders: { id: string; means: string; entity_id: string; at: string; by: string; state: string }[]; late: { what: string; minutes: number; text: string }[]; missing: string[];
}
export interface Declaration { plan: string; title: string; level: Level; reason: string; event_id?: string; geometry?: Geometry; key?: string }
