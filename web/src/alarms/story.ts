// SPDX-License-Identifier: Apache-2.0
// One alarm with its whole story: shown at once as far as it is known, then as the server tells it, and again when it changes.
import { computed, onBeforeUnmount, shallowRef, watch } from "vue";
import type { ComputedRef, ShallowRef } from "vue";
import { alarmEars } from "@/api/live";
import { alarms } from "@/alarms/ask";
import { alarmOf, asOf } from "@/alarms/past";
import type { Alarm, AlarmStory } from "@/alarms/types";
import { clock, isLive } from "@/time/clock";
import { seenEvents } from "@/time/seen";

const EVERY_MS = 5_000;
const SOON_MS = 300;

export interface Story { alarm: ComputedRef<Alarm | null>; story: ComputedRef<AlarmStory | null>; failure: ShallowRef<unknown>; load: () => Promise<void>; take: (fresh: readonly Alarm[]) => void }

/** What had not yet happened at the time that is shown is left out; acts of officers bear the clock's time and stay. */
function known(told: AlarmStory, atMs: number): AlarmStory {
  const before = (at: string): boolean => Date.parse(at) <= atMs + 1000;
  return { ...told, ...asOf(told, atMs), signs: told.signs.filter((sign) => before(sign.at)), orders: told.orders.filter((order) => before(order.at)) };
}

export function useStory(id: () => string): Story {
  const told = shallowRef<AlarmStory | null>(null);
  const failure = shallowRef<unknown>(null);
  async function load(): Promise<void> {
    const mine = id();
    try {
      const found = await alarms.story(mine);
      if (mine !== id()) return;
      told.value = found;
      failure.value = null;
    } catch (caught) { if (mine === id()) failure.value = caught; }
  }
  function take(fresh: readonly Alarm[]): void {
    const now = fresh.find((alarm) => alarm.id === id());
    if (now === undefined) return;
    if (told.value !== null) told.value = { ...told.value, ...now };
    void load();
  }
  let soon = 0;
  const hear = (alarm: Alarm): void => {
    if (alarm.id !== id() || soon !== 0) return;
    soon = window.setTimeout(() => { soon = 0; void load(); }, SOON_MS);
  };
  alarmEars.add(hear);
  const stop = watch(id, () => { told.value = null; void load(); }, { immediate: true });
  const timer = window.setInterval(() => { if (!document.hidden && isLive.value) void load(); }, EVERY_MS);
  onBeforeUnmount(() => { alarmEars.delete(hear); stop(); window.clearInterval(timer); window.clearTimeout(soon); });
  const story = computed(() => (told.value === null || isLive.value ? told.value : known(told.value, clock.atMs)));
  const heard = computed(() => seenEvents.value.find((event) => event.id === id()));
  return { alarm: computed(() => story.value ?? (heard.value === undefined ? null : alarmOf(heard.value))), story, failure, load, take };
}
