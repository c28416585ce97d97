// SPDX-License-Identifier: Apache-2.0
// A response plan while it is written: levels, roles and tasks come and go, and what is wrong is known before it is sent. Pure.
import type { Text } from "@/api/types";
import { ID } from "@/apps/operations/playbooks/editing";
import type { Level, Plan, PlanTask, Response } from "@/apps/emergency/types";
import { copied, same, without } from "@/kit/lists";
import { SEVERITIES } from "@/kit/severity";

export interface Wrong { field: string; key: "response_plan.wrong.id" | "response_plan.wrong.name" | "response_plan.wrong.levels" | "response_plan.wrong.role_id" | "response_plan.wrong.role_twice" | "response_plan.wrong.title" | "response_plan.wrong.department" | "response_plan.wrong.minutes" }

export const blank = (): Plan => ({ id: "", version: 0, name: { zh: "", en: "" }, kinds: [], basis: "", roles: [{ id: "commander", name: { zh: "总指挥", en: "Commander" } }], responses: {}, valid_from: null });
export const blankResponse = (): Response => ({ condition: { zh: "", en: "" }, roles: [], tasks: [], report_minutes: 60 });
export const blankTask = (number: number): PlanTask => ({ number, title: { zh: "", en: "" }, details: { zh: "", en: "" }, department: "", minutes: 60, priority: 2 });

const wholeResponse = (of: Response): Response => ({ ...blankResponse(), ...of, condition: { ...of.condition }, tasks: (of.tasks ?? []).map((task) => ({ ...blankTask(task.number), ...task, details: { ...task.details } })) });
/** A plan with all that a form needs to be there, and a copy of its own. */
export function whole(given: Plan): Plan {
  const of = copied(given);
  return { ...blank(), ...of, responses: Object.fromEntries(Object.entries(of.responses).map(([level, response]) => [level, wholeResponse(response)])) };
}
const filled = (of: Text | undefined): Text => Object.fromEntries(Object.entries(of ?? {}).filter(([, words]) => words.trim() !== "")) as Text;
const settledTask = (task: PlanTask): PlanTask => ({ ...task, title: filled(task.title), details: filled(task.details) });
/** As it is sent: without what was left empty, the worst level first. */
export function settled(plan: Plan): Plan {
  const levels = SEVERITIES.flatMap((level): [Level, Response][] => { const of = plan.responses[level]; return of === undefined ? [] : [[level, { ...of, condition: filled(of.condition), tasks: (of.tasks ?? []).map(settledTask) }]]; });
  return { ...plan, name: filled(plan.name), basis: plan.basis.trim(), roles: plan.roles.map((role) => ({ id: role.id, name: filled(role.name) })), responses: Object.fromEntries(levels) };
}
export const isSame = (a: Plan, b: Plan): boolean => same({ ...settled(whole(a)), version: 0 }, { ...settled(whole(b)), version: 0 });

/** A new task has a number that no other has; whatever its place, it stays its own, for what was given by it is known by it. */
export const addTask = (tasks: readonly PlanTask[]): PlanTask[] => [...tasks, blankTask(Math.max(0, ...tasks.map((task) => task.number)) + 1)];
/** A role that is gone is wanted by no level; another one that was given the same id stays. */
export function withoutRole(plan: Plan, at: number): Plan {
  const roles = without(plan.roles, at);
  const isThere = (id: string): boolean => roles.some((role) => role.id === id);
  const responses = Object.fromEntries(Object.entries(plan.responses).map(([level, of]) => [level, { ...of, roles: (of.roles ?? []).filter(isThere) }]));
  return { ...plan, roles, responses };
}

const isWhole = (value: unknown, most: number): boolean => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most;
const missing = (of: Text | undefined): boolean => Object.keys(filled(of)).length === 0;
const WEEK = 10_080;
const ifSo = (isWrong: boolean, field: string, key: Wrong["key"]): Wrong[] => (isWrong ? [{ field, key }] : []);
function wrongTask(level: string, task: PlanTask): Wrong[] {
  const at = `${level}.${task.number}`;
  return [
    ...ifSo(missing(task.title), `${at}.title`, "response_plan.wrong.title"), ...ifSo(task.department.trim() === "", `${at}.department`, "response_plan.wrong.department"),
    ...ifSo(!isWhole(task.minutes, WEEK), `${at}.minutes`, "response_plan.wrong.minutes"),
  ];
}
const wrongRole = (ids: readonly string[], id: string, i: number): Wrong[] => (ID.test(id) ? ifSo(ids.indexOf(id) < i, `role.${i}`, "response_plan.wrong.role_twice") : ifSo(true, `role.${i}`, "response_plan.wrong.role_id"));
/** What is wrong with a plan, by field; `II.3.title` is the title of task 3 of level II. */
export function check(plan: Plan): Wrong[] {
  const ids = plan.roles.map((role) => role.id);
  const name = filled(plan.name);
  return [
    ...ifSo(!ID.test(plan.id), "id", "response_plan.wrong.id"), ...ifSo(name.zh === undefined || name.en === undefined, "name", "response_plan.wrong.name"), ...ids.flatMap((id, i) => wrongRole(ids, id, i)),
    ...ifSo(Object.keys(plan.responses).length === 0, "levels", "response_plan.wrong.levels"),
    ...Object.entries(plan.responses).flatMap(([level, of]) => [...ifSo(!isWhole(of.report_minutes, WEEK), `${level}.report`, "response_plan.wrong.minutes"), ...(of.tasks ?? []).flatMap((task) => wrongTask(level, task))]),
  ];
}
