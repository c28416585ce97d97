// SPDX-License-Identifier: Apache-2.0
// The two colours of vehicles and what tells them apart, for layer, list and legend.
export const MOVING = "#d6e6f2";
export const STANDING = "#e2a3ff";
/** Slower than this a vehicle stands (HBS and RESCO count one below 0.1 m/s as halting; eyes need a little more). */
export const STANDING_KMH = 2;
