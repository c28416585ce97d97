// SPDX-License-Identifier: Apache-2.0
// The rows of one list of alarms: page after page while somebody scrolls, kept in step by the stream, as of the clock in replay.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from "vue";
import type { ComputedRef, Ref, ShallowRef } from "vue";
import { alarmEars, link } from "@/api/live";
import { alarms } from "@/alarms/ask";
import { belongs, orderOf, toParams } from "@/alarms/filters";
import type { Filters } from "@/alarms/filters";
import { alarmOf, asOf } from "@/alarms/past";
import { appended, merged } from "@/alarms/rows";
import type { Alarm, AlarmPage, Counts } from "@/alarms/types";
import { Pages } from "@/kit/pages";
import { me } from "@/shell/access";
import { clock, isLive } from "@/time/clock";
import { seen, shownAtMs } from "@/time/seen";

export const PAGE = 200;
const FLUSH_MS = 250;
const COUNT_MS = 2_000;
/** In replay the past is asked for anew whenever the clock moved so far. */
const PAST_STEP_MS = 5_000;

export interface AlarmList {
  rows: ComputedRef<readonly Alarm[]>; total: ComputedRef<number>; counts: ShallowRef<Counts | null>; failure: ShallowRef<unknown>;
  isLoading: Ref<boolean>; isWhole: ComputedRef<boolean>; more: () => Promise<void>; reload: () => Promise<void>; take: (fresh: readonly Alarm[]) => void;
}

const nowMs = (): number => (isLive.value ? (shownAtMs.value ?? Date.now()) : clock.atMs);

/** What is heard in a storm is put in place a few times a second, not once for each. */
function gathered(put: (fresh: Alarm[]) => void): { hear: (alarm: Alarm) => void; stop: () => void } {
  const waiting = new Map<string, Alarm>();
  const timer = window.setInterval(() => {
    if (waiting.size === 0) return;
    const fresh = [...waiting.values()];
    waiting.clear();
    put(fresh);
  }, FLUSH_MS);
  return { hear: (alarm) => { waiting.set(alarm.id, alarm); }, stop: () => { window.clearInterval(timer); } };
}

/** Of the past the replayed state knows what was open; all else is asked for. */
const fromReplay = (filters: Filters): boolean => !isLive.value && filters.state === "open";
function replayed(filters: Filters): Alarm[] {
  const account = me.value.account ?? null;
  return (seen.value?.events ?? []).map(alarmOf).filter((alarm) => belongs(alarm, filters, account)).sort(orderOf(filters.sort));
}

interface Steps { take: (fresh: Alarm[]) => void; recount: () => Promise<void>; reload: () => Promise<void>; forget: () => void; clear: () => void; filters: () => Filters }
/** Hears the stream, the clock and the question; until whoever shows the list is gone. */
function keepInStep({ take, recount, reload, forget, clear, filters }: Steps): void {
  const ear = gathered(take);
  const hear = (alarm: Alarm): void => { if (isLive.value) ear.hear(alarm); };
  alarmEars.add(hear);
  const timer = window.setInterval(() => { void recount(); }, COUNT_MS);
  const stops = [
    watch(() => `${JSON.stringify(filters())} ${me.value.account ?? ""}`, () => { clear(); void reload(); }, { immediate: true }),
    watch(() => (isLive.value ? -1 : Math.round(clock.atMs / PAST_STEP_MS)), () => { void reload(); }),
    watch(() => link.value.state, (state) => { if (state === "live") void reload(); }),
  ];
  onBeforeUnmount(() => {
    forget();
    alarmEars.delete(hear);
    ear.stop();
    window.clearInterval(timer);
    for (const stop of stops) stop();
  });
}

export function useAlarms(filters: () => Filters): AlarmList {
  const pages = new Pages(alarms.find, () => toParams(filters(), nowMs(), !isLive.value), "cursor");
  const kept = shallowRef<readonly Alarm[]>([]);
  const [next, told, counts] = [shallowRef<string | null>(null), ref(0), shallowRef<Counts | null>(null)];
  const isLoading = ref(false);
  let isMore = false;

  function show(page: AlarmPage): void {
    const atMs = nowMs();
    kept.value = isLive.value ? page.rows : page.rows.map((alarm) => asOf(alarm, atMs));
    [next.value, told.value, counts.value] = [page.next, page.total, page.counts];
  }
  async function reload(): Promise<void> {
    pages.turn += 1;
    if (fromReplay(filters())) { counts.value = null; return; }
    const mine = pages.turn;
    isLoading.value = true;
    const page = await pages.fetch(PAGE);
    if (page !== null) show(page);
    if (mine === pages.turn) isLoading.value = false;
  }
  async function more(): Promise<void> {
    if (next.value === null || isMore || fromReplay(filters())) return;
    isMore = true;
    const page = await pages.fetch(PAGE, next.value);
    isMore = false;
    if (page === null) return;
    kept.value = appended(kept.value, page.rows);
    next.value = page.next;
  }
  let isStale = false;
  function take(fresh: readonly Alarm[]): void {
    kept.value = merged({ rows: kept.value, isWhole: next.value === null }, fresh, filters(), me.value.account ?? null);
    isStale = true;
  }
  async function recount(): Promise<void> {
    if (!isStale || document.hidden || !isLive.value) return;
    isStale = false;
    const page = await pages.fetch(1);
    if (page !== null) [told.value, counts.value] = [page.total, page.counts];
  }
  keepInStep({ take, recount, reload, forget: () => { pages.turn += 1; }, clear: () => { kept.value = []; next.value = null; }, filters });
  const rows = computed(() => (fromReplay(filters()) ? replayed(filters()) : kept.value));
  return {
    rows, total: computed(() => (fromReplay(filters()) ? rows.value.length : Math.max(told.value, kept.value.length))), counts, failure: pages.failure,
    isLoading, isWhole: computed(() => fromReplay(filters()) || next.value === null), more, reload, take,
  };
}
