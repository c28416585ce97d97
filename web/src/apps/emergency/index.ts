// SPDX-License-Identifier: Apache-2.0
// The face of the emergency desk.
import type { CityApp } from "@/shell/app";

export const app: CityApp = { name: "emergency", layers: [], marks: [], panels: [], inspectors: [], places: () => [] };
