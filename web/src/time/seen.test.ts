// SPDX-License-Identifier: Apache-2.0
// In replay an event is shown as it stood then; live, the clock is the city's.
import { expect, it } from "vitest";
import { live, serverAhead } from "@/api/live";
import type { CityState, EventView } from "@/api/types";
import { asOf, beat, shownAtMs } from "@/time/seen";

const event: EventView = {
  id: "1", kind: "traffic.congestion", severity: "II", at: "2026-11-23T15:00:00Z", ended_at: "2026-11-23T15:20:00Z", entity_id: "e", geometry: null,
  because: { code: "c", facts: {} }, evidence: {}, acknowledged_by: "lin", acknowledged_at: "2026-11-23T15:10:00Z", note: "seen",
};
const at = (minute: number): EventView => asOf(event, Date.UTC(2026, 10, 23, 15, minute));

it("is not yet acknowledged and not yet over before it was", () => {
  expect(at(5)).toMatchObject({ ended_at: null, acknowledged_by: null, note: null });
  expect(at(12)).toMatchObject({ ended_at: null, acknowledged_by: "lin", note: "seen" });
  expect(at(21)).toMatchObject({ ended_at: event.ended_at });
});

it("goes on where nothing is simulated, however long ago something was heard", () => {
  live.value = { at: "2026-11-23T15:00:00Z", run: null, speed: 1 } as CityState;
  expect(shownAtMs.value).toBe(beat.value + serverAhead.value);
});

it("waits for a simulated city that has not been heard of", () => {
  live.value = { at: "2026-11-23T15:00:00Z", run: { number: 1 }, speed: 1 } as CityState;
  expect((shownAtMs.value ?? 0) - Date.UTC(2026, 10, 23, 15)).toBeLessThanOrEqual(1500);
});
