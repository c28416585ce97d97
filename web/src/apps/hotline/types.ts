// SPDX-License-Identifier: Apache-2.0
// The hotline as the server tells it.
import type { Facts, Text } from "@/api/types";

export const URGENCIES = ["emergency", "utilities", "general", "complex"] as const;
export type Urgency = (typeof URGENCIES)[number];
export const CHANNELS = ["phone", "web", "app", "email", "import", "open311"] as const;
export type Channel = (typeof CHANNELS)[number];
export const SATISFACTIONS = ["very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied", "very_dissatisfied"] as const;
export type Satisfaction = (typeof SATISFACTIONS)[number];
export const RESOLUTIONS = ["resolved", "explained", "unfounded"] as const;
export const RATES = ["response", "resolution", "satisfaction", "first_receiver"] as const;
export type Rate = (typeof RATES)[number];
export const COUNTS = ["tickets", "open", "late", "due_soon", "sent_back", "reopened", "supervised"] as const;
export type Count = (typeof COUNTS)[number];

export interface Ticket {
  case_id: number; number: string; category: string; department: string; first_department: string | null; channel: Channel; urgency: Urgency; state: string;
  phase: "open" | "suspended" | "closed"; text: string; answer: string; longitude: number | null; latitude: number | null; address: string;
  created_at: string; changed_at: string; accepted_at: string | null; answered_at: string | null; due_at: string | null; closed_at: string | null;
  transfers: number; sent_back: number; reopened: number; supervised: boolean; resolution: string; resolved: boolean | null; satisfaction: Satisfaction | ""; public: boolean;
}
export interface Caller { name: string; phone: string; email: string }
export interface Reason { code: string; facts: Facts }

export interface Ringing { id: number; phone: string; rang_at: string; answered_after_s: number | null; ended_at: string | null; agent: string }
export interface Known { call: Ringing; name: string; tickets: Ticket[] }
export interface CallFigures { calls: number; answered: number; in_time: number; answer_within_s: number; connected: number | null; connect_share: number; in_time_share: number | null }

export interface Likely { category: string; chance: number; how: "words" | "learned" }
export interface Routed { department: string; because: Reason; rule: number | null }
export interface Place { id: string; name: string; longitude: number; latitude: number; type: string }
export interface FoundPlace { place: Place; score: number; how: string; words: string }
export interface Near { case_id: number; number: string; category: string; text: string; answer: string; state: string; created_at: string; alike: number; distance_m: number | null }
export interface Suggestion { categories: Likely[]; sure: boolean; routed: Routed; urgency: Urgency; places: FoundPlace[]; duplicates: Near[]; answered: Near[] }

export interface Intake {
  text: string; channel: Channel; caller: Caller; category: string; department: string; urgency: Urgency | null; longitude: number | null; latitude: number | null;
  address: string; key: string; call_id: number | null; keep_number: boolean; hand_on: boolean; public: boolean;
}
export interface Receipt { case_id: number; number: string; secret: string; department: string; because: Reason }

export const DATATYPES = ["string", "text", "number", "datetime", "singlevaluelist", "multivaluelist"] as const;
/** What a category needs to know besides the words; as a rule it holds for those below too. */
export interface Question { code: string; words: Text; datatype: (typeof DATATYPES)[number]; required: boolean; hint: Text; options: { key: string; name: Text }[] }
export interface Category { id: string; name: Text; department: string; urgency: Urgency | null; words: string[]; public: boolean; questions?: Question[] }
export interface Categories { version: number; categories: Category[] }
export const DAYS = ["all", "workdays", "weekends"] as const;
export interface Rule {
  number: number; department: string; category: string; area: [number, number][]; area_name: string; channels: string[]; urgencies: string[]; words: string[];
  from_: string | null; until: string | null; days: (typeof DAYS)[number]; active: boolean;
}
export interface Rules { version: number; rules: Rule[] }
export interface Moved { case_id: number; number: string; category: string; before: Routed; after: Routed }
export interface Diff { looked: number; moved: Moved[]; flows: [string, string, number][] }

export interface ClassFigures { category: string; examples: number; precision: number; recall: number; f1: number }
export interface Card {
  trained_at: string; source: string; examples: number; seed: number; threshold: number; method: string; abstained: number;
  figures: { examples: number; folds: number; macro_f1: number; macro_f1_by_fold: number[]; accuracy: number; covered: number; accuracy_when_sure: number; calibration_error: number; classes: ClassFigures[] };
}
export interface Drift { guessed: number; shift: number; abstained: number; abstained_then: number }

export interface Article { id: number; title: string; body: string; kind: string; category: string; public: boolean; changed_by: string; changed_at: string | null; valid_until: string | null }
export interface Edition { at: string; by: string; title: string; body: string; public: boolean; valid_until: string | null }
export interface Supervision { id: number; case_id: number; at: string; by: string; demand: string; due_at: string; ended_at: string | null; number: string; text: string; department: string }

export interface Share { good: number; of: number; value: number | null }
export type Figures = Record<Count, number> & { department: string; shares: Partial<Record<Rate, Share>> };
export interface Spot { longitude: number; latitude: number; per_km2: number; case_ids: number[] }
export interface Density { west: number; south: number; east: number; north: number; columns: number; rows: number; per_km2: number[]; spots: Spot[] }
export interface Burst { category: string; longitude: number; latitude: number; count: number; expected: number; chance: number; case_ids: number[]; since: string }
export interface FollowUp { reached: boolean; resolved: boolean | null; satisfaction: Satisfaction | null; note: string }
export interface Full { ticket: Ticket | null; caller: Caller; moves: string[] }

/** From when until when figures are counted. */
export interface Span { since: string; until: string }
/** Which rows stand behind a number. */
export interface Behind { department?: string | undefined; only?: string | undefined; rate?: string | undefined; good?: string | undefined; ids?: string | undefined }
