// SPDX-License-Identifier: Apache-2.0
// What can be done with an order and by whom, how long is left, and which form its means asks for. Pure.
import { followed, schemaOf } from "@/kit/schema-check";
import type { Schema } from "@/kit/schema";
import type { Means, StandingOrder } from "@/orders/types";

/** A person wants to end what two persons gave, and the other one may still agree. */
export const isEnding = (order: StandingOrder, nowMs: number): boolean => order.state === "standing" && order.ending !== null && Date.parse(order.ending.until) > nowMs;

/** It waits for a second person. */
export const waits = (order: StandingOrder, nowMs: number): boolean => (order.state === "proposed" ? leftMs(order, nowMs) > 0 : isEnding(order, nowMs));

/** Who began what waits: nobody approves their own. */
export const begunBy = (order: StandingOrder): string => (order.state === "proposed" ? order.proposed_by : (order.ending?.by ?? ""));

export const canApprove = (order: StandingOrder, account: string | null, nowMs: number): boolean => account !== null && waits(order, nowMs) && begunBy(order) !== account;

/** One's own proposal is withdrawn; what stands is ended. */
export function canEnd(order: StandingOrder, account: string | null, nowMs: number): boolean {
  if (account === null) return false;
  if (order.state === "proposed") return order.proposed_by === account;
  return order.state === "standing" && order.lasts && !isEnding(order, nowMs);
}

export function leftMs(order: StandingOrder, nowMs: number): number {
  const until = order.state === "proposed" ? order.approve_until : (order.ending?.until ?? null);
  return until === null ? 0 : Math.max(0, Date.parse(until) - nowMs);
}

/** Minutes and seconds, as on a kitchen clock. */
export function clockWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export const FATES = ["proposed", "sent", "in_force", "done", "failed", "ended", "expired", "replaced", "withdrawn", "late", "refused"] as const;
export type Fate = (typeof FATES)[number];

/** Where an order stands, in one word. */
export function fateOf(order: StandingOrder): Fate {
  if (order.state === "proposed") return "proposed";
  if (order.state === "standing") return OF_OUTCOME[order.outcome?.state ?? "none"];
  return overBy(order);
}
function overBy(order: StandingOrder): Fate {
  const why = order.ended?.why ?? "refused";
  return order.replaced_by !== null && why !== "refused" ? "replaced" : why;
}
const OF_OUTCOME = { none: "sent", executed: "in_force", failed: "failed", refused: "failed" } as const;

/** The parameters of a means as a form with words; parts of the schema that are named elsewhere stay with it. */
export function formOf(means: Means, words: (kind: "parameter" | "about" | "choice", name: string) => string): Schema {
  const root = means.parameters;
  const own = followed(root, root);
  const properties = Object.entries(schemaOf(own["properties"])).map(([name, given]) => {
    const one = schemaOf(given);
    const choices = followed(root, one)["enum"];
    const about = words("about", name);
    return [name, {
      ...one, "x-title": words("parameter", name), description: about,
      ...(Array.isArray(choices) ? { "x-choices": Object.fromEntries(choices.map((each) => [String(each), words("choice", String(each))])) } : {}),
    }] as const;
  });
  return { ...own, title: "", description: "", properties: Object.fromEntries(properties), ...(root["$defs"] === undefined ? {} : { $defs: root["$defs"] }) };
}

/** One click is one order: sent again with the same content it is the same one. */
export function keysOfClicks(make: () => string): (content: string) => string {
  const made = new Map<string, string>();
  return (content) => {
    const known = made.get(content) ?? make();
    made.set(content, known);
    return known;
  };
}
