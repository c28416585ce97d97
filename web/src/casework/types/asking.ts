// SPDX-License-Identifier: Apache-2.0
// The requests of the editor of types.
import { ask, part, Refusal, write } from "@/api/client";
import type { Facts } from "@/api/types";
import type { Alarm, Phase } from "@/casework/types";
import type { Definition, Fault, TypeVersions } from "@/casework/types/model";

export interface Opening { at?: string; department?: string; priority?: number; channel?: string; category?: string; fields: Facts }
export interface Step { after: string; move?: string; verb?: string; facts: Facts }
export interface Rang { clock: string; kind: "warn" | "escalate"; step: number; at: string; due_at: string; to: string[] }
export interface Stage {
  step: number; at: string; verb: string | null; move: string | null; state: string; phase: Phase; department: string; assignee: string | null; priority: number; due_at: string | null;
  fields: Facts; clocks: Record<string, { begun_at: string; due_at: string; ended_at: string | null }>; alarms: Rang[]; rang: Rang[]; moves: string[]; refused: { code: string; facts: Facts } | null;
}
export type { Alarm };
const of = (id: string, version: number): string => `/api/case-types/${part(id)}/${version}`;

/** A BPMN file goes as it is, and comes so. */
async function sendXml(path: string, method: string, xml: string): Promise<string> {
  const response = await fetch(path, { method, credentials: "same-origin", headers: { "content-type": "application/xml", "x-citybrain": "1" }, ...(method === "GET" ? {} : { body: xml }) })
    .catch(() => { throw new Refusal(0, "web.unreachable", {}, `${method} ${path}`); });
  if (response.ok) return response.text();
  const told = (await response.json().catch(() => ({}))) as { code?: string; facts?: Facts };
  throw new Refusal(response.status, told.code ?? "web.server_failed", told.facts ?? {}, `${method} ${path}`);
}

export const caseTypes = {
  all: () => ask<TypeVersions[]>("/api/case-types"),
  one: (id: string, version: number) => ask<Definition>(of(id, version)),
  check: (definition: Definition) => write<Fault[]>("POST", "/api/case-types/check", definition),
  publish: (definition: Definition) => write<Definition>("POST", "/api/case-types", definition),
  tryOut: (definition: Definition, opening: Opening, steps: readonly Step[]) => write<Stage[]>("POST", "/api/case-types/test-run", { definition, opening, steps }),
  process: (id: string, version: number) => sendXml(`${of(id, version)}/process`, "GET", ""),
  putProcess: (id: string, version: number, xml: string) => sendXml(`${of(id, version)}/process`, "PUT", xml),
  checkProcess: async (xml: string) => JSON.parse(await sendXml("/api/case-types/process-check", "POST", xml)) as Fault[],
  roles: () => ask<{ own: { name: string; shown_name: { zh?: string; en?: string } }[]; declared: Record<string, string[]>; permissions: string[] }>("/api/roles"),
  drafts: () => ask<{ place: string; saved_at: string }[]>("/api/drafts"),
};
