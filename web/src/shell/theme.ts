// SPDX-License-Identifier: Apache-2.0
// The look of the screens: by itself the centre is dark and desks are light; somebody may want one look for all, or high contrast.
import { computed, ref, watch, watchEffect } from "vue";
import type { Theme } from "@/kit/colours";

export type { Theme } from "@/kit/colours";
export const LOOKS = ["auto", "dark", "light", "contrast"] as const;
export type Look = (typeof LOOKS)[number];

const REMEMBERED = "citybrain.look";
const isBrowser = typeof localStorage !== "undefined";
export const lookOf = (words: string | null): Look => LOOKS.find((one) => one === words) ?? "auto";
export const look = ref<Look>(isBrowser ? lookOf(localStorage.getItem(REMEMBERED)) : "auto");
watch(look, (now) => { localStorage.setItem(REMEMBERED, now); });

/** Whoever told the system that they need more contrast gets it without asking again. */
const needsContrast = ref(false);
if (isBrowser) {
  const asked = matchMedia("(prefers-contrast: more)");
  needsContrast.value = asked.matches;
  asked.addEventListener("change", () => { needsContrast.value = asked.matches; });
}
export function themeOf(place: "centre" | "desk", wanted: Look, isContrast: boolean): Theme {
  if (wanted !== "auto") return wanted;
  if (isContrast) return "contrast";
  return place === "desk" ? "light" : "dark";
}
/** Of status bar, rail, map and what lies beside it. */
export const centreTheme = computed(() => themeOf("centre", look.value, needsContrast.value));
/** Of desks without a map. */
export const theme = computed(() => themeOf("desk", look.value, needsContrast.value));
export const nextLook = (): void => { look.value = LOOKS[(LOOKS.indexOf(look.value) + 1) % LOOKS.length] ?? "auto"; };

/** Keeps the page itself in the centre's look. */
export const wearTheme = (): void => { watchEffect(() => { document.documentElement.dataset["theme"] = centreTheme.value; }); };
