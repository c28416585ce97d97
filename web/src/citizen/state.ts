// SPDX-License-Identifier: Apache-2.0
// What all citizens' pages know: the city's name, whether there is a network, large print, what this browser remembers.
import { computed, ref, shallowRef, watch } from "vue";
import { ask } from "@/api/client";
import type { City } from "@/api/types";
import { text, timezone } from "@/citizen/words";

const LARGE = "citybrain.citizen.large";

export const city = shallowRef<City | null>(null);
/** The city's name; a city without streets is named after its pool, which is nothing to a citizen. */
export const cityName = computed(() => (city.value?.scenario === "none" ? "" : text(city.value?.name)));
/** A map is only offered where there is something to draw. */
export const hasMap = computed(() => city.value !== null && city.value.scenario !== "none" && city.value.bounds !== null);
export const online = ref(navigator.onLine);
export const large = ref(remembered(LARGE) === "yes");

// Until the city says its own, times are those of the telephone.
timezone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
addEventListener("online", () => { online.value = true; });
addEventListener("offline", () => { online.value = false; });
addEventListener("online", () => { void loadCity(); });

watch(large, (now) => {
  document.documentElement.toggleAttribute("data-large", now);
  remember(LARGE, now ? "yes" : null);
}, { immediate: true });

export async function loadCity(): Promise<void> {
  if (city.value !== null) return;
  const found = await ask<City>("/api/city").catch(() => null);
  if (found === null) return;
  timezone.value = found.timezone;
  city.value = found;
}

/** What this browser remembers; nothing where it is not allowed to. */
export function remembered(name: string): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}

/** Answers whether it was kept. */
export function remember(name: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(name); else localStorage.setItem(name, value);
    return true;
  } catch { return false; }
}
