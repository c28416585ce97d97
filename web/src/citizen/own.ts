// SPDX-License-Identifier: Apache-2.0
// The routes of a citizen's own account and data, typed.
import { ask, part, query, write } from "@/api/client";
import type { Lang, Text } from "@/api/types";

export interface Me { kind: "anonymous" | "citizen" | "staff" | "service"; account: string | null }
export interface Provider { name: string; shown_name: Text; kind: string }
export interface Look { at: string; account: string; department: string | null; object: string; fields: string[]; purpose: string; reason: string }
export interface Consent { id: number; purpose: string; fields: string[]; given_at: string; given_via: string; revoked_at: string | null }
export interface Gone { erased: number; anonymised: number; kept: number; laws: string[] }

export const own = {
  me: () => ask<Me>("/api/session"),
  sendCode: (to: string, lang: Lang) => write<{ number: string }>("POST", "/api/session/codes", { to, lang }),
  signIn: (number: string, code: string) => write<Me>("POST", "/api/session/code", { number, code }),
  /** Where else citizens sign in; those of staff are none of theirs. */
  providers: async () => (await ask<Provider[]>("/api/session/providers")).filter((each) => each.kind === "citizen"),
  signOut: () => write<unknown>("DELETE", "/api/session"),
  looks: () => ask<Look[]>("/api/own/looks"),
  consents: () => ask<Consent[]>("/api/own/consents"),
  revoke: (purpose: string) => write<Consent[]>("POST", `/api/own/consents/${part(purpose)}/revoke`),
  data: () => ask<unknown>("/api/own/data"),
  erase: (why: string) => write<Record<string, Gone>>("POST", "/api/own/data/erase", { why }),
};

export const providerAddress = (name: string): string => `/api/session/openid/to/${part(name)}${query({ back_to: "/citizen/me" })}`;
