// SPDX-License-Identifier: Apache-2.0
// How the pool's things are named as selections: entities by their id, others with a word before it.

const SUBSCRIPTION = "subscription:";
const MODEL = "model:";
const SOURCE = "mqtt:";

export interface SubscriptionId { tenant: string; kind: string; id: string }
export const subscriptionSelection = ({ tenant, kind, id }: SubscriptionId): string => `${SUBSCRIPTION}${tenant}|${kind}|${id}`;
export function subscriptionOf(selection: string): SubscriptionId | null {
  const [tenant, kind, ...rest] = selection.slice(SUBSCRIPTION.length).split("|");
  return !selection.startsWith(SUBSCRIPTION) || tenant === undefined || kind === undefined ? null : { tenant, kind, id: rest.join("|") };
}

export const modelSelection = (type: string): string => MODEL + type;
export const modelOf = (selection: string): string | null => (selection.startsWith(MODEL) ? selection.slice(MODEL.length) : null);

export const sourceSelection = (source: string): string => SOURCE + source;
export const sourceOf = (selection: string): string | null => (selection.startsWith(SOURCE) ? selection.slice(SOURCE.length) : null);
