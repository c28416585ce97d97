// SPDX-License-Identifier: Apache-2.0
// Warnings: their order, their names in the address, their place on the map, what a message would end, whose lists are old.
import { beforeEach, expect, it } from "vitest";
import { areas, pointed } from "@/doors/cap/layer";
import { corners, hasTrouble, inOrder, keyOf, listState, missing, named, viewOfPlace, worstFirst, wouldEnd } from "@/doors/cap/rules";
import type { Authority, Certificate, Info, Line, Source } from "@/doors/cap/types";
import { inGroups, word } from "@/doors/cap/words";
import type { CityState, EventView } from "@/api/types";

const SENT = "2026-11-26T08:00:00Z";
const line = (identifier: string, more: Partial<Line> = {}): Line => ({
  sender: "s@x", identifier, sent: SENT, status: "Actual", type: "Alert", level: "II", event: { zh: "暴雨", en: "Rain" }, headline: {}, sender_name: {}, areas: {},
  begins_at: SENT, severity: "Severe", urgency: "Immediate", certainty: "Observed", scope: "Public", is_ours: false, received_at: SENT, expires_at: SENT, closed_at: null,
  closed_because: "", event_id: "e", signature: "none", signed_by: "", posted_by: "centre", ...more,
});
beforeEach(() => { pointed.value = null; });

it("puts the worst first and of equal ones the newest", () => {
  const rows = [line("late", { received_at: "2026-11-26T09:00:00Z" }), line("early"), line("worst", { level: "I" }), line("least", { level: "IV" })];
  expect(worstFirst(rows).map((one) => one.identifier)).toEqual(["worst", "late", "early", "least"]);
});

it("names a message in the address and finds it again", () => {
  expect(named(keyOf(line("a/b c")))).toEqual({ sender: "s@x", identifier: "a/b c", sent: SENT });
  expect([named(""), named("s@x,a"), named("a,b,c,d")]).toEqual([null, null, null]);
});

it("says what is in the reader's language first", () => {
  const infos = ["en", "zh-CN", "fr"].map((language) => ({ language }) as Info);
  expect(inOrder(infos, "zh").map((one) => one.language)).toEqual(["zh-CN", "en", "fr"]);
  expect(inOrder(infos, "en").map((one) => one.language)).toEqual(["en", "fr", "zh-CN"]);
});

it("tells which references never came, whatever the zone of their time", () => {
  const references = [{ sender: "s@x", identifier: "here", sent: "2026-11-26T16:00:00+08:00" }, { sender: "s@x", identifier: "any", sent: null }, { sender: "s@x", identifier: "never", sent: SENT }];
  expect(missing({ references }, [line("here"), line("any")]).map((one) => one.identifier)).toEqual(["never"]);
});

it("tells what a cancel would end: what is in force and meant with the same seriousness", () => {
  const references = ["a", "over", "drill"].map((identifier) => ({ sender: "s@x", identifier, sent: SENT }));
  const cancel = { references, msg_type: "Cancel", status: "Actual", sender: "s@x" };
  const chain = [line("a"), line("over", { closed_at: SENT }), line("drill", { status: "Exercise" }), line("other")];
  expect(wouldEnd(cancel, "centre", chain).map((one) => one.identifier)).toEqual(["a"]);
  expect(wouldEnd({ ...cancel, msg_type: "Alert" }, "centre", chain)).toEqual([]);
  const another = { ...cancel, sender: "other@x", references: [...references, { sender: "s@x", identifier: "signed", sent: SENT }] };
  expect(wouldEnd(another, "centre", [...chain, line("signed", { signature: "valid" })]).map((one) => one.identifier)).toEqual(["a"]);
  expect(wouldEnd(another, "somebody else", chain)).toEqual([]);
});

const SQUARE = { type: "Polygon" as const, coordinates: [[[120, 30], [120.2, 30], [120.2, 30.1], [120, 30.1], [120, 30]]] };
it("finds the corners of a place and a view of it", () => {
  expect(corners(SQUARE)).toEqual([[120, 30], [120.2, 30.1]]);
  expect(corners({ type: "MultiPolygon", coordinates: [SQUARE.coordinates, [[[119, 29], [119, 29.5], [119.5, 29], [119, 29]]]] })).toEqual([[119, 29], [120.2, 30.1]]);
  expect(corners({ type: "Point", coordinates: [1, 2] })).toEqual([[1, 2], [1, 2]]);
  const shown = viewOfPlace(SQUARE);
  expect([shown?.lon, shown?.lat].map((one) => one?.toFixed(3))).toEqual(["120.100", "30.050"]);
  expect(shown?.zoom).toBeGreaterThan(10);
  expect(viewOfPlace({ type: "Point", coordinates: [1, 2] })?.zoom).toBe(15);
  expect(viewOfPlace({ type: "GeometryCollection", geometries: [] })).toBeNull();
});

const certificate: Certificate = { name: "n", issuer: "i", fingerprint: "ab", begins_at: SENT, ends_at: SENT, standing: "good" };
const authority = (list: Authority["list"]): Authority => ({ ...certificate, is_root: true, list });
const source = (authorities: Authority[], more: Partial<Source> = {}): Source => ({ sender: "s@x", signatures: "required", names: [], certificates: [], authorities, revocations: true, ...more });
it.each([
  [source([authority(null)], { revocations: false }), "not_asked", false],
  [source([authority(null)]), "missing", true],
  [source([authority({ made_at: SENT, ends_at: SENT, revoked: 0, is_current: false })]), "over", true],
  [source([authority({ made_at: SENT, ends_at: SENT, revoked: 3, is_current: true })]), "current", false],
] as const)("tells how a list of revocations stands", (given, state, trouble) => {
  expect(listState(given, given.authorities[0] ?? authority(null))).toBe(state);
  expect(hasTrouble(given)).toBe(trouble);
});
it("is troubled by a certificate out of its time", () => {
  expect(hasTrouble(source([], { certificates: [{ ...certificate, standing: "over" }] }))).toBe(true);
});

it("words what CAP says, keeps what it does not know, and groups fingerprints", () => {
  expect([word("urgency", "Immediate"), word("urgency", "Soonish"), word("urgency", null)]).toEqual(["立即", "Soonish", "未说明"]);
  expect(inGroups("abcdef0123")).toBe("abcd ef01 23");
});

it("draws warnings in force with shape and words, the worst above, and what was pointed at", () => {
  const event = (id: string, severity: EventView["severity"], more: Partial<EventView> = {}): EventView => ({
    id, kind: "cap.alert", severity, at: SENT, ended_at: null, entity_id: "urn:cap:x", geometry: SQUARE, because: { code: "cap.warned", facts: { event: { zh: "暴雨", en: "Rain" } } },
    evidence: {}, acknowledged_by: null, acknowledged_at: null, note: null, ...more,
  });
  const events = [event("a", "I"), event("b", "III"), event("over", "I", { ended_at: SENT }), event("nowhere", "I", { geometry: null }), event("jam", "I", { kind: "traffic.congestion" })];
  const names = (): unknown[] => areas.comes?.({ events } as unknown as CityState, "en").features.map((one) => one.properties?.["name"] as unknown) ?? [];
  expect(names()).toEqual(["■ Rain", "▲ Rain"]);
  pointed.value = { key: "k", geometry: SQUARE, level: "IV", event: { zh: "大风", en: "Gale" } };
  expect(names()).toEqual(["■ Rain", "▲ Rain", "● Gale"]);
});
