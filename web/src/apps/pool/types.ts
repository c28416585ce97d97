// SPDX-License-Identifier: Apache-2.0
// What the pool's routes and those of the MQTT door say.
import type { Geometry } from "geojson";
import type { Facts, Text } from "@/api/types";

export type Policy = "off" | "warn" | "refuse";
export interface Tenant { name: string; entities: number }
export interface TypeRow { type: string; count: number; model: string | null; findings: number; policy: Policy; every_s: number | null; changed_by: string }
export interface Types { entities: number; types: TypeRow[] }
export interface Brief { name: string; value: unknown; unit_code: string }
export interface Row { id: string; type: string; name: Text; brief: Brief[]; observed_at: string; modified_at: string; has_place: boolean }
export interface Page { rows: Row[]; total: number; looked: number; there: number }

export interface Value {
  name: string;
  kind: string;
  value: unknown;
  dataset_id: string;
  unit_code: string;
  observed_at: string;
  created_at: string;
  modified_at: string;
  expires_at: string;
  source: string;
  attributes: Value[];
}

export interface Finding { entity_id: string; attribute: string; code: string; facts: Facts; since?: string }
export interface EntityView {
  id: string;
  types: string[];
  scopes: string[];
  name: Text;
  created_at: string;
  modified_at: string;
  expires_at: string;
  geometry: Geometry | null;
  values: Value[];
  every_s: number | null;
  findings: Finding[];
  json: Record<string, unknown>;
}

export interface Placed { id: string; name: Text; geometry: Geometry }
export interface OnMap { placed: Placed[]; shown: number; total: number }

export interface HistoryPoint { at: string; value: number | string | null }
export interface HistoryPeriod { at: string; count: number; low: number | null; mean: number | null; high: number | null }
export interface PastOf { points: HistoryPoint[]; periods: HistoryPeriod[]; every_s: number | null }

export type Health = "failing" | "late" | "dead" | "expired" | "paused" | "quiet" | "well";
export interface SubscriptionView {
  id: string;
  tenant: string;
  kind: "entities" | "sources";
  name: string;
  endpoint: string;
  status: string;
  waiting: number;
  lag_s: number;
  oldest_at: string | null;
  times_sent: number;
  times_failed: number;
  dead: number;
  last_notification: string | null;
  last_success: string | null;
  last_failure: string | null;
  why: { code: string; facts?: Facts } | null;
}
export interface Told { view: SubscriptionView; health: Health }
export interface Letter { number: number; at: string; about: string; tries: number; code: string; facts: Facts; died_at: string }

export interface Found { by_code: Record<string, number>; rows: Finding[] }
export interface Check { looked: number; there: number; misfits: number; entities: number; by_code: Record<string, number>; rows: Finding[] }

export interface Share { good: number; all: number }
export interface SourceQuality { type: string; source: string; entities: number; completeness: Share; timeliness: Share | null; range: Share; uniqueness: Share }
export interface QualityReport { type: string; at: string; total: number; looked_at: number; sources: SourceQuality[] }

export interface DeviceSource { source: string; taken: number; refused: number; too_many: number; last_at: string; waiting: number; quarantined: number }
export interface Quarantine { entity_id: string; source: string; code: string; event_id: string; since: string }
export interface DeviceLetter { id: number; source: string; topic: string; entity_id: string; payload: string; code: string; facts: Facts; at: string }
