// SPDX-License-Identifier: Apache-2.0
// How roles, departments, permissions and parts are called, and what makes a password weak.
import { knows, lang, say, t, text } from "@/i18n";
import type { Department, Role, Roles } from "@/people/types";

export const POWERS = ["admin", "security", "audit"] as const;
export type Power = (typeof POWERS)[number];
export const isPower = (role: string): role is Power => (POWERS as readonly string[]).includes(role);

/** A role by its name: this city's own have one of their own, declared ones a word. */
export function roleWords(name: string, own: readonly Role[] = []): string {
  const found = own.find((role) => role.name === name);
  if (found !== undefined && text(found.shown_name) !== "") return text(found.shown_name);
  return knows(`role.${name}`) ? say(`role.${name}`) : name;
}
export const permissionWords = (permission: string): string => say(`permission.${permission}`, {}, permission);
export function partWords(permission: string): string {
  const part = permission.split(".")[0] ?? permission;
  return knows(`part.${part}`) ? say(`part.${part}`) : part;
}
export const departmentWords = (id: string | null, known: readonly Department[]): string => (id === null ? t("people.whole_city") : text(known.find((one) => one.id === id)?.name) || id);

/** Permissions by the part of the city that they belong to, parts in the order of their words. */
export function byPart(permissions: readonly string[]): { part: string; permissions: string[] }[] {
  const found = new Map<string, string[]>();
  for (const permission of [...permissions].sort()) {
    const words = partWords(permission);
    found.set(words, [...(found.get(words) ?? []), permission]);
  }
  const order = new Intl.Collator(lang.value === "zh" ? "zh-CN" : "en");
  return [...found].map(([part, its]) => ({ part, permissions: its })).sort((a, b) => order.compare(a.part, b.part));
}

/** Roles that can be given in a department or in the whole city: neither powers nor those that everybody has. */
export const givenByItself = new Set(["public", "staff", "citizen", "service"]);
export const rolesToGive = (roles: Roles): string[] => [...roles.own.map((role) => role.name), ...Object.keys(roles.declared).filter((name) => !isPower(name) && !givenByItself.has(name))];

export const SHORTEST = 12;
const DIFFERENT = 5;
/** Beginnings of what guessers try first, without digits and marks. */
const COMMON = ["password", "passwort", "qwerty", "qwertz", "asdf", "admin", "letmein", "welcome", "iloveyou", "citybrain", "woaini", "mima", "abcd", "zxcv"];
const ROWS = "01234567890 09876543210 abcdefghijklmnopqrstuvwxyz qwertyuiop asdfghjkl zxcvbnm";

export type Weakness = "short" | "few" | "common" | "name" | "row";
/** What is weak about a password; the first one is the one to say. The server refuses the first two. */
export function weaknesses(password: string, name: string): Weakness[] {
  const plain = password.toLowerCase();
  const letters = plain.replace(/[^a-z]/g, "");
  const tests: [Weakness, boolean][] = [
    ["short", password.length < SHORTEST],
    ["few", new Set(password).size < DIFFERENT],
    ["common", COMMON.some((word) => letters.startsWith(word) && letters.length <= word.length + 4)],
    ["name", name.length >= 3 && plain.includes(name.toLowerCase())],
    ["row", inARow(plain)],
  ];
  return tests.filter(([, weak]) => weak).map(([weakness]) => weakness);
}
const RUN = 6;
function inARow(plain: string): boolean {
  for (let at = 0; at + RUN <= plain.length; at += 1) if (ROWS.includes(plain.slice(at, at + RUN))) return true;
  return false;
}

const LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** A password by chance that can be read out: four groups of five, 115 bits. */
export function chancePassword(): string {
  const drawn = crypto.getRandomValues(new Uint32Array(20));
  const characters = [...drawn].map((each) => LETTERS[each % LETTERS.length] ?? "a").join("");
  return characters.match(/.{5}/g)?.join("-") ?? characters;
}

const BROWSERS: [RegExp, string][] = [[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];
const SYSTEMS: [RegExp, string][] = [[/Windows/, "Windows"], [/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Mac OS/, "macOS"], [/Linux/, "Linux"]];
/** A browser's line about itself, as people say it. */
export function agentWords(agent: string): string {
  const first = (known: [RegExp, string][]): string | undefined => known.find(([pattern]) => pattern.test(agent))?.[1];
  return [first(BROWSERS), first(SYSTEMS)].filter((each) => each !== undefined).join(" · ") || agent.slice(0, 40) || "–";
}
