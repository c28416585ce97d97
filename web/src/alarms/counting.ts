// SPDX-License-Identifier: Apache-2.0
// How many alarms of each severity are open and wait for people: what is shelved or cleared is not counted.
import { computed, onBeforeUnmount, shallowRef, watch } from "vue";
import type { ComputedRef } from "vue";
import { alarmEars, link } from "@/api/live";
import type { Severity } from "@/api/types";
import { alarms } from "@/alarms/ask";
import { isLive } from "@/time/clock";
import { seen } from "@/time/seen";

type Found = Record<Severity, number>;
const NONE: Found = { I: 0, II: 0, III: 0, IV: 0 };
const EVERY_MS = 1_000;
const ANYWAY_MS = 30_000;
const QUESTION = new URLSearchParams({ state: "open", handling: "new,acknowledged,taken", limit: "1" });

function ofEvents(): Found {
  const found = { ...NONE };
  for (const event of seen.value?.events ?? []) found[event.severity] += 1;
  return found;
}

/** Asked anew when the stream told of an alarm, at most once a second; without an answer the open events are counted. */
export function useCounts(): ComputedRef<Found> {
  const told = shallowRef<Found | null>(null);
  let [isStale, askedMs] = [true, 0];
  async function look(): Promise<void> {
    const now = performance.now();
    if (document.hidden || !isLive.value || link.value.state !== "live" || (!isStale && now - askedMs < ANYWAY_MS)) return;
    [isStale, askedMs] = [false, now];
    const page = await alarms.find(QUESTION).catch(() => null);
    told.value = page === null ? null : { ...NONE, ...page.counts.severity };
  }
  const hear = (): void => { isStale = true; };
  alarmEars.add(hear);
  const stop = watch(() => [link.value.state, seen.value?.events.length], hear);
  const timer = window.setInterval(() => { void look(); }, EVERY_MS);
  onBeforeUnmount(() => { alarmEars.delete(hear); stop(); window.clearInterval(timer); });
  return computed(() => (isLive.value && told.value !== null ? told.value : ofEvents()));
}
