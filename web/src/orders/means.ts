// SPDX-License-Identifier: Apache-2.0
// What whoever is signed in may order, which orders wait for a second person, and the words of both.
import { computed, shallowRef, watch } from "vue";
import { nameOf, serverAhead } from "@/api/live";
import { knows, say, shown, t } from "@/i18n";
import { orders } from "@/orders/ask";
import { canApprove } from "@/orders/rules";
import type { Means, StandingOrder } from "@/orders/types";
import { may, me } from "@/shell/access";
import { beat } from "@/time/seen";

export const means = shallowRef<readonly Means[]>([]);
export const waiting = shallowRef<readonly StandingOrder[]>([]);
export const meansOf = (name: string): Means | undefined => means.value.find((one) => one.name === name);
export const mayOrder = (): boolean => may("city.order");

/** The server's clock: until when one may approve is its time, not the city's. */
export const serverNowMs = computed(() => beat.value + serverAhead.value);
export const forMe = computed(() => waiting.value.filter((order) => canApprove(order, me.value.account ?? null, serverNowMs.value)).length);

const EVERY_MS = 5_000;

export async function lookWaiting(): Promise<void> {
  if (!mayOrder() || document.hidden) return;
  const found = await Promise.all([orders.find({ state: "proposed" }), orders.find({ state: "standing", limit: "200" })]).catch(() => null);
  if (found !== null) waiting.value = [...found[0], ...found[1].filter((order) => order.ending !== null)];
}

export function watchOrders(): void {
  watch(() => me.value.account, () => {
    means.value = waiting.value = [];
    if (mayOrder()) void orders.means().then((found) => { means.value = found; }, () => undefined);
    void lookWaiting();
  }, { immediate: true });
  window.setInterval(() => { void lookWaiting(); }, EVERY_MS);
}

export const meansWords = (name: string): string => say(`means.${name}`, {}, name);
const OF_SERVER = { does: ["does", "effect"], undo: ["undo"] } as const;
/** A sentence about a means: the web's own, else the server's, else a general one. */
export function about(kind: "does" | "undo", name: string): string {
  const known = [`order.${kind}.${name}`, ...OF_SERVER[kind].map((one) => `means.${name}.${one}`)].find(knows);
  return known === undefined ? t(`order.${kind}.any`) : say(known);
}
/** What is looked at afterwards, if the means promises anything. */
export const promised = (name: string): string => (knows(`means.${name}.effect`) && about("does", name) !== say(`means.${name}.effect`) ? say(`means.${name}.effect`) : "");

function plansOf(rows: unknown): string {
  const names = (Array.isArray(rows) ? rows : []).map((row: { plan?: { name?: string } }) => row.plan?.name ?? "").filter((name) => name !== "");
  return names.join(t("value.join"));
}
const isPoint = (value: unknown): value is [number, number] => Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "number");

function parameterWords(name: string, value: unknown): string {
  if (name === "rows") return plansOf(value);
  if (name === "show" && typeof value === "number") return t("order.stage", { n: value });
  if (isPoint(value)) return value.map((one) => one.toFixed(5)).join(", ");
  return typeof value === "string" ? (value.startsWith("urn:") ? nameOf(value) : say(`order.choice.${value}`, {}, value)) : shown(value);
}
/** The parameters of an order on one line; what was not said is not told. */
export const parametersWords = (order: Pick<StandingOrder, "parameters">): string => Object.entries(order.parameters)
  .filter(([, value]) => value !== null && value !== "")
  .map(([name, value]) => `${say(`order.parameter.${name}`, {}, name)}${t("order.colon")}${parameterWords(name, value)}`).join(" · ");
