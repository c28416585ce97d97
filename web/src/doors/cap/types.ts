// SPDX-License-Identifier: Apache-2.0
// What the CAP door tells officers: warnings in lines and in full, what waits aside, and whom the city believes.
import type { Geometry } from "geojson";
import type { Facts, Severity, Text } from "@/api/types";

/** What a line says of a message, wherever it is. `begins_at`: onset, else effective, else sent. */
export interface Words {
  level: Severity; event: Text; headline: Text; sender_name: Text; areas: Partial<Record<"zh" | "en", string[]>>; begins_at: string;
  severity: string | null; urgency: string | null; certainty: string | null;
}
export interface Named { sender: string; identifier: string; sent: string; status: string; type: string }
/** A message that was taken in. `closed_because` is the type of what closed it, or `expired`. */
export interface Line extends Named, Words {
  scope: string; is_ours: boolean; received_at: string; expires_at: string; closed_at: string | null; closed_because: string;
  event_id: string; signature: string; signed_by: string; posted_by: string;
}
export type AsideState = "waiting" | "released" | "discarded";
/** A message that was not believed; `code` is the sentence that says why. */
export interface Aside extends Named, Words {
  number: number; verdict: string; code: string; posted_by: string; received_at: string; times: number;
  state: AsideState; decided_by: string; decided_at: string | null; note: string;
}
/** A `valueName` and its `value`. */
export interface Code { name: string; value: string }
export interface Area {
  description: string; polygons: [number, number][][]; circles: { centre: [number, number]; radius_km: number }[]; geocodes: Code[];
  altitude: string | null; ceiling: string | null;
}
export interface Resource { description: string; mime_type: string; size: number | null; uri: string; deref_uri: string; digest: string }
export interface Info {
  event: string; urgency: string; severity: string; certainty: string; categories: string[]; language: string; responses: string[]; audience: string;
  event_codes: Code[]; effective: string | null; onset: string | null; expires: string | null; sender_name: string; headline: string; description: string;
  instruction: string; web: string; contact: string; parameters: Code[]; resources: Resource[]; areas: Area[];
}
export interface Reference { sender: string; identifier: string; sent: string | null }
export interface Alert {
  identifier: string; sender: string; sent: string; status: string; msg_type: string; scope: string; source: string; restriction: string;
  addresses: string[]; codes: string[]; note: string; references: Reference[]; incidents: string[]; infos: Info[];
}
export interface Remark { code: string; path: string; facts: Facts }
/** A message in full; `chain` are the messages here before and after it. */
export interface View<About> { about: About; alert: Alert; remarks: Remark[]; geometry: Geometry | null; chain: Line[] }

export type Standing = "good" | "early" | "over";
export interface Certificate { name: string; issuer: string; fingerprint: string; begins_at: string; ends_at: string; standing: Standing }
export interface RevocationList { made_at: string; ends_at: string | null; revoked: number; is_current: boolean }
export interface Authority extends Certificate { is_root: boolean; list: RevocationList | null }
export type Asked = "required" | "checked" | "ignored";
export interface Source { sender: string; signatures: Asked; names: string[]; certificates: Certificate[]; authorities: Authority[]; revocations: boolean }
export interface Trusted { is_checked: boolean; others: Asked; sources: Source[]; signing: Certificate | null }
