// SPDX-License-Identifier: Apache-2.0
// Words: the web's own typed catalogue plus the sentences of kernel, doors and apps that the server lends.
import { shallowRef } from "vue";
import en from "@/i18n/en.json";
import zh from "@/i18n/zh.json";
import type { Facts, Lang, Text } from "@/api/types";
import { dayTime, fill, lang, number, text } from "@/language";

export * from "@/language";

export type Key = keyof typeof zh;
type Words = Record<string, string>;

const OWN: Record<Lang, Words> = { zh, en };
const lent = shallowRef<Record<Lang, Words>>({ zh: {}, en: {} });

export function lend(of: Lang, words: Words): void {
  lent.value = { ...lent.value, [of]: words };
}

export function has(of: Lang): boolean {
  return Object.keys(lent.value[of]).length > 0;
}

/** Ids in facts are shown by name: the store of the city tells how, so that words know nothing of it. */
let nameOfId: (id: string) => string = (id) => id;
export function nameIdsBy(name: (id: string) => string): void {
  nameOfId = name;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
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

/** What stands behind a prefix in all catalogues: every kind of event, every means. */
export function wordsUnder(prefix: string): string[] {
  const keys = [...Object.keys(lent.value[lang.value]), ...Object.keys(OWN[lang.value])];
  return [...new Set(keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)))].filter((name) => name.split(".").length === 2);
}
