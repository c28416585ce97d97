// SPDX-License-Identifier: Apache-2.0
// States and moves as a drawing: states in columns by how many moves they are away, moves as lines. Pure.
import type { Definition } from "@/casework/types/model";

export interface Box { id: string; x: number; y: number; reached: boolean; closes: boolean }
export interface Line { from: string; to: string; moves: string[]; path: string; x: number; y: number }
export interface Drawing { boxes: Box[]; lines: Line[]; width: number; height: number }
export const BOX = { width: 112, height: 36 };
const STEP = { x: 204, y: 74 };
const MARGIN = { x: 14, y: 34 };

const next = (of: Definition, state: string): string[] => of.moves.filter((move) => move.from.includes(state)).map((move) => move.to).filter((to) => to in of.states);

/** How many moves each state is away from where some begin. */
function away(of: Definition, begin: readonly string[]): Map<string, number> {
  const found = new Map(begin.filter((id) => id in of.states).map((id) => [id, 0]));
  let ahead = [...found.keys()];
  for (let depth = 1; ahead.length > 0; depth += 1) {
    ahead = [...new Set(ahead.flatMap((id) => next(of, id)))].filter((id) => !found.has(id));
    for (const id of ahead) found.set(id, depth);
  }
  return found;
}
/** Where cases come to: from the beginning, by being passed on, by going into another. */
function reachedBy(of: Definition): Set<string> {
  const begins = [of.initial, ...(of.transfers.to_state === null ? [] : [of.transfers.to_state])];
  return new Set([...away(of, begins).keys(), ...(of.merges_into === null ? [] : [of.merges_into])]);
}
const isClosed = (of: Definition, id: string): boolean => of.states[id]?.phase === "closed";
export const unreachable = (of: Definition): string[] => { const found = reachedBy(of); return Object.keys(of.states).filter((id) => !found.has(id)); };
export const deadEnds = (of: Definition): string[] => Object.keys(of.states).filter((id) => ![...away(of, [id]).keys()].some((each) => isClosed(of, each)));

function columns(of: Definition): string[][] {
  const depths = away(of, [of.initial]);
  const last = Math.max(0, ...depths.values());
  const rest = Object.keys(of.states).filter((id) => !depths.has(id));
  const found = Array.from({ length: last + 1 }, (_, depth) => Object.keys(of.states).filter((id) => depths.get(id) === depth));
  // Whatever no move leads to stands at the end of the last column but one, where there is room.
  return rest.length === 0 ? found : [...found, rest];
}

function placed(of: Definition): Map<string, { x: number; y: number }> {
  const all = columns(of);
  const tallest = Math.max(...all.map((column) => column.length));
  return new Map(all.flatMap((column, i) => column.map((id, j) => [id, { x: MARGIN.x + i * STEP.x, y: MARGIN.y + (j + (tallest - column.length) / 2) * STEP.y }] as const)));
}

type Point = { x: number; y: number };
// Where the words of a line stand: in its middle, which of a bowed one is half way to the bow.
const middle = (a: Point, b: Point, c: Point): Point => ({ x: (a.x + 2 * b.x + c.x) / 4, y: (a.y + 2 * b.y + c.y) / 4 });
const spelled = (a: Point, b: Point, c: Point): string => `M${a.x} ${a.y}Q${b.x} ${b.y} ${c.x} ${c.y}`;

/** A line leaves at the right and comes in at the left. Two that go to and fro bow apart, each to its own right; a long one bows around what lies between. */
function drawn(from: Point, to: Point, isToAndFro: boolean): { path: string; at: Point } {
  if (from.x === to.x) return beside(from, to);
  const onward = to.x > from.x ? 1 : -1;
  const y = BOX.height / 2 - (isToAndFro ? 8 * onward : 0);
  const edge = (point: Point, right: boolean): Point => ({ x: right ? point.x + BOX.width : point.x, y: point.y + y });
  const [a, c] = [edge(from, onward > 0), edge(to, onward < 0)];
  const far = Math.abs(to.x - from.x) > STEP.x ? STEP.y * 1.6 : 0;
  const b = { x: (a.x + c.x) / 2, y: (a.y + c.y) / 2 - onward * Math.max(far, isToAndFro ? STEP.y * 0.3 : 0) };
  return { path: spelled(a, b, c), at: middle(a, b, c) };
}
function beside(from: Point, to: Point): { path: string; at: Point } {
  const down = to.y > from.y;
  const side = down ? BOX.width * 0.7 : BOX.width * 0.3;
  const a = { x: from.x + side, y: from.y + (down ? BOX.height : 0) };
  const c = { x: to.x + side, y: to.y + (down ? 0 : BOX.height) };
  if (from.y === to.y) return { path: `M${from.x + 30} ${from.y}c-14 -26 44 -26 30 0`, at: { x: from.x + 45, y: from.y - 22 } };
  const b = { x: a.x + (Math.abs(to.y - from.y) > STEP.y ? (down ? 90 : -90) : 0), y: (a.y + c.y) / 2 };
  return { path: spelled(a, b, c), at: middle(a, b, c) };
}

export function draw(of: Definition): Drawing {
  const at = placed(of);
  const pairs = new Map<string, { from: string; to: string; moves: string[] }>();
  for (const move of of.moves) for (const from of move.from) {
    const key = `${from} ${move.to}`;
    pairs.set(key, { from, to: move.to, moves: [...(pairs.get(key)?.moves ?? []), move.name] });
  }
  const lines = [...pairs.values()].flatMap((pair) => {
    const [from, to] = [at.get(pair.from), at.get(pair.to)];
    if (from === undefined || to === undefined) return [];
    const { path, at: label } = drawn(from, to, pairs.has(`${pair.to} ${pair.from}`));
    return [{ ...pair, path, x: label.x, y: label.y }];
  });
  const [lost, ends] = [unreachable(of), deadEnds(of)];
  const boxes = [...at].map(([id, point]) => ({ id, ...point, reached: !lost.includes(id), closes: !ends.includes(id) }));
  const width = Math.max(...boxes.map((box) => box.x), 0) + BOX.width + MARGIN.x + 20;
  const height = Math.max(...boxes.map((box) => box.y), ...lines.map((line) => line.y), 0) + BOX.height + MARGIN.y;
  return { boxes, lines, width, height };
}
