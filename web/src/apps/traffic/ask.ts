// SPDX-License-Identifier: Apache-2.0
// The requests of the traffic desk.
import { ask, part, query, write } from "@/api/client";
import type { Comparison, Corridor, Drawn, JunctionView, Mission, PlansView, PlanTable, Proposal, ShadowReport, Span } from "@/apps/traffic/types";

const AT = "/api/apps/traffic";

export const traffic = {
  shadow: (hours: number) => ask<ShadowReport>(`${AT}/shadow${query({ hours: String(hours) })}`),
  junction: (id: string) => ask<JunctionView>(`${AT}/junctions/${part(id)}`),
  missions: (over: boolean) => ask<Mission[]>(`${AT}/missions${query(over ? { over: "true" } : {})}`),
  mission: (id: string) => ask<Mission>(`${AT}/missions/${part(id)}`),
  corridor: (start: string, end: string, span: Span) => ask<Corridor>(`${AT}/corridor${query({ start, end, ...span })}`),
  compare: (asked: { before: Span; after: Span; box?: readonly number[] }) => write<Comparison>("POST", `${AT}/compare`, asked),
  plans: (signal: string) => ask<PlansView>(`${AT}/plans${query({ signal })}`),
  checkPlan: (table: PlanTable) => write<Drawn>("POST", `${AT}/plans/check`, table),
  propose: (asked: Span & { name: string; signals: readonly string[] }) => write<Proposal>("POST", `${AT}/plans/propose`, asked),
};
