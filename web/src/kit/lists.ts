// SPDX-License-Identifier: Apache-2.0
// Lists and values while a form changes them: what is given stays as it was. Pure.
export const replaced = <T>(list: readonly T[], at: number, value: T): T[] => list.map((one, i) => (i === at ? value : one));
export const without = <T>(list: readonly T[], at: number): T[] => list.filter((_, i) => i !== at);
/** One and its neighbour change places; at the end of the list nothing does. */
export function moved<T>(list: readonly T[], at: number, by: -1 | 1): T[] {
  const [one, other] = [list[at], list[at + by]];
  return one === undefined || other === undefined ? [...list] : list.map((each, i) => (i === at ? other : i === at + by ? one : each));
}

/** A copy that shares nothing. */
export const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.map(sorted) : typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)).map(([name, one]) => [name, sorted(one)])) : value);
/** Equal, in whatever order their parts stand. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
