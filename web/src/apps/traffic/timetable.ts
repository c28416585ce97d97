// SPDX-License-Identifier: Apache-2.0
// Timetables of timing plans as one edits them: values in, new values out. Pure.
import type { PlanFault, PlanRow, PlansView, PlanTable, Timing, WeekSpan, When } from "@/apps/traffic/types";

/** Where something in a timetable is; what is not said is meant as a whole. */
export interface Place { row?: number; timing?: number; phase?: number; field: string }
export type DaysWord = "any" | "workdays" | "restdays" | "some";
export const WEEK = [1, 2, 3, 4, 5, 6, 7] as const;
const WORKING_WEEK = 5;
/** No cycle of a plan is longer, so no green and no offset is either. */
export const LONGEST_S = 180;

/** What the cabinet runs by itself, or each phase for its least green where that is no plan of phases. */
export function usualTiming(view: PlansView): Timing {
  const phases = view.shipped.phases.length > 1 ? view.shipped.phases : view.stages.map((stage) => ({ stage: stage.number, green_s: stage.min_green_s }));
  return { signal_id: view.signal_id, offset_s: 0, phases: phases.map((phase) => ({ ...phase })) };
}
export const usualWhen = (): When => ({ days: "workdays", begins: "07:00:00", until: "09:00:00" });
export const usualRow = (view: PlansView, name: string): PlanRow => ({ plan: { name, timings: [usualTiming(view)] }, when: [usualWhen()] });
export const usualTable = (view: PlansView, name: string, timezone: string): PlanTable => ({ rows: [usualRow(view, name)], timezone });

/** The faults at one place: a part that is not said must not be in the fault either. */
export const faultsAt = (wrong: readonly PlanFault[], place: Place): PlanFault[] => wrong.filter((fault) => fault.field === place.field && (["row", "timing", "phase"] as const).every((name) => (fault[name] ?? undefined) === place[name]));
/** Those that no field of the editor shows. */
export const faultsOfRow = (wrong: readonly PlanFault[], row: number): PlanFault[] => wrong.filter((fault) => fault.row === row && fault.phase === null && fault.field !== "offset_s");
export const faultsOfAll = (wrong: readonly PlanFault[]): PlanFault[] => wrong.filter((fault) => fault.row === null);

export const daysWord = (when: When): DaysWord => (Array.isArray(when.days) ? "some" : when.days);
export const daysOf = (word: DaysWord): When["days"] => (word === "some" ? WEEK.slice(0, WORKING_WEEK) : word);
export function toggledDay(when: When, day: number): When {
  const days = Array.isArray(when.days) ? when.days : [];
  return { ...when, days: days.includes(day) ? days.filter((one) => one !== day) : [...days, day].sort() };
}

/** A time as the server has it, from what a field has. */
export const timeOf = (typed: string): string => (typed.length === 5 ? `${typed}:00` : typed);
export const typedOf = (time: string): string => time.slice(0, 5);
export const clockOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** The week ahead by day. */
export function daysOfWeek(week: readonly WeekSpan[]): { day: string; spans: WeekSpan[] }[] {
  return [...new Set(week.map((span) => span.day))].map((day) => ({ day, spans: week.filter((span) => span.day === day) }));
}
