// SPDX-License-Identifier: Apache-2.0
// What the operation centre says over HTTP: figures of handling, playbooks at work, what would happen, and the report of a shift.
import type { Facts } from "@/api/types";

export interface Figure { name: string; value: number | null; unit: string; target: number | null; lower_is_better?: boolean; formula?: string; parts: Facts; rows_url: string }
