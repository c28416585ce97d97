// SPDX-License-Identifier: Apache-2.0
// The requests of notices, reviews and follow-ups.
import { ask, write } from "@/api/client";

export type Channel = "desk" | "email" | "sms" | "push";
export interface Notice { id: number; topic: string; case_id: number | null; subject: string; body: string; queued_at: string; read_at: string | null }
export interface Choice { topic: string; channel: Channel; wanted: boolean }
export interface Choices { choices: Choice[]; addresses: { channel: Channel; address: string; lang: string }[]; topics: string[]; channels: Channel[] }
export interface Waiting { channel: Channel; state: string; count: number; oldest_at: string; problem: string }
export interface Dead { id: number; topic: string; channel: Channel; person: string; case_id: number | null; queued_at: string; tries: number; problem: string }
export interface Delivery { waiting: Waiting[]; dead: Dead[] }

export const notices = {
  all: (before?: number) => ask<Notice[]>(`/api/notices${before === undefined ? "" : `?before=${before}`}`),
  unread: () => ask<{ count: number }>("/api/notices/unread"),
  read: (ids: number[]) => write<unknown>("POST", "/api/notices/read", { ids }),
  choices: () => ask<Choices>("/api/notices/choices"),
  choose: (choices: Choice[]) => write<Choices>("PUT", "/api/notices/choices", { choices }),
  address: (channel: Channel, address: string, lang: string) => write<Choices>("PUT", "/api/notices/address", { channel, address, lang }),
  delivery: () => ask<Delivery>("/api/notices/delivery"),
  again: (ids: number[]) => write<{ count: number }>("POST", "/api/notices/again", { ids }),
};

/** Whether somebody wants a topic by a channel: what is said of it, else of those before it, else of all; nothing said: yes. */
export function wants(choices: readonly Choice[], topic: string, channel: Channel): boolean {
  const parts = topic.split(".");
  const names = [...parts.map((_, i) => parts.slice(0, parts.length - i).join(".")), "*"];
  for (const name of names) {
    const said = choices.find((one) => one.topic === name && one.channel === channel);
    if (said !== undefined) return said.wanted;
  }
  return true;
}

export const VERDICTS = ["good", "acceptable", "faulty"] as const;
export type Verdict = (typeof VERDICTS)[number];
export const STRATA = ["none", "department", "category", "channel", "type"] as const;
export interface Plan {
  seed: string; since: string; until: string; share: number; least: number; most: number; by: (typeof STRATA)[number]; types: string[]; departments: string[]; categories: string[];
  all_badly_rated: boolean; all_late: boolean; all_reopened: boolean; reviewers: string[];
}
export interface Drawn { case_id: number; stratum: string; reviewer: string | null }
export interface Sample { id: number; plan: Plan; population: number; drawn_by: string; drawn_at: string }
export interface Review { sample_id: number; case_id: number; stratum: string; reviewer: string | null; verdict: Verdict | null; scores: Record<string, number>; note: string; reviewed_at: string | null; number: string | null; title: string | null }
export const RESULTS = ["resolved", "explained", "unfounded", "unreached"] as const;
export interface FollowUp { case_id: number; round: number; department: string; opened_at: string; due_at: string; taken_by: string | null; done_at: string | null; result: string; note: string; satisfaction: string; remark: string; number: string; title: string }

export const reviews = {
  mine: () => ask<Review[]>("/api/reviews"),
  say: (of: Review, verdict: Verdict, scores: Record<string, number>, note: string) => write<unknown>("POST", `/api/reviews/${of.sample_id}/${of.case_id}`, { verdict, scores, note }),
  samples: () => ask<Sample[]>("/api/samples"),
  sample: (id: number) => ask<{ sample: Sample; reviews: Review[] }>(`/api/samples/${id}`),
  preview: (plan: Plan) => write<{ population: number; drawn: Drawn[] }>("POST", "/api/samples/preview", plan),
  draw: (plan: Plan) => write<Sample>("POST", "/api/samples", plan),
  followUps: (done: boolean) => ask<FollowUp[]>(`/api/follow-ups${done ? "?done=true" : ""}`),
  take: (of: FollowUp) => write<unknown>("POST", `/api/follow-ups/${of.case_id}/${of.round}/take`),
  result: (of: FollowUp, result: string, note: string) => write<unknown>("POST", `/api/follow-ups/${of.case_id}/${of.round}/result`, { result, note }),
};
