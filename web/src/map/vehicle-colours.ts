// SPDX-License-Identifier: Apache-2.0
// The two colours of vehicles, for layer and legend.
export const MOVING = "#d6e6f2";
export const STANDING = "#e2a3ff";
