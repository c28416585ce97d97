// SPDX-License-Identifier: Apache-2.0
// What warnings, their scales and their times are called.
import type { Line, Words } from "@/doors/cap/types";
import { beat } from "@/time/seen";
import { serverAhead } from "@/api/live";
import { dayTime, knows, lang, locale, say, t, text, timezone } from "@/i18n";
import { wordsOfAge } from "@/time/age";

export const titleOf = (one: Words): string => text(one.headline) || text(one.event) || t("warnings.untitled");
export const eventOf = (one: Words): string => text(one.event) || t("warnings.untitled");
export const areasOf = (one: Words): string => (one.areas[lang.value] ?? one.areas.zh ?? one.areas.en ?? []).join(t("value.join")) || t("warnings.no_area");
export const senderOf = (one: Words & { sender: string }): string => { const name = text(one.sender_name); return name === "" ? one.sender : `${name} (${one.sender})`; };

/** A word of CAP in the reader's language; one that has none stays as it came. */
export const word = (family: string, value: string | null): string => (value === null || value === "" ? t("warnings.not_said") : knows(`warnings.${family}.${value}`) ? say(`warnings.${family}.${value}`) : value);
export const wordsList = (family: string, values: readonly string[]): string => values.map((one) => word(family, one)).join(t("value.join"));

export function ageWords(at: string): string {
  const { key, n } = wordsOfAge(Math.max(0, (beat.value + serverAhead.value - Date.parse(at)) / 1000));
  return t(key, { n });
}
/** When it ends, or when and by what it ended. */
export function endWords(line: Line): string {
  if (line.closed_at === null) return t("warnings.until", { at: dayTime(line.expires_at) });
  return t("warnings.ended_at", { at: dayTime(line.closed_at), why: word("closed", line.closed_because) });
}
/** A day with its year: certificates last for years. */
export const dayOfYear = (at: string): string => new Intl.DateTimeFormat(locale.value, { year: "numeric", month: "short", day: "numeric", timeZone: timezone.value }).format(new Date(at));
/** Four characters in a group, so that two people can compare it by telephone. */
export const inGroups = (fingerprint: string): string => fingerprint.match(/.{1,4}/g)?.join(" ") ?? fingerprint;
