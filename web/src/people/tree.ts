// SPDX-License-Identifier: Apache-2.0
// Departments as the lines of a tree: what is open, how deep each stands, and where the keys lead.
import type { Department } from "@/people/types";

export interface Line { department: Department; depth: number; children: number; open: boolean; at: number; of: number }

const NONE = "";
function byParent(departments: readonly Department[]): Map<string, Department[]> {
  const ids = new Set(departments.map((one) => one.id));
  const found = new Map<string, Department[]>();
  for (const one of departments) {
    const parent = one.parent !== null && ids.has(one.parent) ? one.parent : NONE;
    found.set(parent, [...(found.get(parent) ?? []), one]);
  }
  return found;
}

/** The lines in sight, in the order they stand; `name` puts those side by side in order. */
export function lines(departments: readonly Department[], closed: ReadonlySet<string>, name: (one: Department) => string): Line[] {
  const children = byParent(departments);
  const order = new Intl.Collator("zh-CN");
  const below = (parent: string, depth: number): Line[] => {
    const here = [...(children.get(parent) ?? [])].sort((a, b) => order.compare(name(a), name(b)));
    return here.flatMap((department, i) => {
      const open = !closed.has(department.id);
      const line: Line = { department, depth, children: children.get(department.id)?.length ?? 0, open, at: i + 1, of: here.length };
      return [line, ...(open ? below(department.id, depth + 1) : [])];
    });
  };
  return below(NONE, 0);
}

/** A department and all that stand below it: no place for it to move to. */
export function family(departments: readonly Department[], id: string): Set<string> {
  const children = byParent(departments);
  const found = new Set([id]);
  const walk = (of: string): void => { for (const one of children.get(of) ?? []) { found.add(one.id); walk(one.id); } };
  walk(id);
  return found;
}

export interface Step { to: number; toggle?: true }
/** Where a key of the tree leads from a line: another line, or the same one opened or closed. */
export function step(all: readonly Line[], at: number, key: string): Step | null {
  const line = all[at];
  if (line === undefined) return null;
  const inside = Math.max(0, Math.min(all.length - 1, at));
  const moves: Record<string, () => Step | null> = {
    ArrowDown: () => ({ to: Math.min(all.length - 1, inside + 1) }),
    ArrowUp: () => ({ to: Math.max(0, inside - 1) }),
    Home: () => ({ to: 0 }),
    End: () => ({ to: all.length - 1 }),
    ArrowRight: () => (line.children === 0 ? null : line.open ? { to: at + 1 } : { to: at, toggle: true }),
    ArrowLeft: () => (line.children > 0 && line.open ? { to: at, toggle: true } : { to: parentOf(all, at) }),
  };
  return moves[key]?.() ?? null;
}
function parentOf(all: readonly Line[], at: number): number {
  const depth = all[at]?.depth ?? 0;
  for (let i = at - 1; i >= 0; i -= 1) if ((all[i]?.depth ?? 0) < depth) return i;
  return at;
}

const saysAll = (one: Department): string => `${one.id} ${one.name.zh ?? ""} ${one.name.en ?? ""}`.toLowerCase();
/** Those that fit the words, with all above them, so that each stands in its place. */
export function narrowed(departments: readonly Department[], words: string): Department[] {
  const asked = words.trim().toLowerCase();
  const byId = new Map(departments.map((one) => [one.id, one]));
  const keep = new Set<string>();
  for (const found of departments.filter((one) => saysAll(one).includes(asked))) {
    for (let at: Department | undefined = found; at !== undefined && !keep.has(at.id); at = byId.get(at.parent ?? NONE)) keep.add(at.id);
  }
  return departments.filter((one) => keep.has(one.id));
}
