// SPDX-License-Identifier: Apache-2.0
// What every panel shows: the city at the clock's time, live or replayed.
import { computed, ref, shallowRef, watch } from "vue";
import { api } from "@/api/client";
import { events, hasStreets, hear, live, liveSince, newestFirst, serverAhead } from "@/api/live";
import type { CityState, Day, EventView } from "@/api/types";
import { advance, cityNow, clock, isLive, spanOf } from "@/time/clock";
import type { Span } from "@/time/clock";

const replayed = shallowRef<CityState | null>(null);
export const replayFailure = shallowRef<unknown>(null);
export const replayBusy = ref(false);

export const seen = computed<CityState | null>(() => (isLive.value ? live.value : replayed.value));

/** A beat for ages and the clock's face; 4 per second is enough for eyes. */
export const beat = ref(performance.now());

/** Where nothing is simulated the city's time is everybody's, however long ago something was heard. */
const isEverybodysTime = (state: CityState): boolean => state.run === null && (state.at !== null || !hasStreets.value);

export const shownAtMs = computed(() => {
  if (!isLive.value) return clock.atMs;
  if (live.value !== null && isEverybodysTime(live.value)) return beat.value + serverAhead.value;
  return live.value?.at == null ? null : cityNow(Date.parse(live.value.at), live.value.speed ?? 1, beat.value - liveSince.value);
});

/** The events of the shown time: live all that we heard, in replay those that had begun by then. */
export const seenEvents = computed<EventView[]>(() => {
  if (isLive.value) return events.value;
  const byId = new Map((replayed.value?.events ?? []).map((event) => [event.id, event]));
  for (const event of events.value) if (Date.parse(event.at) <= clock.atMs && !byId.has(event.id)) byId.set(event.id, asOf(event, clock.atMs));
  return [...byId.values()].sort(newestFirst);
});

/** An event as it stood at a time: what happened later is not yet known. */
export function asOf(event: EventView, atMs: number): EventView {
  const ended = event.ended_at !== null && Date.parse(event.ended_at) <= atMs ? event.ended_at : null;
  const acknowledged = event.acknowledged_at !== null && Date.parse(event.acknowledged_at) <= atMs;
  return { ...event, ended_at: ended, ...(acknowledged ? {} : { acknowledged_by: null, acknowledged_at: null, note: null }) };
}

/** The track of the time bar: the city's day that is shown, as far as it is known. */
export const runSpan = computed<Span | null>(() => {
  const run = seen.value?.run ?? live.value?.run;
  if (clock.span === null || run == null) return clock.span;
  const known = Math.max(clock.span.toMs, live.value?.at == null ? 0 : Date.parse(live.value.at));
  return { fromMs: Math.max(clock.span.fromMs, Date.parse(run.begins_at)), toMs: Math.min(known, Date.parse(run.ends_at)) };
});

let wanted: number | null = null;

async function fetchWanted(): Promise<void> {
  if (replayBusy.value) return;
  replayBusy.value = true;
  while (wanted !== null) {
    const atMs = wanted;
    wanted = null;
    try {
      const state = await api.replay(new Date(atMs).toISOString());
      if (!isLive.value) replayed.value = state;
      replayFailure.value = null;
    } catch (failure) {
      replayFailure.value = failure;
    }
  }
  replayBusy.value = false;
}

function want(atMs: number): void {
  wanted = atMs;
  void fetchWanted();
}

const ASK_EVERY_MS = 500;

/** The city's days, the newest first, with the judge's figures of those that are over. */
export const days = shallowRef<Day[]>([]);

const PAST_MOST = "5000";
/** In the past one goes from event to event: those that were over before this page was opened are asked for. */
async function loadPast(): Promise<void> { hear(await api.events({ only: "all", limit: PAST_MOST })); }

export async function loadSpan(): Promise<void> {
  const [extent, known] = await Promise.all([api.extent(), api.days()]);
  clock.span = spanOf(extent);
  days.value = known;
}

export function startTime(): () => void {
  let last = performance.now();
  let asked = 0;
  const timer = window.setInterval(() => {
    const now = performance.now();
    if (!isLive.value && clock.playing) {
      const { atMs, ended } = advance(clock.atMs, clock.rate, now - last, runSpan.value);
      clock.atMs = atMs;
      if (ended) clock.playing = false;
    }
    if (!isLive.value && clock.playing && now - asked > ASK_EVERY_MS) { asked = now; want(clock.atMs); }
    last = now;
    beat.value = now;
  }, 250);
  const stops = [
    watch([isLive, () => live.value?.run?.number], ([nowLive]) => {
      if (nowLive) replayed.value = null;
      else void loadPast().catch(() => undefined);
      void loadSpan().catch((failure: unknown) => { if (!nowLive) replayFailure.value = failure; });
    }, { immediate: true }),
    watch(() => (clock.playing || isLive.value ? null : clock.atMs), (atMs) => { if (atMs !== null) want(atMs); }, { immediate: true }),
  ];
  return () => { window.clearInterval(timer); for (const stop of stops) stop(); };
}

