// SPDX-License-Identifier: Apache-2.0
// The classes of a road's flow, with colour, words and the state of a signal head.
import type { Key } from "@/i18n";

/** 0 no data, 1 smooth … 5 severe, by the share of free-flow speed (classes of GB/T 33171-2016; the server computes them). */
export const LEVELS = [0, 1, 2, 3, 4, 5] as const;
export const LEVEL_COLOURS = ["#2b3f50", "#2f8a7f", "#8fa24a", "#e8b23c", "#ff8a3c", "#ff4d4f"] as const;

export const levelColour = (level: number): string => LEVEL_COLOURS[level as 0] ?? LEVEL_COLOURS[0];
export const levelKey = (level: number): Key => `level.${level >= 0 && level <= 5 ? (level as 0 | 1 | 2 | 3 | 4 | 5) : 0}`;

/** What a driver at a stop line sees: 0 unknown or off, 1 stop, 2 caution, 3 go. */
export const HEAD = { dark: 0, stop: 1, caution: 2, go: 3 } as const;
export type HeadState = (typeof HEAD)[keyof typeof HEAD];
export const HEAD_COLOURS: Record<HeadState, string> = { 0: "#5b7083", 1: "#ff5a5f", 2: "#ffbf47", 3: "#3fbf6f" };
export const HEAD_MARKS: Record<HeadState, string> = { 0: "○", 1: "■", 2: "◆", 3: "▲" };
export const headKey = (state: HeadState): Key => `head.${state}`;

// SUMO's link states (Simulation/Traffic_Lights): G g go, y u caution, r red, s stop then turn, o O off and blinking.
const OF_LINK: Record<string, HeadState> = { G: 3, g: 3, y: 2, Y: 2, u: 2, r: 1, R: 1, s: 1, o: 2, O: 0 };

/** The most permissive link of a head decides its colour: a lane whose one movement may go is not shown red. */
export function headState(state: string, links: readonly number[]): HeadState {
  let best: HeadState = HEAD.dark;
  for (const link of links) {
    const seen = OF_LINK[state[link] ?? ""] ?? HEAD.dark;
    if (seen > best) best = seen;
  }
  return best;
}
