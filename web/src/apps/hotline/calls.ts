// SPDX-License-Identifier: Apache-2.0
// Calls at this seat: what rings, which one is being spoken with; asked each second while the call screen is open.
import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import { serverAhead } from "@/api/live";
import { hotline } from "@/apps/hotline/ask";
import type { Known, Ringing } from "@/apps/hotline/types";
import { act, me } from "@/shell/access";
import { beat } from "@/time/seen";

const REMEMBERED = "citybrain.hotline.seat";
const EVERY_MS = 1_000;

export const ownSeat = ref(typeof localStorage === "undefined" ? "" : localStorage.getItem(REMEMBERED) ?? "");
export function sitAt(seat: string): void {
  ownSeat.value = seat.trim();
  localStorage.setItem(REMEMBERED, ownSeat.value);
}
const seat = computed(() => ownSeat.value || (me.value.name ?? ""));

export const waiting = shallowRef<readonly Ringing[]>([]);
export const current = shallowRef<Known | null>(null);
/** What the numbers of ringing calls told before, by call. */
export const known = shallowRef<ReadonlyMap<number, Known>>(new Map());
export const callsFailure = shallowRef<unknown>(null);
export const nowMs = computed(() => beat.value + serverAhead.value);
export const ringing = computed(() => waiting.value.filter((call) => call.answered_after_s === null && call.ended_at === null && call.id !== current.value?.call.id));

export const rangForS = (call: Ringing): number => call.answered_after_s ?? Math.max(0, (nowMs.value - Date.parse(call.rang_at)) / 1000);
/** How long one has been speaking; of an ended call how long it was. */
export function talkedForS(call: Ringing): number {
  const until = call.ended_at === null ? nowMs.value : Date.parse(call.ended_at);
  return Math.max(0, (until - Date.parse(call.rang_at)) / 1000 - (call.answered_after_s ?? 0));
}

async function learn(calls: readonly Ringing[]): Promise<void> {
  const fresh = calls.filter((call) => !known.value.has(call.id));
  if (fresh.length === 0) return;
  const found = await Promise.all(fresh.map((call) => hotline.call(call.id)));
  known.value = new Map([...known.value, ...found.map((one) => [one.call.id, one] as const)].slice(-50));
}

/** After a reload one goes on with the call one was in. */
async function goOn(calls: readonly Ringing[]): Promise<void> {
  const own = calls.find((call) => call.agent === seat.value && call.answered_after_s !== null);
  if (own !== undefined && current.value === null) current.value = await hotline.call(own.id);
  const mine = calls.find((call) => call.id === current.value?.call.id);
  if (mine !== undefined && current.value !== null) current.value = { ...current.value, call: mine };
}

async function look(): Promise<void> {
  try {
    const calls = await hotline.calls(ownSeat.value);
    waiting.value = calls;
    await learn(calls);
    await goOn(calls);
    callsFailure.value = null;
  } catch (failure) { callsFailure.value = failure; }
}

/** Takes the call that rings longest, or a given one. */
export async function answer(call = ringing.value[0]): Promise<void> {
  if (call === undefined) return;
  await act(async () => { current.value = await hotline.answer(call.id, ownSeat.value); });
  await look();
}

/** The call becomes no ticket. */
export async function putAway(): Promise<void> {
  const call = current.value?.call;
  if (call !== undefined) await act(() => hotline.putAway(call.id, ownSeat.value));
  leave();
}

/** The call is written down: the next one may come. */
export function leave(): void {
  waiting.value = waiting.value.filter((call) => call.id !== current.value?.call.id);
  current.value = null;
}

export function useCalls(): void {
  let timer = 0;
  let ended = false;
  const again = async (): Promise<void> => {
    if (!document.hidden || waiting.value.length > 0) await look();
    if (!ended) timer = window.setTimeout(() => { void again(); }, EVERY_MS);
  };
  onMounted(() => { void again(); });
  onBeforeUnmount(() => { ended = true; window.clearTimeout(timer); });
}
