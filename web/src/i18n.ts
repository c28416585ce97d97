// SPDX-License-Identifier: Apache-2.0
// Words: the web's own typed catalogue plus the sentences of kernel, doors and apps that the server lends.
import { computed, ref, shallowRef, watch } from "vue";
import en from "@/i18n/en.json";
import zh from "@/i18n/zh.json";
import type { Facts, Lang, Text } from "@/api/types";

export type Key = keyof typeof zh;
type Words = Record<string, string>;

const OWN: Record<Lang, Words> = { zh, en };
const REMEMBERED = "citybrain.lang";
const LOCALE: Record<Lang, string> = { zh: "zh-CN", en: "en-GB" };

function remembered(): Lang {
  return typeof localStorage !== "undefined" && localStorage.getItem(REMEMBERED) === "en" ? "en" : "zh";
}

export const lang = ref<Lang>(remembered());
export const locale = computed(() => LOCALE[lang.value]);
const lent = shallowRef<Record<Lang, Words>>({ zh: {}, en: {} });

watch(lang, (now) => {
  localStorage.setItem(REMEMBERED, now);
}, { flush: "sync" });

export function lend(of: Lang, words: Words): void {
  lent.value = { ...lent.value, [of]: words };
}

export function has(of: Lang): boolean {
  return Object.keys(lent.value[of]).length > 0;
}

/** Puts facts into the slots of a sentence; an unknown slot stays visible as `{slot}`. */
export function fill(sentence: string, facts: Facts, show: (value: unknown, slot: string) => string = String): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, slot: string) => (slot in facts ? show(facts[slot], slot) : whole));
}

/** Ids in facts are shown by name: the store of the city tells how, so that words know nothing of it. */
let nameOfId: (id: string) => string = (id) => id;
export function nameIdsBy(name: (id: string) => string): void {
  nameOfId = name;
}

export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value);
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
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

const SHOWN: Partial<Record<string, (value: never) => string>> = {
  number: (value: number) => number(value, Math.abs(value) < 10 ? 2 : 1),
  boolean: (value: boolean) => t(value ? "value.yes" : "value.no"),
  object: (value: object) => (Array.isArray(value) ? shownList(value) : text(value as Text) || JSON.stringify(value)),
};

/** Any value as a reader wants it: numbers rounded, times local, ids by name, nothing as a dash. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  const show = SHOWN[typeof value];
  return show === undefined ? shownWord(String(value)) : show(value as never);
}

const LIST_MOST = 6;
function shownList(values: readonly unknown[]): string {
  const first = values.slice(0, LIST_MOST).map(shown).join(t("value.join"));
  return values.length <= LIST_MOST ? first : t("value.and_more", { first, n: values.length - LIST_MOST });
}

function shownWord(value: string): string {
  if (value.startsWith("urn:")) return nameOfId(value);
  return ISO_TIME.test(value) ? dayTime(value) : value;
}

export function t(key: Key, facts: Facts = {}): string {
  return fill(OWN[lang.value][key] ?? key, facts, shown);
}

/** The sentence of a key that anybody may own; `else` when nobody has words for it. */
export function say(code: string, facts: Facts = {}, otherwise?: string): string {
  const sentence = lent.value[lang.value][code] ?? OWN[lang.value][code] ?? otherwise ?? code;
  return fill(sentence, facts, shown);
}

export function knows(code: string): boolean {
  return code in lent.value[lang.value] || code in OWN[lang.value];
}

export function text(name: Text | null | undefined): string {
  if (!name) return "";
  return name[lang.value] ?? name.zh ?? name.en ?? Object.values(name)[0] ?? "";
}
