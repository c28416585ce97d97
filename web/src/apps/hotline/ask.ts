// SPDX-License-Identifier: Apache-2.0
// The requests of the hotline's desks.
import { ask, query, write } from "@/api/client";
import type {
  Article, Behind, Burst, CallFigures, Caller, Card, Categories, Category, Density, Diff, Drift, Edition, Figures, FollowUp, Full, Intake, Known, Receipt, Ringing,
  Rule, Rules, Span, Suggestion, Supervision, Ticket,
} from "@/apps/hotline/types";
import type { Work } from "@/casework/types";

const given = (word: string): string | undefined => (word === "" ? undefined : word);
const of = (span: Span): Record<string, string> => ({ since: span.since, until: span.until });
export interface Typed { text: string; category: string; longitude: number | null; latitude: number | null }

export const hotline = {
  work: () => ask<Work>("/api/work"),
  categories: () => ask<Categories>("/api/hotline/categories"),
  putCategories: (version: number, categories: Category[]) => write<Categories>("PUT", "/api/hotline/categories", { version, categories }),
  rules: () => ask<Rules>("/api/hotline/rules"),
  putRules: (version: number, rules: Rule[]) => write<Rules>("PUT", "/api/hotline/rules", { version, rules }),
  dryRun: (version: number, rules: Rule[]) => write<Diff>("POST", "/api/hotline/rules/dry-run", { version, rules }),
  model: () => ask<Card | null>("/api/hotline/model"),
  drift: () => ask<Drift | null>("/api/hotline/model/drift"),

  calls: (seat: string) => ask<Ringing[]>(`/api/hotline/calls${query({ seat: given(seat) })}`),
  call: (id: number) => ask<Known>(`/api/hotline/calls/${id}`),
  answer: (id: number, seat: string) => write<Known>("POST", `/api/hotline/calls/${id}/answer`, { seat }),
  revealCall: (id: number, reason: string) => write<Caller>("POST", `/api/hotline/calls/${id}/caller`, { reason }),
  putAway: (id: number, seat: string) => write<null>("POST", `/api/hotline/calls/${id}/closing`, { seat }),
  suggest: (typed: Typed, signal: AbortSignal) =>
    ask<Suggestion>("/api/hotline/suggest", { method: "POST", signal, headers: { "content-type": "application/json", "x-citybrain": "1" }, body: JSON.stringify({ ...typed, channel: "phone" }) }),
  take: (told: Intake) => write<Receipt>("POST", "/api/hotline/tickets", told),
  addTo: (id: number, text: string, callId: number | null) => write<{ case_id: number; number: string }>("POST", `/api/hotline/tickets/${id}/additions`, { text, call_id: callId }),
  answerNow: (id: number, answer: string, resolution: string) => write<unknown>("POST", `/api/cases/${id}/acts`, { verb: "move", move: "answer_now", answer, fields: { resolution } }),
  ticket: (id: number) => ask<Full>(`/api/hotline/tickets/${id}`),
  caller: (id: number) => ask<Caller>(`/api/hotline/tickets/${id}/caller`),
  reveal: (id: number, reason: string) => write<Caller>("POST", `/api/hotline/tickets/${id}/caller`, { reason }),

  followUps: () => ask<Ticket[]>("/api/hotline/follow-ups"),
  followUp: (id: number, said: FollowUp) => write<null>("POST", `/api/hotline/tickets/${id}/follow-up`, said),
  demand: (id: number, demand: string, dueAt: string) => write<null>("POST", `/api/hotline/tickets/${id}/supervision`, { demand, due_at: dueAt }),
  supervised: () => ask<Supervision[]>("/api/hotline/supervision"),
  articles: (asked: { words: string; kind?: string; old?: boolean }) =>
    ask<Article[]>(`/api/hotline/knowledge${query({ words: given(asked.words), kind: asked.kind, old: asked.old === true ? "true" : undefined })}`),
  editions: (id: number) => ask<Edition[]>(`/api/hotline/knowledge/${id}/editions`),
  writeArticle: (article: Article) => write<{ id: number }>("POST", "/api/hotline/knowledge", article),

  rates: (span: Span) => ask<Figures[]>(`/api/hotline/rates${query(of(span))}`),
  rows: (span: Span, behind: Behind) => ask<Ticket[]>(`/api/hotline/rows${query({ ...of(span), ...behind })}`),
  hotSpots: (span: Span, category: string) => ask<Density | null>(`/api/hotline/hot-spots${query({ ...of(span), category: given(category) })}`),
  bursts: () => ask<Burst[]>("/api/hotline/bursts"),
  callFigures: (span: Span) => ask<CallFigures>(`/api/hotline/call-figures${query(of(span))}`),
  exportAddress: (span: Span) => `/api/hotline/export.csv${query(of(span))}`,
  reportAddress: (month: string, lang: string) => `/api/hotline/report${query({ month, lang })}`,
  reportPdfAddress: (month: string, lang: string) => `/api/hotline/report.pdf${query({ month, lang })}`,
};
