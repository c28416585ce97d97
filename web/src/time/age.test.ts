// SPDX-License-Identifier: Apache-2.0
// The age of data: late only after the promise, worded by its size, measured by the server's clock.
import { expect, it } from "vitest";
import { ageOf, ageThen, GRACE_S, wordsOfAge } from "@/time/age";

const AT = Date.UTC(2026, 10, 23, 12);
const feed = { name: "sumo", observed_at: null, received_at: "2026-11-23T12:00:00Z", promise_s: 5 };

it.each([
  [0, false, "fresh"],
  [5 + GRACE_S, false, "the promise and one message are still in time"],
  [5 + GRACE_S + 0.1, true, "later than that is late"],
])("after %d s late is %s", (ageS, late, why) => {
  expect(ageOf(feed, AT + ageS * 1000), why).toEqual({ feed: "sumo", ageS, late });
});

it("calls a feed late that never sent anything", () => {
  expect(ageOf({ ...feed, received_at: null }, AT)).toEqual({ feed: "sumo", ageS: null, late: true });
});

it.each([[0, 0, false], [5, 5, false], [60, 60, true]])("tells %d s after the last observation of a replayed time that it was %d s old", (afterS, ageS, late) => {
  expect(ageThen({ ...feed, observed_at: "2026-11-23T12:00:00Z" }, AT + afterS * 1000)).toEqual({ feed: "sumo", ageS, late });
});

it.each([[0.4, "age.seconds", 0], [119, "age.seconds", 119], [120, "age.minutes", 2], [7199, "age.minutes", 120], [7200, "age.hours", 2]])("words %d s", (ageS, key, n) => {
  expect(wordsOfAge(ageS)).toEqual({ key, n });
});
