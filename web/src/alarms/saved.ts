// SPDX-License-Identifier: Apache-2.0
// Filters that somebody kept under a name, with their account on the server, and those that colleagues shared.
import { computed, shallowRef, watch } from "vue";
import { keptFilters } from "@/alarms/ask";
import type { KeptFilter, KeptFilters } from "@/alarms/ask";
import { partsOf, readFilters } from "@/alarms/filters";
import type { Filters } from "@/alarms/filters";
import { act, me } from "@/shell/access";

const NONE: KeptFilters = { filters: [], departments: [] };
export const kept = shallowRef<KeptFilters>(NONE);
export const saved = computed(() => kept.value.filters);
/** Whose departments one's own filters can be shared with. */
export const shareable = computed(() => kept.value.departments);

/** What was kept before filters stood on the server lies in the browser: it is brought there once. What the server refuses stays. */
const oldPlace = (): string => `citybrain.alarm_filters.${me.value.account ?? ""}`;
function before(): { name: string; words: string }[] {
  try { return JSON.parse(localStorage.getItem(oldPlace()) ?? "[]") as { name: string; words: string }[]; } catch { return []; }
}
async function bring(old: ReturnType<typeof before>): Promise<void> {
  const refused: typeof old = [];
  for (const one of old) await keptFilters.make({ name: one.name.slice(0, 60), query: partsOf(readFilters(Object.fromEntries(new URLSearchParams(one.words)))), department: null }).catch(() => refused.push(one));
  if (refused.length === 0) localStorage.removeItem(oldPlace());
  else localStorage.setItem(oldPlace(), JSON.stringify(refused));
}

async function load(): Promise<void> {
  if (me.value.account == null) { kept.value = NONE; return; }
  const mine = me.value.account;
  try {
    const old = before();
    if (old.length > 0) await bring(old);
    const found = await keptFilters.all();
    if (mine === me.value.account) kept.value = found;
  } catch { /* The list of alarms works without them; keeping one says what is wrong. */ }
}
export const watchSaved = (): (() => void) => watch(() => me.value.account, load, { immediate: true });

/** Keeps a filter; one's own of the same name asks for this from now on. */
export async function save(name: string, filters: Filters, department: string | null): Promise<void> {
  await act(async () => {
    const given = { name, query: partsOf(filters), department };
    const known = saved.value.find((one) => one.may_change && one.name === name);
    await (known === undefined ? keptFilters.make(given) : keptFilters.change(known.id, { ...given, version: known.version }));
  });
  await load();
}
export async function share(one: KeptFilter, department: string | null): Promise<void> {
  await act(() => keptFilters.change(one.id, { name: one.name, query: one.query, department, version: one.version })).finally(load);
}
export async function forget(one: KeptFilter): Promise<void> {
  await act(() => keptFilters.drop(one.id)).finally(load);
}
