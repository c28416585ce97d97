// SPDX-License-Identifier: Apache-2.0
// What the hotline tells everybody: the shapes of its public routes.
import type { Text } from "@/api/types";

export interface Category { id: string; name: Text; words: string[]; public: boolean }
export interface Given { number: string; link: string }
export type Satisfaction = "very_satisfied" | "satisfied" | "fairly_satisfied" | "dissatisfied" | "very_dissatisfied";
export const LEVELS: readonly Satisfaction[] = ["very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied", "very_dissatisfied"];

export interface Report {
  number: string; text: string; category: string; state: string; created_at: string; due_at: string | null;
  answered_at: string | null; answer: string; satisfaction: Satisfaction | ""; may: string[];
}
export interface Step { at: string; what: string; department: string; text: string }
export interface Photo { id: number; name: string; media_type: string; size: number; mine: boolean }
export interface Followed {
  report: Report; department: string; address: string; longitude: number | null; latitude: number | null; steps: Step[]; photos: Photo[];
}
export interface Story { followed: Followed; departments: Record<string, Text>; category: Text }

export interface PublicReport {
  number: string; category: string; state: string; created_at: string; answered_at: string | null; longitude: number | null; latitude: number | null;
}
export interface PublicReports { reports: PublicReport[]; next: string | null }
export interface Article { id: number; title: string; body: string; category: string; changed_at: string | null }
export type Place = readonly [number, number];
