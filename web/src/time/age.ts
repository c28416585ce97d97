// SPDX-License-Identifier: Apache-2.0
// How old data are, in wall time, without trusting that browser and server agree on the clock.
import type { Feed } from "@/api/types";
import type { Key } from "@/i18n";

export interface Age { feed: string; ageS: number | null; late: boolean }

/** A feed may be late by the time of one message before we call it late. */
export const GRACE_S = 3;

/** `serverNowMs`: the server's clock at this moment, as the stream lets us know it. */
export function ageOf(feed: Feed, serverNowMs: number): Age {
  if (feed.received_at === null) return { feed: feed.name, ageS: null, late: true };
  const ageS = Math.max(0, (serverNowMs - Date.parse(feed.received_at)) / 1000);
  return { feed: feed.name, ageS, late: ageS > feed.promise_s + GRACE_S };
}

/** How old what had been observed was at a time of the city that is replayed. */
export function ageThen(feed: Feed, atMs: number): Age {
  const ageS = feed.observed_at === null ? null : Math.max(0, (atMs - Date.parse(feed.observed_at)) / 1000);
  return { feed: feed.name, ageS, late: ageS === null || ageS > feed.promise_s };
}

/** The words for an age: seconds below two minutes, then minutes, hours, days. */
export function wordsOfAge(ageS: number): { key: Key; n: number } {
  if (ageS < 120) return { key: "age.seconds", n: Math.round(ageS) };
  if (ageS < 7200) return { key: "age.minutes", n: Math.round(ageS / 60) };
  if (ageS < 172_800) return { key: "age.hours", n: Math.round(ageS / 3600) };
  return { key: "age.days", n: Math.round(ageS / 86_400) };
}
