// SPDX-License-Identifier: Apache-2.0
// Words of the citizens' pages: both languages say the same, every key that is named exists, none is idle.
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import en from "@/citizen/i18n/en.json";
import zh from "@/citizen/i18n/zh.json";

const ZH: Record<string, string> = zh;
const EN: Record<string, string> = en;
const slots = (sentence: string): string[] => [...sentence.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
const isOurs = (name: string): boolean => /^citizen\/|\/public[./]/.test(name) && /\.(vue|ts)$/.test(name) && !name.endsWith(".test.ts");
const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(isOurs).map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
const FAMILIES = ["refused.", "follow.state_", "reports.state_", "step.", "rate.", "me.field_", "me.purpose_", "me.part_", "more.", "report.step_", "report.wrong_"];

it("has equal keys and equal slots in both languages, and no empty sentence", () => {
  expect(Object.keys(ZH)).toEqual(Object.keys(EN));
  for (const [key, sentence] of Object.entries(ZH)) expect([key, slots(sentence)]).toEqual([key, slots(EN[key] ?? "")]);
  expect([...Object.values(ZH), ...Object.values(EN)].filter((sentence) => sentence === "")).toEqual([]);
});

it("has every key that is named in the code, and none that nobody uses", () => {
  const named = [...sources.matchAll(/\bt\(["']([\w./]+)["']/g)].map((found) => found[1] ?? "");
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((key) => !(key in ZH))).toEqual([]);
  const idle = Object.keys(ZH).filter((key) => !FAMILIES.some((family) => key.startsWith(family)) && !sources.includes(`"${key}"`) && !sources.includes(`'${key}'`));
  expect(idle).toEqual([]);
});

it("speaks in short sentences: nobody has to read one twice", () => {
  const long = Object.entries(EN).filter(([, said]) => said.split(/[.:;?!]/).some((part) => part.trim().split(/\s+/).length > 24));
  expect(long).toEqual([]);
});
