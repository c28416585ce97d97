// SPDX-License-Identifier: Apache-2.0
// The requests of the emergency desk.
import { ask, part, query, write } from "@/api/client";
import type { LonLat } from "@/api/types";
import type { Declaration, Deed, Fact, Head, Incident, Level, Message, MessageKind, Plan, PlanVersion, Post, Report, Resource, Role, Row, Task } from "@/apps/emergency/types";

const AT = "/api/emergency";
const of = (id: string): string => `${AT}/incidents/${part(id)}`;

export const emergency = {
  plans: () => ask<Plan[]>(`${AT}/plans`),
  newestPlans: () => ask<Plan[]>(`${AT}/plans?newest=true`),
  plan: (id: string, version: number) => ask<Plan>(`${AT}/plans/${part(id)}${query({ version: String(version) })}`),
  planVersions: (id: string) => ask<PlanVersion[]>(`${AT}/plans/${part(id)}/versions`),
  putPlan: (plan: Plan) => write<Plan>("PUT", `${AT}/plans/${part(plan.id)}`, plan),
  commanded: (at: string) => ask<Head[]>(`${AT}/commanded${query({ at })}`),
  resourcesThen: (at: string) => ask<Resource[]>(`${AT}/resources/past${query({ at })}`),
  all: (state: string) => ask<Row[]>(`${AT}/incidents${query({ state, limit: "200" })}`),
  one: (id: string) => ask<Incident>(of(id)),
  declare: (wanted: Declaration) => write<Incident>("POST", `${AT}/incidents`, wanted),
  act: (id: string, wanted: { act: Deed; level?: Level; reason: string; version: number }) => write<Incident>("POST", `${of(id)}/acts`, wanted),
  say: (id: string, fact: { subject: string; text: string; source: string; at?: string; value?: number; unit?: string }) => write<Fact>("POST", `${of(id)}/facts`, fact),
  assign: (id: string, role: { role: string; name: string; account?: string }) => write<Role>("POST", `${of(id)}/roles`, role),
  openPost: (id: string, post: { name: string; address: string }) => write<Post>("POST", `${of(id)}/posts`, post),
  closePost: (id: string, number: number) => write<Post>("POST", `${of(id)}/posts/${number}/close`, {}),
  give: (id: string, task: { title: string; details: string; department: string; minutes: number; priority: number }) => write<Task>("POST", `${of(id)}/tasks`, task),
  messages: (id: string) => ask<Message[]>(`${of(id)}/messages${query({ limit: "1000" })}`),
  log: (id: string, message: { kind: MessageKind; from: string; to: string; text: string }) => write<Message>("POST", `${of(id)}/messages`, message),
  report: (id: string, lang: string) => ask<Report>(`${of(id)}/report${query({ lang })}`),
  resources: (near: LonLat | null, kind = "") => ask<Resource[]>(`${AT}/resources${query({ lon: near?.[0].toString(), lat: near?.[1].toString(), kind: kind === "" ? undefined : kind, limit: "500" })}`),
};
