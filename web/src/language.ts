// SPDX-License-Identifier: Apache-2.0
// The chosen language and how it writes times, numbers and names of data: what desks and citizens' pages have in common.
import { computed, ref, watch } from "vue";
import type { Facts, Lang, Text } from "@/api/types";

const REMEMBERED = "citybrain.lang";
const LOCALE: Record<Lang, string> = { zh: "zh-CN", en: "en-GB" };

function remembered(): Lang {
  return typeof localStorage !== "undefined" && localStorage.getItem(REMEMBERED) === "en" ? "en" : "zh";
}

export const lang = ref<Lang>(remembered());
export const locale = computed(() => LOCALE[lang.value]);

watch(lang, (now) => {
  localStorage.setItem(REMEMBERED, now);
}, { flush: "sync" });

/** Puts facts into the slots of a sentence; an unknown slot stays visible as `{slot}`. */
export function fill(sentence: string, facts: Facts, show: (value: unknown, slot: string) => string = String): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, slot: string) => (slot in facts ? show(facts[slot], slot) : whole));
}

export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value);
}

export const timezone = ref("UTC");

export function clockTime(at: string | number | Date, seconds = true): string {
  return new Intl.DateTimeFormat(locale.value, {
    hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}), hourCycle: "h23", timeZone: timezone.value,
  }).format(new Date(at));
}

export function dayOnly(at: string | number | Date): string {
  return new Intl.DateTimeFormat(locale.value, { month: "short", day: "numeric", timeZone: timezone.value }).format(new Date(at));
}

/** A time on its own when it lies on the same day as `by`, else with its day. */
export function timeOrDay(at: string | number | Date, by: string | number | Date | null): string {
  return by !== null && dayOnly(at) !== dayOnly(by) ? `${dayOnly(at)} ${clockTime(at, false)}` : clockTime(at);
}

export function dayTime(at: string | number | Date): string {
  return new Intl.DateTimeFormat(locale.value, {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: timezone.value,
  }).format(new Date(at));
}

export function text(name: Text | null | undefined): string {
  if (!name) return "";
  return name[lang.value] ?? name.zh ?? name.en ?? Object.values(name)[0] ?? "";
}
