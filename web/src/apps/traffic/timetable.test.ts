// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { clockOf, daysOfWeek, faultsAt, faultsOfAll, faultsOfRow, toggledDay, usualTable } from "@/apps/traffic/timetable";
import type { PlanFault, PlansView } from "@/apps/traffic/types";

const stage = (number: number, least: number): PlansView["stages"][number] => ({ number, lamps: "", movement: { zh: "", en: "" }, min_green_s: least });
const VIEW: PlansView = {
  signal_id: "s1", name: { zh: "", en: "" }, mode: "brain", stages: [stage(0, 5), stage(1, 8)], yellow_s: 3, all_red_s: 1, timetables: [],
  shipped: { signal_id: "s1", offset_s: 12, phases: [{ stage: 1, green_s: 30 }, { stage: 0, green_s: 20 }] },
};
const fault = (place: Partial<PlanFault>): PlanFault => ({ code: "c", facts: {}, row: null, timing: null, phase: null, field: "", ...place });

it("begins a timetable with what the cabinet runs by itself, or with least greens", () => {
  const usual = usualTable(VIEW, "School", "Asia/Shanghai");
  expect(usual.rows[0]?.plan).toEqual({ name: "School", timings: [{ signal_id: "s1", offset_s: 0, phases: VIEW.shipped.phases }] });
  const bare = usualTable({ ...VIEW, shipped: { ...VIEW.shipped, phases: [] } }, "x", "UTC");
  expect(bare.rows[0]?.plan.timings[0]?.phases).toEqual([{ stage: 0, green_s: 5 }, { stage: 1, green_s: 8 }]);
  usual.rows[0]?.plan.timings[0]?.phases.pop();
  expect(VIEW.shipped.phases).toHaveLength(2);
});

it("finds the faults of a field, of a plan and of all, each only once", () => {
  const wrong = [fault({ row: 1, timing: 0, phase: 2, field: "green_s" }), fault({ row: 1, field: "cycle" }), fault({ field: "timezone" })];
  expect(faultsAt(wrong, { row: 1, timing: 0, phase: 2, field: "green_s" })).toHaveLength(1);
  expect(faultsAt(wrong, { row: 0, timing: 0, phase: 2, field: "green_s" })).toHaveLength(0);
  expect(faultsOfRow(wrong, 1).map((one) => one.field)).toEqual(["cycle"]);
  expect(faultsOfAll(wrong).map((one) => one.field)).toEqual(["timezone"]);
});

it("toggles days of the week and puts the week in order of days", () => {
  expect(toggledDay({ days: [1, 5], begins: "", until: "" }, 3).days).toEqual([1, 3, 5]);
  expect(toggledDay({ days: [1, 5], begins: "", until: "" }, 5).days).toEqual([1]);
  expect(clockOf(16 * 60 + 5)).toBe("16:05");
  const span = { from_min: 0, to_min: 1440, row: null };
  expect(daysOfWeek([{ day: "2026-11-26", ...span }, { day: "2026-11-27", ...span }]).map((one) => one.day)).toEqual(["2026-11-26", "2026-11-27"]);
});
