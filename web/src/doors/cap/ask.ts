// SPDX-License-Identifier: Apache-2.0
// The requests of the desk of warnings.
import { ask, query, write } from "@/api/client";
import type { Aside, Line, Named, Trusted, View } from "@/doors/cap/types";

const AT = "/api/cap";
export type Decision = "release" | "discard";

export const warnings = {
  all: (status: string, ended: boolean) => ask<Line[]>(`${AT}/alerts${query({ status, ended: String(ended) })}`),
  one: ({ identifier, sender, sent }: Pick<Named, "identifier" | "sender" | "sent">) => ask<View<Line>>(`${AT}/alert${query({ identifier, sender, sent })}`),
  aside: (decided: boolean) => ask<Aside[]>(`${AT}/quarantine${query({ decided: String(decided) })}`),
  oneAside: (number: number) => ask<View<Aside>>(`${AT}/quarantine/${number}`),
  decide: (number: number, decision: Decision, note: string) => write<Aside>("POST", `${AT}/quarantine/${number}`, { decision, note }),
  trusted: () => ask<Trusted>(`${AT}/authorities`),
};
