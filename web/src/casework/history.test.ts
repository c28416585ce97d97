// SPDX-License-Identifier: Apache-2.0
// The history of a case in sentences: from where to where, who for whom, and what was changed.
import { expect, it } from "vitest";
import { told } from "@/casework/history";
import type { CaseEvent } from "@/casework/types";

const NAMES = { state: (id: string) => `s:${id}`, move: (id: string) => `m:${id}`, department: (id: string | null) => `d:${id ?? ""}`, account: (id: string | null) => `a:${id ?? ""}`, time: (at: string) => at, clock: (name: string) => `c:${name}` };
const event = (version: number, more: Partial<CaseEvent>): CaseEvent => ({ case_id: 1, version, at: "2026-11-25T12:00:00Z", verb: "edit", move: null, by: "li", on_behalf_of: null, reason: "", changes: {}, facts: {}, ...more });

it("says from where to where a move led, the newest first", () => {
  const lines = told([
    event(1, { verb: "open", changes: { state: "new", department: "water", title: "t", fields: { text: "a" } } }),
    event(2, { verb: "move", move: "accept", changes: { state: "working", assignee: "li" }, on_behalf_of: "wang" }),
    event(3, { verb: "edit", changes: { title: "u", fields: { text: "b", size: 2 } } }),
  ], NAMES);
  expect(lines.map((line) => line.key)).toEqual(["work.did.edit", "work.did.move", "work.did.open"]);
  expect(lines[1]?.facts).toMatchObject({ by: "a:li (a:wang)", move: "m:accept", from: "s:new", to: "s:working" });
  expect(lines[0]?.changes).toEqual([{ name: "title", before: "t", now: "u" }, { name: "fields.text", before: "a", now: "b" }, { name: "fields.size", before: undefined, now: 2 }]);
  expect(lines[2]?.changes).toEqual([]);
});

it("says what the city itself told of a limit, and which cases went into one", () => {
  const [merged, late] = told([event(1, { verb: "plan", by: "brain", facts: { alarm: "escalate", clock: "reply" }, changes: { due_at: "x" } }), event(2, { verb: "merge", facts: { numbers: ["HT1", "HT2"] } })], NAMES);
  expect([late?.key, late?.facts["clock"], merged?.facts["number"]]).toEqual(["work.did.escalated", "c:reply", "HT1 HT2"]);
});
