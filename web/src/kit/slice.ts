// SPDX-License-Identifier: Apache-2.0
// Which rows of a long list are in sight.

export interface Scroll { top: number; height: number; rowPx: number; count: number }

/** Rows drawn beyond the edge on each side, so that scrolling shows no gap. */
export const SPARE = 6;

export function slice({ top, height, rowPx, count }: Scroll): { from: number; to: number } {
  const from = Math.max(0, Math.min(count, Math.floor(top / rowPx)) - SPARE);
  return { from, to: Math.min(count, Math.ceil((top + height) / rowPx) + SPARE) };
}
