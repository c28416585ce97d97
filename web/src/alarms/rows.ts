// SPDX-License-Identifier: Apache-2.0
// The rows of a list: pages and what the stream tells put together, and groups folded under their first alarm. Pure.
import { belongs, orderOf } from "@/alarms/filters";
import type { Filters } from "@/alarms/filters";
import type { Alarm } from "@/alarms/types";

export interface Loaded { rows: readonly Alarm[]; isWhole: boolean }

/** Puts fresh alarms where they belong; beyond the last row that is loaded nothing is known, so nothing is put there. */
export function merged({ rows, isWhole }: Loaded, fresh: readonly Alarm[], filters: Filters, account: string | null): Alarm[] {
  const order = orderOf(filters.sort);
  const byId = new Map(fresh.map((alarm) => [alarm.id, alarm]));
  const kept = rows.flatMap((row) => {
    const now = byId.get(row.id);
    if (now === undefined) return [row];
    byId.delete(row.id);
    return belongs(now, filters, account) ? [now] : [];
  });
  const last = rows.at(-1);
  const isNear = (alarm: Alarm): boolean => isWhole || last === undefined || order(alarm, last) <= 0;
  const added = filters.words === "" ? [...byId.values()].filter((alarm) => belongs(alarm, filters, account) && isNear(alarm)) : [];
  return added.length === 0 && kept.every((row, i) => row === rows[i]) ? kept : [...kept, ...added].sort(order);
}

/** Rows that go are shown a little longer to whoever works on them: they stay where they were. */
export function appended(rows: readonly Alarm[], page: readonly Alarm[]): Alarm[] {
  const known = new Set(rows.map((row) => row.id));
  return [...rows, ...page.filter((row) => !known.has(row.id))];
}

/** An alarm of a list; the first of a group stands for those that are folded under it. */
export interface Line { alarm: Alarm; hidden: number; isHead: boolean; isInner: boolean }

export function lines(rows: readonly Alarm[], unfolded: ReadonlySet<string>): Line[] {
  const groups = new Map<string, Alarm[]>();
  for (const row of rows) {
    if (row.group === null) continue;
    const members = groups.get(row.group);
    if (members === undefined) groups.set(row.group, [row]);
    else members.push(row);
  }
  return rows.flatMap((alarm): Line[] => {
    const members = alarm.group === null ? undefined : groups.get(alarm.group);
    if (members === undefined || Math.max(members.length, alarm.group_size) < 2) return [{ alarm, hidden: 0, isHead: false, isInner: false }];
    if (members[0] !== alarm) return [];
    const rest = members.slice(1);
    const hidden = Math.max(rest.length, alarm.group_size - 1);
    const isOpen = unfolded.has(alarm.group ?? "");
    return [{ alarm, hidden, isHead: true, isInner: false }, ...(isOpen ? rest.map((one) => ({ alarm: one, hidden: 0, isHead: false, isInner: true })) : [])];
  });
}
