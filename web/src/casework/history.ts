// SPDX-License-Identifier: Apache-2.0
// The history of a case as sentences: what was done, and from where to where. Pure.
import type { Facts } from "@/api/types";
import type { Key } from "@/i18n";
import type { CaseEvent, Verb } from "@/casework/types";

/** `by` did it; `before` are the values that were there, as far as history knows them. */
export interface Line { event: CaseEvent; key: Key; facts: Facts; changes: Change[] }
export interface Change { name: string; before: unknown; now: unknown }
/** What ids are called. */
export interface Names { state: (id: string) => string; move: (name: string) => string; department: (id: string | null) => string; account: (id: string | null) => string; time: (at: string) => string; clock: (name: string) => string }

const DID: Record<Verb, Key> = {
  open: "work.did.open", move: "work.did.move", assign: "work.did.assign", take: "work.did.take", to_pool: "work.did.to_pool", transfer: "work.did.transfer", return: "work.did.return",
  suspend: "work.did.move", resume: "work.did.move", reopen: "work.did.move", edit: "work.did.edit", join: "work.did.join", leave: "work.did.leave", comment: "work.did.comment", link: "work.did.link",
  merge: "work.did.merge", split: "work.did.split", convert: "work.did.convert", plan: "work.did.plan", task: "work.did.task",
};
/** The city itself tells of a limit by setting its own times. */
const RANG: Record<string, Key> = { warn: "work.did.warned", escalate: "work.did.escalated" };

/** Told in the sentence already, or of no use to read. */
const FOLDED_AWAY = new Set(["state", "phase", "department", "came_from", "assignee", "clocks", "transfers", "returns", "reopened", "closed_at", "suspended_at", "warned_at", "type_version", "key", "number", "created_at", "opened_by", "type"]);

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));
function numberOf(facts: Facts): string {
  if (Array.isArray(facts["numbers"])) return facts["numbers"].map(String).join(" ");
  return text(facts["number"]);
}
function factsOf(event: CaseEvent, known: Facts, names: Names): Facts {
  const get = (name: string): string => text(name in event.changes ? event.changes[name] : known[name]);
  const asked = text(event.facts["department"]) || get("department");
  return {
    by: event.on_behalf_of === null ? names.account(event.by) : `${names.account(event.by)} (${names.account(event.on_behalf_of)})`,
    move: event.move === null ? "" : names.move(event.move), from: names.state(text(known["state"])), to: names.state(get("state")),
    department: names.department(asked), assignee: names.account(get("assignee")), due: get("due_at") === "" ? "–" : names.time(get("due_at")),
    number: numberOf(event.facts), version: get("type_version"), task: text(event.facts["name"] ?? event.facts["element"]), clock: names.clock(text(event.facts["clock"])),
  };
}

function changesOf(event: CaseEvent, known: Facts): Change[] {
  const shown = Object.entries(event.changes).filter(([name]) => !FOLDED_AWAY.has(name) && event.verb !== "open");
  return shown.flatMap(([name, now]): Change[] => {
    if (name !== "fields") return [{ name, before: known[name], now }];
    const [old, fresh] = [(known["fields"] ?? {}) as Facts, (now ?? {}) as Facts];
    const different = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].filter((field) => JSON.stringify(old[field]) !== JSON.stringify(fresh[field]));
    return different.map((field) => ({ name: `fields.${field}`, before: old[field], now: fresh[field] }));
  });
}

/** Each act in a sentence, the newest first. */
export function told(events: readonly CaseEvent[], names: Names): Line[] {
  const known: Facts = {};
  const lines: Line[] = [];
  for (const event of [...events].sort((a, b) => a.version - b.version)) {
    const key = RANG[text(event.facts["alarm"])] ?? DID[event.verb];
    lines.push({ event, key, facts: factsOf(event, known, names), changes: changesOf(event, known) });
    Object.assign(known, event.changes);
  }
  return lines.reverse();
}
