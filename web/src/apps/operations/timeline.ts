// SPDX-License-Identifier: Apache-2.0
// What happened around an alarm in one row: signs, acts of officers, orders and their outcomes. Pure.
import type { OrderView } from "@/api/types";
import type { Act, AlarmStory, Sign } from "@/alarms/types";

export type Entry = { at: string; key: string } & (
  | { what: "began" } | { what: "ended" } | { what: "sign"; sign: Sign } | { what: "act"; act: Act } | { what: "order"; order: OrderView } | { what: "outcome"; order: OrderView });

/** What the city's time says: the event, its signs, the orders about it. The oldest first. */
export function ofCity(story: Pick<AlarmStory, "at" | "ended_at" | "signs" | "orders">): Entry[] {
  const entries: Entry[] = [
    { what: "began", at: story.at, key: "began" },
    ...story.signs.map((sign, i): Entry => ({ what: "sign", at: sign.at, sign, key: `sign ${i}` })),
    ...story.orders.map((order): Entry => ({ what: "order", at: order.at, order, key: `order ${order.id}` })),
    ...story.orders.flatMap((order): Entry[] => (order.outcome === null ? [] : [{ what: "outcome", at: order.outcome.at, order, key: `outcome ${order.id}` }])),
    ...(story.ended_at === null ? [] : [{ what: "ended" as const, at: story.ended_at, key: "ended" }]),
  ];
  return entries.map((entry, i) => ({ entry, i })).sort((a, b) => (a.entry.at < b.entry.at ? -1 : a.entry.at > b.entry.at ? 1 : a.i - b.i)).map(({ entry }) => entry);
}

/** What officers did, by the clock on the wall: a simulated city's time may be another one. */
export const ofPeople = (story: Pick<AlarmStory, "acts">): Entry[] => story.acts.map((act, i) => ({ what: "act", at: act.at, act, key: `act ${i}` }));
