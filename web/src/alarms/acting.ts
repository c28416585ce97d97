// SPDX-License-Identifier: Apache-2.0
// What an officer does with one alarm or with all that are marked: at once, or after a note; who was faster is told.
import { ref, shallowRef } from "vue";
import type { Ref, ShallowRef } from "vue";
import { Refusal } from "@/api/client";
import { serverAhead } from "@/api/live";
import { alarms } from "@/alarms/ask";
import type { ActName, Alarm, Done, Wanted } from "@/alarms/types";
import { t } from "@/i18n";
import type { Key } from "@/i18n";
import { act } from "@/shell/access";

/** Alarms that are marked in a list: acts are for all of them. */
export const marked = shallowRef<ReadonlyMap<string, Alarm>>(new Map());
export function mark(rows: readonly Alarm[], on: boolean): void {
  const next = new Map(marked.value);
  for (const row of rows) { if (on) next.set(row.id, row); else next.delete(row.id); }
  marked.value = next;
}
export const unmark = (): void => { marked.value = new Map(); };

/** The key of each act. */
export const KEY_OF: Record<ActName, string> = { acknowledge: "a", take: "t", release: "r", comment: "c", shelve: "s", unshelve: "u", clear: "e" };
/** These ask nothing. */
const AT_ONCE: readonly ActName[] = ["take", "release", "unshelve"];
/** A comment without words is none; why something rests or is over must be said. */
export const NEEDS_NOTE: readonly ActName[] = ["comment", "shelve", "clear"];

/** As the server's table has it: what another officer has only that officer gives back. */
const FITS: Record<ActName, (alarm: Alarm, account: string | null) => boolean> = {
  acknowledge: ({ handling }) => handling.state === "new",
  take: ({ handling }, account) => handling.state !== "cleared" && (handling.taken_by === null || handling.taken_by !== account),
  release: ({ handling }, account) => handling.state === "taken" && handling.taken_by === account,
  comment: () => true,
  shelve: ({ handling }) => handling.state !== "shelved" && handling.state !== "cleared",
  unshelve: ({ handling }) => handling.state === "shelved",
  clear: ({ handling }) => handling.state !== "cleared",
};
export const fits = (name: ActName, alarm: Alarm, account: string | null): boolean => FITS[name](alarm, account);

export interface Asked { act: ActName; targets: readonly Alarm[] }
export interface Acts {
  asked: ShallowRef<Asked | null>; busy: Ref<boolean>; refused: ShallowRef<unknown>; partly: ShallowRef<Done | null>; said: Ref<string>;
  begin: (name: ActName, targets: readonly Alarm[]) => void; send: (note: string, minutes: number) => Promise<void>; close: () => void;
}

/** When something that is shelved for so many minutes comes back, by the server's clock. */
const untilOf = (minutes: number): string => new Date((serverAhead.value === 0 ? Date.now() : performance.now() + serverAhead.value) + minutes * 60_000).toISOString();

function wantedOf(name: ActName, note: string, minutes: number): Wanted {
  return { act: name, ...(note.trim() === "" ? {} : { note: note.trim() }), ...(name === "shelve" ? { until: untilOf(minutes) } : {}) };
}

/** Looks again at what somebody else changed meanwhile, so that the screen shows who has it. */
async function lookAgain(ids: readonly string[], changed: (fresh: readonly Alarm[]) => void): Promise<void> {
  const found = await Promise.all(ids.slice(0, 50).map((id) => alarms.story(id).catch(() => null)));
  changed(found.filter((one) => one !== null));
}

const isConflict = (failure: unknown): boolean => failure instanceof Refusal && failure.status === 409;

export function useActs(changed: (fresh: readonly Alarm[]) => void): Acts {
  const [asked, refused, partly] = [shallowRef<Asked | null>(null), shallowRef<unknown>(null), shallowRef<Done | null>(null)];
  const [busy, said] = [ref(false), ref("")];

  async function one(alarm: Alarm, wanted: Wanted): Promise<void> {
    changed([await alarms.act(alarm.id, { ...wanted, version: alarm.handling.version })]);
  }
  async function many(targets: readonly Alarm[], wanted: Wanted): Promise<void> {
    const done = await alarms.actAll(targets.map((alarm) => alarm.id), wanted);
    partly.value = done.refused.length > 0 ? done : null;
    await lookAgain([...done.done, ...done.refused.map((each) => each.id)], changed);
  }
  async function run({ act: name, targets }: Asked, note: string, minutes: number): Promise<void> {
    const [first] = targets;
    if (first === undefined || busy.value) return;
    busy.value = true;
    refused.value = null;
    partly.value = null;
    const wanted = wantedOf(name, note, minutes);
    try {
      await act(() => (targets.length === 1 ? one(first, wanted) : many(targets, wanted)));
      said.value = t(`alarms.did.${name}` as Key, { n: targets.length });
      asked.value = null;
      unmark();
    } catch (failure) {
      refused.value = failure;
      if (isConflict(failure)) await lookAgain(targets.map((alarm) => alarm.id), changed);
    } finally { busy.value = false; }
  }
  function begin(name: ActName, targets: readonly Alarm[]): void {
    if (targets.length === 0) return;
    [refused.value, partly.value, said.value] = [null, null, ""];
    if (AT_ONCE.includes(name)) void run({ act: name, targets }, "", 0);
    else asked.value = { act: name, targets };
  }
  const send = async (note: string, minutes: number): Promise<void> => { if (asked.value !== null) await run(asked.value, note, minutes); };
  return { asked, busy, refused, partly, said, begin, send, close: () => { asked.value = null; refused.value = null; } };
}
