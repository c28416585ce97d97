// SPDX-License-Identifier: Apache-2.0
// What is known of the city now: network, newest state, events heard, and how the line to the server is.
import { computed, ref, shallowRef } from "vue";
import { api } from "@/api/client";
import { FRESH } from "@/api/recovery";
import type { Link } from "@/api/recovery";
import { listen } from "@/api/stream";
import type { Alarm } from "@/alarms/types";
import type { City, CityState, EventView, Lang, Network, Pulse, Text } from "@/api/types";
import { has, lang, lend, nameIdsBy, text, timezone } from "@/i18n";

export const city = shallowRef<City | null>(null);
export const network = shallowRef<Network | null>(null);
export const live = shallowRef<CityState | null>(null);
/** Streets are simulated here; else the pool is all there is. */
export const hasStreets = computed(() => (network.value?.roads.length ?? 0) > 0);
/** When the newest live state arrived, by our own monotonic clock. */
export const liveSince = ref(0);
export const link = shallowRef<Link>(FRESH);
export const startFailure = shallowRef<unknown>(null);
/** The server's clock less ours, in ms; the freshest message knows it best. */
export const serverAhead = ref(0);

/** Plain comparison: ISO times of one zone sort as words, and 20,000 of them must sort within a frame. */
export const newestFirst = (a: EventView, b: EventView): number => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0);

const heard = shallowRef<ReadonlyMap<string, EventView>>(new Map());
/** Every event we have heard of, open or ended, the newest first. */
export const events = computed(() => [...heard.value.values()].sort(newestFirst));

const names = computed(() => {
  const found = new Map<string, Text>();
  for (const road of network.value?.roads ?? []) found.set(road.id, road.name);
  for (const signal of network.value?.signals ?? []) found.set(signal.id, signal.name);
  return found;
});

export const localId = (id: string): string => id.split(":").slice(3).join(":") || id;
export const nameOf = (id: string): string => text(names.value.get(id)) || localId(id);

export function hear(fresh: readonly EventView[]): void {
  const all = new Map(heard.value);
  for (const event of fresh) all.set(event.id, event);
  heard.value = all;
}

function stamp(pulse: Pulse): void {
  liveSince.value = performance.now();
  const told = pulse.sent_at ?? pulse.received_at;
  if (told !== null) serverAhead.value = Date.parse(told) - performance.now();
}

function take(state: CityState): void {
  live.value = state;
  stamp(state);
  const open = new Set(state.events.map((event) => event.id));
  const missed = [...heard.value.values()].filter((event) => event.ended_at === null && !open.has(event.id));
  hear([...missed.map((event) => ({ ...event, ended_at: state.at ?? event.at })), ...state.events]);
}

function takePulse(pulse: Pulse): void {
  const last = live.value;
  if (last === null) return;
  const other = last.run?.number !== pulse.run?.number || last.road_levels.length !== pulse.road_levels.length;
  if (other) void sync().catch(() => undefined);
  live.value = { ...last, ...pulse, events: last.events, indicators: last.indicators };
  stamp(pulse);
}

function takeEvent(event: EventView): void {
  hear([event]);
  const last = live.value;
  if (last === null) return;
  const others = last.events.filter((other) => other.id !== event.id);
  live.value = { ...last, events: event.ended_at === null ? [event, ...others] : others };
}

/** Whoever shows alarms hears of each that is new or changed. */
export const alarmEars = new Set<(alarm: Alarm) => void>();

/** The network is loaded once, and again when the state speaks of other roads (the city had not been ready before). */
export async function sync(): Promise<void> {
  const state = await api.state();
  if (network.value === null || network.value.roads.length !== state.road_levels.length) await loadCity();
  take(state);
}

export async function loadMe(): Promise<void> {
  city.value = await api.city();
}

export async function loadWords(of: Lang): Promise<void> {
  if (!has(of)) lend(of, await api.words(of));
}

async function loadCity(): Promise<void> {
  const [found, roads] = await Promise.all([api.city(), api.network(), loadWords(lang.value)]);
  city.value = found;
  timezone.value = found.timezone;
  network.value = roads;
  startFailure.value = null;
}

/** Loads what stays, then listens to what changes; the stream's own recovery repeats whatever failed. */
export function startLive(): () => void {
  nameIdsBy(nameOf);
  return listen({
    state: takePulse,
    event: takeEvent,
    alarm: (alarm) => { for (const hear of alarmEars) hear(alarm); },
    indicators: (indicators) => { if (live.value) live.value = { ...live.value, indicators }; },
    sync: () => sync().catch((failure: unknown) => { startFailure.value = failure; throw failure; }),
    link: (now) => { link.value = now; },
  });
}
