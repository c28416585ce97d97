// SPDX-License-Identifier: Apache-2.0
// Orders: who may approve or end what, how long is left, where an order stands, and the form of a means.
import { describe, expect, it } from "vitest";
import { fieldsOf } from "@/kit/schema";
import { canApprove, canEnd, clockWords, fateOf, formOf, keysOfClicks, leftMs, waits } from "@/orders/rules";
import type { Means, StandingOrder } from "@/orders/types";

const NOW = Date.parse("2026-11-25T08:00:00Z");
const order = (facts: Partial<StandingOrder>): StandingOrder => ({
  id: "1", means: "traffic.lock", entity_id: "urn:a", parameters: {}, reason: "convoy", state: "standing", lasts: true, two_person: false, proposed_by: "wang", proposed_at: "2026-11-25T07:55:00Z", approve_until: null,
  approved_by: null, approved_at: null, given_at: null, expires_at: null, outcome: null, ending: null, ended: null, replaced_by: null, undo: { state: "none", outcome: null }, ...facts,
});
const executed = { state: "executed", code: "", facts: {}, at: "" } as const;

describe("an order that needs two persons", () => {
  const proposed = order({ state: "proposed", two_person: true, approve_until: "2026-11-25T08:05:30Z" });
  it("is approved by anybody but its first person, while there is time", () => {
    expect([canApprove(proposed, "li", NOW), canApprove(proposed, "wang", NOW), canApprove(proposed, null, NOW), canApprove(proposed, "li", NOW + 331_000)]).toEqual([true, false, false, false]);
  });
  it("says how long is left as a kitchen clock does", () => {
    expect([clockWords(leftMs(proposed, NOW)), clockWords(leftMs(proposed, NOW + 3_600_000)), clockWords(59_400)]).toEqual(["5:30", "0:00", "1:00"]);
  });
  it("is withdrawn only by whoever proposed it", () => {
    expect([canEnd(proposed, "wang", NOW), canEnd(proposed, "li", NOW)]).toEqual([true, false]);
  });
  it("waits again when one of two wants to end it, for the other one", () => {
    const ending = order({ two_person: true, outcome: executed, ending: { by: "li", at: "", until: "2026-11-25T08:01:00Z" } });
    expect([waits(ending, NOW), canApprove(ending, "wang", NOW), canApprove(ending, "li", NOW), canEnd(ending, "wang", NOW), waits(ending, NOW + 61_000)]).toEqual([true, true, false, false, false]);
  });
});

it.each([
  [{ state: "proposed" }, "proposed"], [{ state: "standing" }, "sent"], [{ state: "standing", outcome: executed }, "in_force"], [{ state: "standing", outcome: { ...executed, state: "failed" } }, "failed"],
  [{ state: "ended", ended: { why: "done", by: "", at: "", reason: "" } }, "done"], [{ state: "ended", ended: { why: "ended", by: "li", at: "", reason: "" }, replaced_by: { id: "2", by: "li", at: "" } }, "replaced"],
  [{ state: "refused", ended: { why: "late", by: "", at: "", reason: "" } }, "late"], [{ state: "refused" }, "refused"],
] as [Partial<StandingOrder>, string][])("an order %j is %s", (facts, fate) => {
  expect(fateOf(order(facts))).toBe(fate);
});

it("makes a form of a means whose schema names its parts elsewhere", () => {
  const means = { parameters: { $ref: "#/$defs/Dispatch", $defs: {
    Dispatch: { title: "Dispatch", type: "object", properties: { kind: { $ref: "#/$defs/Kind" }, urgency: { type: "integer", minimum: 1, default: 1 } }, required: ["kind"] }, Kind: { enum: ["fire", "police"] },
  } } } as unknown as Means;
  const fields = fieldsOf(formOf(means, (kind, name) => `${kind} ${name}`), {});
  expect(fields.map((one) => [one.name, one.control, one.required, one.words.en])).toEqual([["kind", "choice", true, "parameter kind"], ["urgency", "number", false, "parameter urgency"]]);
  expect(fields[0]?.choices).toEqual([{ value: "fire", words: { zh: "choice fire", en: "choice fire" } }, { value: "police", words: { zh: "choice police", en: "choice police" } }]);
});

it("sends one click twice under one key, and another content under another", () => {
  let made = 0;
  const keyOf = keysOfClicks(() => String(++made));
  expect([keyOf("a"), keyOf("a"), keyOf("b"), keyOf("a")]).toEqual(["1", "1", "2", "1"]);
});
