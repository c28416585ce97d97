// SPDX-License-Identifier: Apache-2.0
// What matters is in the address: desk, selection, time, view. Any screen can be sent to a colleague.
import { watch } from "vue";
import type { Router } from "vue-router";
import type { View } from "@/map/engine";
import { filters, readFilters } from "@/shell/filters";
import { selected, view } from "@/shell/selection";
import { clock, goLive, replayAt } from "@/time/clock";

type Query = Record<string, string | undefined>;

export function viewOf(words: string | undefined): View | null {
  const [lon, lat, zoom] = (words ?? "").split(",").map(Number);
  if (lon === undefined || lat === undefined || zoom === undefined || [lon, lat, zoom].some(Number.isNaN)) return null;
  return { lon, lat, zoom };
}

export const wordsOf = (shown: View): string => `${shown.lon.toFixed(5)},${shown.lat.toFixed(5)},${shown.zoom.toFixed(2)}`;

function read(query: Query): void {
  selected.value = query["sel"] ?? null;
  readFilters(query);
  const atMs = Date.parse(query["at"] ?? "");
  if (Number.isNaN(atMs)) goLive();
  else if (clock.mode === "live" || Math.abs(clock.atMs - atMs) > 1000) replayAt(atMs);
}

function written(): Query {
  return {
    ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== "")),
    ...(selected.value === null ? {} : { sel: selected.value }),
    ...(clock.mode === "live" ? {} : { at: new Date(Math.round(clock.atMs / 1000) * 1000).toISOString() }),
    ...(view.value === null ? {} : { v: wordsOf(view.value) }),
  };
}

/** Keeps address and screen in step, both ways. */
export async function keepAddress(router: Router): Promise<void> {
  await router.isReady();
  const first = router.currentRoute.value.query as Query;
  view.value = viewOf(first["v"]);
  read(first);
  let last = JSON.stringify(written());
  let timer = 0;
  const write = (): void => {
    // Desks without a map and walls keep their own address.
    if (["desk", "wall"].includes(String(router.currentRoute.value.meta["kind"]))) return;
    const now = JSON.stringify(written());
    if (now === last) return;
    last = now;
    const bench = router.currentRoute.value.query["bench"];
    void router.replace({ path: router.currentRoute.value.path, query: { ...written(), ...(bench === undefined ? {} : { bench }) } });
  };
  watch([selected, () => JSON.stringify(filters), () => clock.mode, () => Math.round(clock.atMs / 1000), view], () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(write, 200);
  });
  window.addEventListener("popstate", () => {
    window.setTimeout(() => { read(router.currentRoute.value.query as Query); last = JSON.stringify(written()); }, 0);
  });
}

/** The address of a desk that keeps selection, time and view. */
export const deskAddress = (path: string): { path: string; query: Query } => ({ path, query: written() });
