// SPDX-License-Identifier: Apache-2.0
// What the server says: the shapes of the HTTP contract.
import type { Geometry } from "geojson";

export type Lang = "zh" | "en";
export type Text = Partial<Record<Lang, string>>;
export type Facts = Record<string, unknown>;
export type LonLat = [number, number];
export type Severity = "I" | "II" | "III" | "IV";
export type Arm = "brain" | "fixed";

export interface Me {
  name: string | null;
  account?: string | null;
  kind?: "staff" | "citizen" | "service" | "anonymous";
  permissions: string[];
  roles?: string[];
  departments?: { department: string; role: string; below: boolean; post: string | null; delegated_by: string | null }[];
  on_behalf_of?: string | null;
  second_factor?: boolean;
  session?: number | null;
}

/** Where else one may sign in. */
export interface Provider { name: string; shown_name: Text; kind: "staff" | "citizen" }

export interface City {
  name: Text;
  scenario: string;
  timezone: string;
  bounds: [number, number, number, number] | null;
  attribution: string;
  version: string;
  me: Me;
  arms: Arm[];
}

export interface Road { id: string; name: Text; line: LonLat[]; lanes: number; free_kmh: number; length_m: number }
export interface Junction { id: string; polygon: LonLat[] }
export interface Head { line: [LonLat, LonLat]; links: number[]; lane: string }
export interface Signal { id: string; name: Text; point: LonLat; heads: Head[] }
export interface Network { roads: Road[]; junctions: Junction[]; signals: Signal[] }

export interface Feed { name: string; observed_at: string | null; received_at: string | null; promise_s: number }
export interface Run { number: number; seed: number; begins_at: string; ends_at: string }
export interface Trouble { code?: string; [fact: string]: unknown }

export interface Because {
  code: string;
  facts: Facts;
  batch_id?: string | null;
  event_id?: string | null;
  entity_ids?: string[];
}

export interface EventView {
  id: string;
  kind: string;
  severity: Severity;
  at: string;
  ended_at: string | null;
  entity_id: string;
  geometry: Geometry | null;
  because: Because;
  evidence: Facts;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  note: string | null;
}

export interface ArmValue { value: number; at: string }
export interface IndicatorView {
  name: string;
  unit: string;
  owner: string;
  source: string;
  lower_is_better: boolean;
  arms: Partial<Record<Arm, ArmValue | null>>;
  ratio: number | null;
}

/** The moving part of the city, as the stream sends it. */
export interface Pulse {
  mode: "live" | "replay";
  /** Null until the city's first step. */
  at: string | null;
  received_at: string | null;
  /** The server's clock when it said this. */
  sent_at?: string;
  condition: "starting" | "running" | "recovering" | "replay" | string;
  trouble: Trouble;
  run: Run | null;
  speed: number | null;
  road_speeds: (number | null)[];
  road_levels: number[];
  signals: string[];
  vehicles: number | null;
  feeds: Feed[];
  /** Those whom orders sent; a city without a fleet that reports itself tells of none. */
  crews?: Crew[];
}
/** A vehicle that an order sent, and how far its crew is by its own word. */
export interface Crew { vehicle: string; kind: string; mission: string; order: string; destination: string; state: string; road: string; lon: number | null; lat: number | null; kmh: number }

export interface CityState extends Pulse { events: EventView[]; indicators: IndicatorView[] }
export interface Extent { from: string | null; to: string | null }
export type Point = [string, number | null];
export interface IndicatorSeries { unit: string; arms: Partial<Record<Arm, Point[]>> }
export interface Rows { columns: string[]; rows: unknown[][] }
export interface History { unit: string; points: Point[] }

export interface Now {
  attribute: string;
  unit: string;
  value: unknown;
  /** Null for a value that history kept for an earlier moment without saying when. */
  observed_at: string | null;
  received_at: string | null;
  batch_id: string | null;
}

/** The judge's final figures of one arm of a finished day. */
export type Final = Record<string, number>;
export interface Day { number: number; begins_at: string; ends_at: string; finished_at: string | null; summary: Partial<Record<Arm, Final>> | null }

export interface Outcome { state: "executed" | "refused" | "failed"; code: string; facts: Facts; at: string }
export interface OrderView {
  id: string;
  means: string;
  entity_id: string;
  at: string;
  parameters: Facts;
  by: string;
  because: Because;
  outcome: Outcome | null;
}

export interface Entity {
  id: string;
  type: string;
  name: Text;
  geometry: Geometry | null;
  attributes: Facts;
  source: string;
  observed_at: string;
}
export interface Part { id: string; type: string; name: Text; now: Now[] }
export interface EntityDetail { entity: Entity; now: Now[]; orders: OrderView[]; events: EventView[]; parts: Part[] }

export interface Observation { entity_id: string; attribute: string; value: unknown }
export interface BatchView { id: string; source: string; observed_at: string; received_at: string; observations: Observation[] }
