// SPDX-License-Identifier: Apache-2.0
// Alarms as they stood at a time: what happened later is not yet known. Pure.
import type { EventView } from "@/api/types";
import type { Alarm, Handling } from "@/alarms/types";

const NOTHING_DONE: Handling = {
  state: "new", acknowledged_by: null, acknowledged_at: null, taken_by: null, taken_at: null, shelved_by: null, shelved_until: null, cleared_by: null, cleared_at: null, comments: 0, version: 0,
};

/** An event that the replayed state tells of, as an alarm. */
export function alarmOf(event: EventView): Alarm {
  const { acknowledged_by, acknowledged_at, ...happened } = event;
  const handling: Handling = { ...NOTHING_DONE, acknowledged_by, acknowledged_at, state: acknowledged_at === null ? "new" : "acknowledged" };
  return { ...happened, group: null, group_size: 1, place: null, handling };
}

/** Its end is not yet known, nor is what officers did: that bears their own time, not the city's. */
export function asOf(alarm: Alarm, atMs: number): Alarm {
  const isOver = alarm.ended_at !== null && Date.parse(alarm.ended_at) <= atMs;
  return isOver ? alarm : { ...alarm, ended_at: null };
}
