// SPDX-License-Identifier: Apache-2.0
// The requests about people, their rights, services and the audit.
import { ask, part, query, write } from "@/api/client";
import type { Text } from "@/api/types";
import type {
  Account, AuditEntry, AuditLink, Consent, Delegation, Department, GivenToken, Look, Membership, Post, RoleRight, Roles, Service, Session, Verified,
} from "@/people/types";

export interface NewMembership { account: string; department: string; role?: string; post?: string; below: boolean; begins_at?: string; ends_at?: string }
export interface NewDelegation { of_account: string; to_account: string; ends_at: string; reason: string; begins_at?: string; department?: string; note: string }

const of = (name: string): string => `/api/people/${part(name)}`;

export const people = {
  all: () => ask<Account[]>("/api/people"),
  open: (account: { name: string; password: string; shown_name: string }) => write<unknown>("POST", "/api/people", account),
  close: (name: string) => write<unknown>("DELETE", of(name)),
  reopen: (name: string) => write<unknown>("POST", `${of(name)}/reopening`),
  givePassword: (name: string, password: string) => write<unknown>("PUT", `${of(name)}/password`, { password }),
  setRoles: (name: string, roles: readonly string[]) => write<unknown>("PUT", `${of(name)}/roles`, { roles }),
  sessions: (name: string) => ask<Session[]>(`${of(name)}/sessions`),
  endSessions: (name: string) => write<{ ended: number }>("DELETE", `${of(name)}/sessions`),
  resetFactor: (name: string) => write<unknown>("DELETE", `${of(name)}/second-factor`),
  appoint: (power: string, account: string, password?: string) => write<unknown>("POST", `/api/powers/${part(power)}`, { account, ...(password === undefined ? {} : { password }) }),
  dismiss: (power: string, account: string) => write<unknown>("DELETE", `/api/powers/${part(power)}/${part(account)}`),
  memberships: () => ask<Membership[]>("/api/memberships"),
  give: (membership: NewMembership) => write<{ id: number }>("POST", "/api/memberships", membership),
  take: (id: number) => write<unknown>("DELETE", `/api/memberships/${id}`),
  delegations: () => ask<Delegation[]>("/api/delegations"),
  delegate: (delegation: NewDelegation) => write<{ id: number }>("POST", "/api/delegations", delegation),
  revoke: (id: number) => write<unknown>("DELETE", `/api/delegations/${id}`),
};

export const departments = {
  all: () => ask<Department[]>("/api/departments"),
  add: (department: { id: string; name: Text; parent: string | null }) => write<unknown>("POST", "/api/departments", department),
  change: (id: string, change: { name: Text; parent: string | null }) => write<unknown>("PUT", `/api/departments/${part(id)}`, change),
  dissolve: (id: string, successor: string) => write<unknown>("POST", `/api/departments/${part(id)}/dissolution`, { successor }),
  posts: () => ask<Post[]>("/api/posts"),
  savePost: (post: Post) => write<unknown>("PUT", "/api/posts", post),
  removePost: (id: string) => write<unknown>("DELETE", `/api/posts/${part(id)}`),
  /** How many cases each department has open, for who may see them. */
  work: () => ask<{ counts: { department: string | null; phase?: string; state?: string; count: number }[] }>("/api/work"),
};

export const roles = {
  all: () => ask<Roles>("/api/roles"),
  save: (name: string, draft: { shown_name: Text; permissions: Record<string, RoleRight>; version: number }) => write<{ version: number }>("PUT", `/api/roles/${part(name)}`, draft),
  remove: (name: string) => write<unknown>("DELETE", `/api/roles/${part(name)}`),
};

export const services = {
  all: () => ask<Service[]>("/api/services"),
  add: (service: { name: string; may: readonly string[]; days: number; overlap_hours: number }) => write<GivenToken>("POST", "/api/services", service),
  end: (name: string) => write<unknown>("DELETE", `/api/services/${part(name)}`),
};

export interface AuditAsked { actor?: string; act?: string; object?: string; department?: string; since?: string; until?: string; words?: string; before?: string; limit?: string }
export const audit = {
  search: (asked: AuditAsked) => ask<AuditEntry[]>(`/api/audit${query({ ...asked })}`),
  link: (id: number) => ask<AuditLink | null>(`/api/audit/${id}/link`),
  verify: () => ask<Verified>("/api/audit/verify"),
  exportAddress: (since?: string, until?: string) => `/api/audit/export${query({ since, until })}`,
};

export const own = {
  changePassword: (old: string, fresh: string) => write<unknown>("PUT", "/api/session/password", { old, new: fresh }),
  sessions: () => ask<Session[]>("/api/sessions"),
  endSession: (id: number) => write<unknown>("DELETE", `/api/sessions/${id}`),
  removeFactor: (code: string) => write<unknown>("POST", "/api/second-factor/removal", { code }),
  actFor: (account: string | null) => write<unknown>("PUT", "/api/session/acting", { account }),
  looks: () => ask<Look[]>("/api/own/looks"),
  consents: () => ask<Consent[]>("/api/own/consents"),
  revokeConsent: (purpose: string) => write<Consent[]>("POST", `/api/own/consents/${part(purpose)}/revoke`),
};
