// SPDX-License-Identifier: Apache-2.0
// Which part of the city the map shows now: lists beside it have the same rows.
import { shallowRef } from "vue";

/** West, south, east, north. */
export type Box = readonly [number, number, number, number];
export const viewBox = shallowRef<Box | null>(null);
