// SPDX-License-Identifier: Apache-2.0
// What a comparison of brain and plan is worth: how sure, and whether it is enough to promote. Pure.
import type { Gain } from "@/apps/traffic/types";

/** A day of quarters of an hour holds both peaks; a model further off than a fifth is not to be trusted. */
export const DAY_WINDOWS = 96;
export const ERROR_MOST = 0.2;
export type Worth = "none" | "few" | "unsure" | "model_off" | "loses" | "short" | "gains";

type Rule = readonly [Worth, (gain: Gain) => boolean];
/** The first that holds is said. */
const RULES: readonly Rule[] = [
  ["none", (gain) => gain.windows === 0 || gain.gain === null],
  ["few", (gain) => gain.low === null || gain.high === null],
  ["loses", (gain) => (gain.high ?? 0) < 0],
  ["unsure", (gain) => (gain.low ?? 0) <= 0],
  ["model_off", (gain) => Math.abs(gain.model_error ?? 1) > ERROR_MOST],
  ["short", (gain) => gain.windows < DAY_WINDOWS],
];
export const worthOf = (gain: Gain): Worth => RULES.find(([, holds]) => holds(gain))?.[0] ?? "gains";

/** Seconds that brain or plan would save over what was compared. */
export const savedSeconds = (gain: Gain): number => ((gain.plan_s_per_vehicle ?? 0) - (gain.brain_s_per_vehicle ?? 0)) * gain.came;
