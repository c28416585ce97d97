// SPDX-License-Identifier: Apache-2.0
// What the signal controller, missions, corridors and comparisons say over HTTP.
import type { Geometry } from "geojson";
import type { Facts, Text } from "@/api/types";

export type Mode = "shadow" | "brain" | "plan";
export type Sayer = "lock" | "mission" | "fallback" | "request" | "wave" | "brain" | "plan";
export interface Sentence { code: string; facts: Facts }
export interface Window { signals: string[]; begins_at: string; seconds: number; acting: string; came: number; plan_s: number; brain_s: number; measured_s: number }
export interface Gain {
  windows: number; came: number; plan_s_per_vehicle: number | null; brain_s_per_vehicle: number | null; measured_s_per_vehicle: number | null;
  model_error: number | null; gain: number | null; low: number | null; high: number | null;
}
export interface StageView { number: number; lamps: string; movement: Text; min_green_s: number }
export interface ClaimView { by: Sayer; rank: number; signal_id: string; stage: number | null; is_heard: boolean; because: Sentence }
export interface ApproachView { lane: string; detector_id: string; name: Text; turns: Text[]; green: boolean; vehicles: number; queue: number; waited_s: number; other_queue: number | null; is_believed: boolean }
export interface LoopWindow { begins_at: string; seconds: number; vehicles: number; occupancy: number | null; queue: number | null; queue_most: number }
export interface Held { order_id: string; means: string; signal_id: string; stage: number | null; by: string; approved_by: string; reason: string; until: string }
export interface JunctionView {
  id: string; signals: string[]; name: Text; at: string; mode: Mode; joint_mode: Mode; begins_in: Mode; stages: StageView[]; stage: number | null; lamps: string; stage_since_s: number | null;
  says: Sayer; because: Sentence | null; decision: Sentence | null; why_not: Sentence | null; held: Held | null;
  doubt: { steered: string; blind: string[]; because: Sentence } | null; claims: ClaimView[]; approaches: ApproachView[];
  loops?: { now: LoopWindow; windows: LoopWindow[]; is_estimate: boolean } | null;
  compared: { other: Sayer; other_lamps: string | null; now: Window | null; gain: Gain; windows: Window[] };
}
export interface ShadowRow { id: string; signals: string[]; name: Text; mode: Mode; says: Sayer; gain: Gain; now: Window | null }
export interface ShadowReport { at: string; since: string; total: Gain; junctions: ShadowRow[] }

export interface Ahead { signal: string; state: "passed" | "open" | "ahead" | "yields"; eta_s: number | null; queue: number | null }
export interface MissionFacts {
  id: string; vehicle: string; kind: "ambulance" | "fire" | "police"; urgency: number; state: "assigned" | "under_way" | "lost_contact" | "arrived" | "cancelled"; from_road: string; to_road: string; route: string[];
  position: { lon: number; lat: number; road: string; speed_kmh: number } | null; passed_s: number; eta_s: number | null; arrives_at: string | null; ordinary_s: number; saved_s: number | null;
  junctions: Ahead[]; acts: { at: string; code: string; facts: Facts }[];
}
export interface Mission extends MissionFacts { begun_at: string; ended_at: string | null; because: { code: string; facts: Facts }; geometry: Geometry | null }

export interface Green { begins_at: string; ends_at: string }
export interface Stop { signal_id: string; name: Text; distance_m: number; there: Green[]; back: Green[] }
export interface Stretch { signal_id: string; next_signal_id: string; length_m: number; limit_kmh: number; road_id: string; speeds: { at: string; kmh: number }[] }
export interface Corridor { since: string; until: string; stops: Stop[]; stretches: Stretch[] }

export interface Span { since: string; until: string }
export interface Difference { figure: string; unit: string; before: number | null; after: number | null; change_percent: number | null; low: number | null; high: number | null; windows_before: number; windows_after: number; lower_is_better: boolean }
export interface RoadRow { road_id: string; name: Text; length_m: number; limit_kmh: number; before_kmh: number | null; after_kmh: number | null; samples_before: number; samples_after: number }
export interface Comparison { before: Span; after: Span; figures: Difference[]; roads: RoadRow[] }

export interface Phase { stage: number; green_s: number }
export interface Timing { signal_id: string; offset_s: number; phases: Phase[] }
export interface When { days: "any" | "workdays" | "restdays" | number[]; begins: string; until: string }
export interface PlanRow { plan: { name: string; timings: Timing[] }; when: When[] }
export interface PlanTable { rows: PlanRow[]; timezone: string }
export interface PlanFault { code: string; facts: Facts; row: number | null; timing: number | null; phase: number | null; field: string }
export interface CyclePart { stage: number; is_green: boolean; from_s: number; to_s: number }
export interface CycleOf { row: number; signal_id: string; cycle_s: number; parts: CyclePart[] }
export interface WeekSpan { day: string; from_min: number; to_min: number; row: number | null }
export interface Drawn { wrong: PlanFault[]; bars: CycleOf[]; week: WeekSpan[]; running: number | null }
export interface StandingTable { order_id: string; entity_id: string; by: string; reason: string; given_at: string | null; expires_at: string | null; table: PlanTable; drawn: Drawn }
export interface PlansView { signal_id: string; name: Text; mode: Mode; stages: StageView[]; yellow_s: number; all_red_s: number; shipped: Timing; timetables: StandingTable[] }
export interface Proposal { plan: { name: string; timings: Timing[] }; delay_now_s: number | null; delay_s: number; flow_veh_per_h: number; order: { means: string; entity_id: string; parameters: Facts } }
