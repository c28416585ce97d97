// SPDX-License-Identifier: Apache-2.0
// The shapes that the routes of people, services and the audit speak in.
import type { Facts, Text } from "@/api/types";

export interface Account { name: string; shown_name: string; roles: string[]; created_at: string; disabled_at: string | null; second_factor: boolean }
export interface Department { id: string; parent: string | null; name: Text; dissolved_at: string | null; successor: string | null }
export interface Post { id: string; department: string; name: Text; roles: string[] }
export type Shown = "hidden" | "masked" | "clear";
export interface RoleRight { own: boolean; fields: Record<string, Shown>; otherwise: Shown }
export interface Role { name: string; shown_name: Text; permissions: Record<string, RoleRight>; version: number; changed_by: string; changed_at: string | null }
export interface Roles { own: Role[]; declared: Record<string, string[]>; permissions: string[] }
export interface Membership { id: number; account: string; department: string; role: string | null; post: string | null; below: boolean; begins_at: string; ends_at: string | null; granted_by: string }
export type Reason = "leave" | "shift" | "duty" | "other";
export interface Delegation { id: number; of_account: string; to_account: string; department: string | null; begins_at: string; ends_at: string; reason: string; note: string; made_by: string }
export interface Session { id: number; account: string; method: string; address: string; agent: string; created_at: string; used_at: string | null; expires_at: string; second_factor: boolean; acting_for: string | null }
export interface Service { name: string; may: string[]; created_by: string; created_at: string; expires_at: string; old_until: string | null; used_at?: string | null }
export interface GivenToken { name: string; token: string; expires_at: string }
export interface AuditEntry { id: number; position: number | null; at: string; actor: string; actor_kind: string; on_behalf_of: string | null; act: string; object: string; department: string | null; facts: Facts | null }
export interface AuditLink { position: number; family: string; hash: string; before: string | null; sealed_position: number | null; sealed_at: string | null; key_number: number | null }
export interface Finding { flaw: string; position: number | null; entry: number | null }
export interface Verified { whole: boolean; entries: number; waiting: number; seals: number; sealed: number; head: string; flaws: number; findings: Finding[]; public_key: string }
export interface Look { at: string; account: string; on_behalf_of: string | null; department: string | null; object: string; fields: string[]; purpose: string; reason: string }
export interface Consent { id: number; purpose: string; fields: string[]; text_version: string; given_at: string; given_via: string; revoked_at: string | null }
export interface Choice { kind: string; way: string; wanted: boolean }
