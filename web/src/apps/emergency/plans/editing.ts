// SPDX-License-Identifier: Apache-2.0
// A response plan while it is written: levels, roles and tasks come and go, and what is wrong is known before it is sent. Pure.
import type { Text } from "@/api/types";
import type { Level, Plan, PlanTask, Response } from "@/apps/emergency/types";
import { SEVERITIES } from "@/kit/severity";

const ID = /^[a-z0-9][a-z0-9_.-]{0,79}$/;
export interface Wrong { field: string; key: "response_plan.wrong.id" | "response_plan.wrong.name" | "response_plan.wrong.levels" | "response_plan.wrong.role_id" | "response_plan.wrong.role_twice" | "response_plan.wrong.title" | "response_plan.wrong.department" | "response_plan.wrong.minutes" | "response_plan.wrong.report" }

export const blank = (): Plan => ({ id: "", version: 0, name: { zh: "", en: "" }, kinds: [], basis: "", roles: [{ id: "commander", name: { zh: "总指挥", en: "Commander" } }], responses: {}, valid_from: null });
export const blankResponse = (): Response => ({ condition: { zh: "", en: "" }, roles: [], tasks: [], report_minutes: 60 });
export const blankTask = (number: number): PlanTask => ({ number, title: { zh: "", en: "" }, details: { zh: "", en: "" }, department: "", minutes: 60, priority: 2 });

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const wholeResponse = (of: Response): Response => ({ ...blankResponse(), ...of, condition: { ...of.condition }, tasks: (of.tasks ?? []).map((task) => ({ ...blankTask(task.number), ...task, details: { ...task.details } })) });
/** A plan with all that a form needs to be there, and a copy of its own. */
export function whole(given: Plan): Plan {
  const of = plain(given);
  return { ...blank(), ...of, responses: Object.fromEntries(Object.entries(of.responses).map(([level, response]) => [level, wholeResponse(response)])) };
}
const filled = (of: Text | undefined): Text => Object.fromEntries(Object.entries(of ?? {}).filter(([, words]) => words.trim() !== "")) as Text;
const settledTask = (task: PlanTask): PlanTask => ({ ...task, title: filled(task.title), details: filled(task.details) });
/** As it is sent: without what was left empty, tasks counted from one in each level, the worst level first. */
export function settled(plan: Plan): Plan {
  const levels = SEVERITIES.flatMap((level): [Level, Response][] => { const of = plan.responses[level]; return of === undefined ? [] : [[level, { ...of, condition: filled(of.condition), tasks: (of.tasks ?? []).map(settledTask) }]]; });
  return { ...plan, name: filled(plan.name), basis: plan.basis.trim(), roles: plan.roles.map((role) => ({ id: role.id, name: filled(role.name) })), responses: Object.fromEntries(levels) };
}
const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.map(sorted) : typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)).map(([name, one]) => [name, sorted(one)])) : value);
export const isSame = (a: Plan, b: Plan): boolean => JSON.stringify(sorted({ ...settled(whole(a)), version: 0 })) === JSON.stringify(sorted({ ...settled(whole(b)), version: 0 }));

const freeNumber = (tasks: readonly PlanTask[]): number => Math.max(0, ...tasks.map((task) => task.number)) + 1;
export const addTask = (tasks: readonly PlanTask[]): PlanTask[] => [...tasks, blankTask(freeNumber(tasks))];
/** Tasks change places; their numbers stay theirs, since what was given by a line is known by it. */
export function moved(tasks: readonly PlanTask[], at: number, by: -1 | 1): PlanTask[] {
  const [one, other] = [tasks[at], tasks[at + by]];
  if (one === undefined || other === undefined) return [...tasks];
  return tasks.map((task, i) => (i === at ? other : i === at + by ? one : task));
}
/** A role that is gone is wanted by no level. */
export function withoutRole(plan: Plan, id: string): Plan {
  const responses = Object.fromEntries(Object.entries(plan.responses).map(([level, of]) => [level, { ...of, roles: (of.roles ?? []).filter((role) => role !== id) }]));
  return { ...plan, roles: plan.roles.filter((role) => role.id !== id), responses };
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
    ...Object.entries(plan.responses).flatMap(([level, of]) => [...ifSo(!isWhole(of.report_minutes, WEEK), `${level}.report`, "response_plan.wrong.report"), ...(of.tasks ?? []).flatMap((task) => wrongTask(level, task))]),
  ];
}
