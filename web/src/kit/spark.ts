// SPDX-License-Identifier: Apache-2.0
// Paths of small lines that share one scale; the value axis begins at zero.

export type Line = readonly (readonly [number, number])[];

export function sparkPaths(lines: readonly Line[], { width, height }: { width: number; height: number }): string[] {
  const points = lines.flat();
  if (points.length === 0) return lines.map(() => "");
  let [from, to, most] = [Infinity, -Infinity, 0];
  for (const [at, value] of points) { from = Math.min(from, at); to = Math.max(to, at); most = Math.max(most, value); }
  const x = (at: number): string => ((to === from ? 1 : (at - from) / (to - from)) * width).toFixed(1);
  const y = (value: number): string => (height - (most === 0 ? 0 : (value / most) * (height - 2))).toFixed(1);
  return lines.map((line) => line.map(([at, value], i) => `${i === 0 ? "M" : "L"}${x(at)} ${y(value)}`).join(""));
}

/** A longer silence than this many usual steps is a gap, and a gap is not drawn over. */
export const GAP_STEPS = 5;

export function broken(points: readonly [number, number | null][]): [number, number | null][] {
  const steps = points.slice(1).map(([at], i) => at - (points[i]?.[0] ?? at)).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  return points.flatMap(([at, value], i): [number, number | null][] => {
    const last = points[i - 1];
    return last !== undefined && at - last[0] > GAP_STEPS * usual ? [[last[0] + usual, null], [at, value]] : [[at, value]];
  });
}
