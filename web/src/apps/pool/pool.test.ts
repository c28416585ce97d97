// SPDX-License-Identifier: Apache-2.0
// The pool's pure parts: words of values, ages, boxes of the map, the past, names of selections, the order of desks.
import { describe, expect, it } from "vitest";
import { changesOf, linesOf, sinceOf } from "@/apps/pool/past";
import { modelOf, modelSelection, sourceOf, sourceSelection, subscriptionOf, subscriptionSelection } from "@/apps/pool/selections";
import type { PastOf } from "@/apps/pool/types";
import { unitSign } from "@/apps/pool/units";
import { boxOf, isOld, languages, pageOf, positions, shortId, shortName, valueWords } from "@/apps/pool/words";

describe("a value in words", () => {
  it.each([
    ["Property", 21.5, "21.5", "a number as it is"],
    ["Property", 0.123456, "0.123456", "without losing places"],
    ["Property", null, "–", "nothing as a dash"],
    ["Property", { a: 1 }, '{"a":1}', "anything else as JSON"],
    ["VocabProperty", "https://example.org/vocab#Wet", "Wet", "a word of a vocabulary by its last part"],
    ["Relationship", "urn:ngsi-ld:Device:9", "urn:ngsi-ld:Device:9", "a link as it is, to be followed"],
    ["GeoProperty", { type: "Point", coordinates: [109.1, 21.5] }, "109.10000, 21.50000", "a point by its place"],
    ["LanguageProperty", { zh: "银滩" }, "银滩", "the language that is there"],
  ])("%s %j is %s: %s", (kind, value, expected, why) => {
    expect(valueWords({ kind, value }), why).toBe(expected);
  });
  it("cuts what is too long for a line", () => {
    expect(valueWords({ kind: "Property", value: "x".repeat(500) }).length).toBeLessThan(100);
  });
});

describe("names", () => {
  it.each([["https://harbour.example/vocab#draught", "draught"], ["https://example.org/a/b/", "b"], ["pm25", "pm25"]])("%s is short %s", (name, expected) => {
    expect(shortName(name)).toBe(expected);
  });
  it.each([["urn:ngsi-ld:AirQualityObserved:Beihai-7", "Beihai-7"], ["urn:ngsi-ld:Bus:1:2", "1:2"], ["https://example.org/x", "https://example.org/x"]])("%s is short %s", (id, expected) => {
    expect(shortId(id)).toBe(expected);
  });
  it("says codes of units by their signs, and unknown ones as they are", () => {
    expect([unitSign("CEL"), unitSign("GQ"), unitSign("ZZZ"), unitSign("")]).toEqual(["°C", "µg/m³", "ZZZ", ""]);
  });
  it("cuts languages to those we speak", () => {
    expect(languages({ "zh-CN": "银滩", en: ["Silver", "Beach"] })).toMatchObject({ zh: "银滩" });
  });
});

it.each([
  [86_401, null, true, "without a promise after a day"], [86_000, null, false, "not before"], [64, 60, true, "with a promise when it is late"], [62, 60, false, "by more than the grace"],
])("an age of %d s with a promise of %s is old: %s", (age, every, expected, why) => {
  expect(isOld(age, every), why).toBe(expected);
});

describe("places", () => {
  it("has every position of any geometry", () => {
    const square: [number, number][] = [[0, 0], [1, 0], [1, 1], [0, 0]];
    expect(positions({ type: "MultiPolygon", coordinates: [[square], [square]] })).toHaveLength(8);
    expect(positions({ type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [1, 2, 3] }] })).toEqual([[1, 2]]);
  });
  it("asks for a little more than is in view, and never for what is not on earth", () => {
    const [west, south, east, north] = boxOf({ lon: 109, lat: 21.5, zoom: 12 }, 1000, 600);
    expect(east - west).toBeCloseTo((360 / (512 * 4096)) * 1100, 6);
    expect((west + east) / 2).toBeCloseTo(109, 9);
    expect(north - south).toBeLessThan(east - west);
    expect(boxOf({ lon: 179, lat: 89, zoom: 1 }, 2000, 2000)).toEqual([expect.any(Number), expect.any(Number), 180, 90]);
  });
  it("knows which page a row is of", () => {
    expect([pageOf(0), pageOf(499), pageOf(500)]).toEqual([0, 0, 1]);
  });
});

describe("the past", () => {
  const names = { value: "v", low: "low", high: "high", mean: "mean" };
  const past = (facts: Partial<PastOf>): PastOf => ({ points: [], periods: [], every_s: null, ...facts });
  it("is one line for single numbers and three for periods", () => {
    expect(linesOf(past({ points: [{ at: "1970-01-01T00:00:01Z", value: 3 }] }), names)).toMatchObject([{ name: "v", points: [[1000, 3]] }]);
    const period = { at: "1970-01-01T00:00:01Z", count: 2, low: 1, mean: 2, high: 3 };
    expect(linesOf(past({ periods: [period] }), names).map((line) => line.name)).toEqual(["low", "high", "mean"]);
  });
  it("is no line for words but their changes, the newest first", () => {
    const points = ["on", "on", "off"].map((value, i) => ({ at: `1970-01-01T00:00:0${i}Z`, value }));
    expect(linesOf(past({ points }), names)).toEqual([]);
    expect(changesOf(past({ points })).map((point) => point.value)).toEqual(["off", "on"]);
  });
  it("begins on a whole minute, or nowhere for the newest values", () => {
    expect(sinceOf("day", Date.parse("2026-05-02T08:00:42Z"))).toBe("2026-05-01T08:00:00.000Z");
    expect(sinceOf("newest", 0)).toBeNull();
  });
});

it("names selections so that each is recognised by its own drawer alone", () => {
  const subscription = { tenant: "transit", kind: "entities", id: "urn:x|y" };
  expect(subscriptionOf(subscriptionSelection(subscription))).toEqual(subscription);
  expect(modelOf(modelSelection("https://a#B"))).toBe("https://a#B");
  expect(sourceOf(sourceSelection(""))).toBe("");
  expect([subscriptionOf("urn:a"), modelOf("urn:a"), sourceOf("model:a")]).toEqual([null, null, null]);
});
