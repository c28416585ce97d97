// SPDX-License-Identifier: Apache-2.0
// What may be done with an incident, to which levels, by how many; what stands on its board; what is late. Pure.
import type { LonLat } from "@/api/types";
import type { Deed, Fact, Head, Incident, Level, Plan } from "@/apps/emergency/types";
import { SEVERITIES } from "@/kit/severity";

const TWO_PERSONS: readonly Level[] = ["I", "II"];
/** Declared worse than this, an incident begins here until a second person agrees. */
export const ALONE: Level = "III";
const at = (level: Level): number => SEVERITIES.indexOf(level);
export const isWorse = (one: Level, than: Level): boolean => at(one) < at(than);
export const beginsAt = (level: Level): Level => (isWorse(level, ALONE) ? ALONE : level);
export const levelsOf = (plan: Plan | undefined): Level[] => SEVERITIES.filter((level) => plan?.responses[level] !== undefined);

/** To which levels an act may lead. */
export function levelsFor(act: Deed, now: Level, plan: Plan): Level[] {
  if (act === "raise") return levelsOf(plan).filter((level) => isWorse(level, now)).reverse();
  return act === "lower" ? levelsOf(plan).filter((level) => isWorse(now, level)) : [];
}
/** Whether an act waits for a second person: to a level of two persons, from one, or out of one. */
export function needsTwo(act: Deed, now: Level, to: Level | null): boolean {
  if (act === "raise") return to !== null && TWO_PERSONS.includes(to);
  return ["lower", "stand_down"].includes(act) && TWO_PERSONS.includes(now);
}
/** The acts that this person may do now: nobody confirms their own proposal, and only its own person withdraws it. */
export function actsOf(incident: Pick<Incident, "may" | "incident">, account: string | null): Deed[] {
  const proposal = incident.incident.proposal;
  if (proposal === null) return incident.may.filter((act) => act !== "confirm" && act !== "withdraw");
  const isOwn = proposal.by === account;
  return incident.may.filter((act) => (act === "confirm" ? !isOwn : act === "withdraw" ? isOwn : true));
}

/** What holds now of each subject, the newest first; what it replaced stands behind it, the newest first. */
export interface Known { fact: Fact; before: Fact[] }
export function board(facts: readonly Fact[]): Known[] {
  const subjects = new Map<string, Fact[]>();
  for (const fact of facts) subjects.set(fact.subject, [...(subjects.get(fact.subject) ?? []), fact]);
  return [...subjects.values()].flatMap((all): Known[] => {
    const fact = all.find((one) => one.replaced_by === null) ?? all.at(-1);
    return fact === undefined ? [] : [{ fact, before: all.filter((one) => one !== fact).sort((a, b) => b.number - a.number) }];
  }).sort((a, b) => Date.parse(b.fact.at) - Date.parse(a.fact.at));
}

/** Roles that the level in force asks for, and those of the milder ones. */
export const rolesAsked = (plan: Plan, level: Level): string[] => [...new Set(levelsOf(plan).filter((one) => !isWorse(one, level)).flatMap((one) => plan.responses[one]?.roles ?? []))];
/** The plan that answers a kind of event, if there is one. */
export const planFor = (plans: readonly Plan[], kind: string): Plan | undefined => plans.find((plan) => plan.kinds.some((one) => one === kind || (one.endsWith("*") && kind.startsWith(one.slice(0, -1)))));

/** Somewhere on a geometry. */
export function pointOf(geometry: Head["geometry"]): LonLat | null {
  if (geometry === null || geometry.type === "GeometryCollection") return null;
  let found: unknown = geometry.coordinates;
  while (Array.isArray(found) && Array.isArray(found[0])) found = found[Math.floor(found.length / 2)];
  return Array.isArray(found) && typeof found[0] === "number" && typeof found[1] === "number" ? [found[0], found[1]] : null;
}
/** `120.1, 30.2` as a person writes it; null for what is none. */
export function pointFrom(written: string): LonLat | null {
  const [x, y, ...rest] = written.split(/[,，\s]+/u).filter((one) => one !== "").map(Number);
  return x !== undefined && y !== undefined && rest.length === 0 && Math.abs(x) <= 180 && Math.abs(y) <= 90 ? [x, y] : null;
}
export const minutesUntil = (at: string, nowMs: number): number => Math.round((Date.parse(at) - nowMs) / 60_000);
