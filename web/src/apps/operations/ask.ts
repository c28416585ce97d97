// SPDX-License-Identifier: Apache-2.0
// The requests of the operation centre.
import { ask, part, query, write } from "@/api/client";
import type { Figure, FigureRows, Handed, Handover, LineAct, Question, Run, ShiftReport, Study, Suggestion, WallFigure } from "@/apps/operations/types";

const AT = "/api/operations";
export interface Span { since: string; until: string }

export const operations = {
  indicators: (span: Span) => ask<Figure[]>(`${AT}/indicators${query({ ...span })}`),
  /** As who is signed in, or as the service whose token the wall has. */
  wall: (token: string) => ask<WallFigure[]>(`${AT}/wall`, token === "" ? {} : { headers: { authorization: `Bearer ${token}` } }),
  rows: (url: string) => ask<FigureRows>(url),
  report: (span: Span, lang: string) => ask<ShiftReport>(`${AT}/shift-report${query({ ...span, lang })}`),
  handovers: () => ask<Handed[]>(`${AT}/handovers`),
  handover: (id: string) => ask<Handover>(`${AT}/handovers/${part(id)}`),
  handOver: (wanted: Span & { to: string; comments: string; lang: string }) => write<Handover>("POST", `${AT}/handovers`, wanted),
  takeOver: (id: string) => write<Handover>("POST", `${AT}/handovers/${part(id)}/acknowledge`),
  runs: (eventId: string) => ask<Run[]>(`${AT}/runs${query({ event_id: eventId })}`),
  run: (id: string) => ask<Run>(`${AT}/runs/${part(id)}`),
  act: (id: string, line: number, wanted: { act: LineAct; note: string; version: number }) => write<Run>("POST", `${AT}/runs/${part(id)}/lines/${line}`, wanted),
  suggestions: (eventId: string) => ask<Suggestion[]>(`${AT}/suggestions${query({ event_id: eventId })}`),
};

export const whatif = {
  ask: (question: Question) => write<{ id: string }>("POST", "/api/whatif", question),
  study: (id: string) => ask<Study>(`/api/whatif/${part(id)}`),
  of: (eventId: string) => ask<Study[]>(`/api/whatif${query({ event_id: eventId })}`),
  cancel: (id: string) => write<Study>("DELETE", `/api/whatif/${part(id)}`),
};
