// SPDX-License-Identifier: Apache-2.0
// The four severities with their marks; the same on badge, map and time bar.
import type { Severity } from "@/api/types";

export const SEVERITIES: readonly Severity[] = ["I", "II", "III", "IV"];
export const SHAPE_OF: Record<Severity, string> = { I: "▲", II: "◆", III: "■", IV: "●" };
export const COLOUR_OF: Record<Severity, string> = { I: "#ff4d4f", II: "#ff9f1c", III: "#ffe66d", IV: "#4ea8ff" };
