// SPDX-License-Identifier: Apache-2.0
// Words: both languages say the same things with the same slots, and every key that the code builds exists.
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fill } from "@/i18n";
import en from "@/i18n/en.json";
import zh from "@/i18n/zh.json";

const ZH: Record<string, string> = zh;
const EN: Record<string, string> = en;
const slots = (sentence: string): string[] => [...sentence.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith(".test.ts") && !/^citizen\/|\/public/.test(name)).map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");

it("has equal keys in both languages", () => {
  expect(Object.keys(ZH)).toEqual(Object.keys(EN));
});

it.each(Object.keys(ZH))("says %s with equal slots", (key) => {
  expect(slots(ZH[key] ?? "")).toEqual(slots(EN[key] ?? ""));
});

it("leaves no sentence empty that is not meant to be", () => {
  expect(Object.entries({ ...ZH, ...EN }).filter(([key, sentence]) => sentence === "" && key !== "unit.1")).toEqual([]);
});

it("has every key that is named in the code", () => {
  const named = [...sources.matchAll(/\bt\(["']([\w./]+)["']/g)].map((found) => found[1] ?? "");
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((key) => !(key in ZH))).toEqual([]);
});

it("has no key that nobody uses", () => {
  const families = ["column.", "level.", "head.", "severity.", "side.", "verdict.", "arm.", "outcome.", "control.", "attribute.", "unit.", "evidence.", "history.", "web.", "type.", "finding.", "rail.", "deed.", "deeds.", "method.", "part.", "password.", "powers.", "reason.", "role.", "pool.health", "pool.policy", "pool.figure", "pool.span_", "hotline.channel.", "hotline.urgency.", "hotline.satisfaction.", "hotline.resolution.", "hotline.rate.", "hotline.count.", "hotline.days.", "calls.stage.", "calls.script.", "supervision.period.", "supervision.tab.", "routing.tab.", "routing.if.", "routing.answer.", "work.verb.", "work.clock.", "work.priority.", "work.satisfaction.", "work.linked_", "work.said.", "work.phase.", "work.order.", "work.which.", "work.due.", "work.opened.", "notices.tab.", "notices.channel.", "notices.topic.", "notices.state.", "review.tab.", "review.verdict.", "review.score.", "review.result.", "review.by.", "review.all_", "templates.slot.", "templates.part.", "order.", "orders.", "sayer.", "mode.", "mission.", "gain.worth", "signals.worth.", "compare.figure.", "compare.said.", "types.tab.", "types.need.", "types.assignee.", "types.kind.", "types.unit.", "types.length.", "types.event.", "types.to.", "types.basis.", "types.then.", "types.sort.", "types.change.", "types.piece.", "types.word.", "look.", "duty.", "figures.", "suggest.state.", "run.state.", "run.approval.", "run.act.", "run.reached.", "run.verdict.", "run.undo.", "run.waits_", "whatif.state.", "alarms.handling.", "alarms.act.", "alarms.did.", "alarms.done.", "alarms.state.", "alarms.span.", "alarms.sort.", "contact.address.", "contact.channel.", "playbook.approval.", "playbook.days.", "playbook.is.", "playbook.on.", "playbook.reached.", "playbook.tab.", "playbook.target.", "incident.level.", "incident.state.", "incident.act.", "incident.acts.", "incident.message.", "incident.tab.", "incident.phase.", "incident.entry.", "means.group.", "timetable.days.", "crew.kind.", "crew.state.", "vehicle.heading.", "warnings.tab.", "warnings.closed.", "warnings.state.", "warnings.signature.", "warnings.means.", "warnings.type.", "warnings.status.", "warnings.scope.", "warnings.harm.", "warnings.urgency.", "warnings.certainty.", "warnings.category.", "warnings.response.", "warnings.asked.", "warnings.standing.", "warnings.list.", "weekday."];
  const quoted = new Set([...sources.matchAll(/["']([\w./-]+)["']/g)].map((found) => found[1] ?? ""));
  const idle = Object.keys(ZH).filter((key) => !quoted.has(key) && !families.some((family) => key.startsWith(family)));
  expect(idle).toEqual([]);
});

it("keeps a slot visible that has no fact", () => {
  expect(fill("{a} of {b}", { a: 1 })).toBe("1 of {b}");
});
