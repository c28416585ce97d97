// SPDX-License-Identifier: Apache-2.0
// The words of the citizens' pages: a catalogue of their own, so that a telephone does not load those of the desks.
import { shallowRef } from "vue";
import { ask, Refusal } from "@/api/client";
import type { Facts, Lang } from "@/api/types";
import en from "@/citizen/i18n/en.json";
import zh from "@/citizen/i18n/zh.json";
import { clockTime, fill, lang, locale, number, timezone } from "@/language";

export * from "@/language";

export type PublicKey = keyof typeof zh;
type Words = Partial<Record<string, string>>;

const OWN: Record<Lang, Words> = { zh, en };
const lent = shallowRef<Record<Lang, Words>>({ zh: {}, en: {} });
const asked = new Set<Lang>();

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
function shown(value: unknown): string {
  if (typeof value === "number") return number(value);
  return typeof value === "string" && ISO_TIME.test(value) ? clockTime(value, false) : String(value ?? "–");
}

export function t(key: PublicKey, facts: Facts = {}): string {
  return fill(OWN[lang.value][key] ?? key, facts, shown);
}

/** A word that the code builds, or what stands in for it where nobody has one. */
export function wordOf(key: string, otherwise: string): string {
  return OWN[lang.value][key] ?? otherwise;
}

/** The server's sentences are only asked for when it refuses in a way that has no plain words here. */
function lend(of: Lang): void {
  if (asked.has(of)) return;
  asked.add(of);
  ask<Words>(`/api/words/${of}`).then((words) => { lent.value = { ...lent.value, [of]: words }; }, () => { asked.delete(of); });
}

/** Why something was refused, in plain words. */
export function sentence(failure: unknown): string {
  if (!(failure instanceof Refusal)) return t("refused.bug");
  const own = OWN[lang.value][`refused.${failure.code}`];
  if (own !== undefined) return fill(own, failure.facts, shown);
  const known = lent.value[lang.value][failure.code];
  if (known === undefined) lend(lang.value);
  return known === undefined ? t("refused.other") : fill(known, failure.facts, shown);
}

/** Day and time to the minute: nobody waits for seconds here. */
export function dayMinute(at: string | number): string {
  return new Intl.DateTimeFormat(locale.value, { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: timezone.value }).format(new Date(at));
}

export function dayLong(at: string | number): string {
  return new Intl.DateTimeFormat(locale.value, { year: "numeric", month: "long", day: "numeric", timeZone: timezone.value }).format(new Date(at));
}
