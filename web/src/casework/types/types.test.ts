// SPDX-License-Identifier: Apache-2.0
// The editor of types: fields with conditions there and back, states renamed everywhere, what no move leads to, what differs.
import { expect, it } from "vitest";
import { fieldsOf, judge } from "@/kit/schema";
import { deadEnds, draw, unreachable } from "@/casework/types/diagram";
import { differences } from "@/casework/types/diff";
import { placeOf } from "@/casework/types/faults";
import { addField, choicesOf, fieldsOfForm, kindOf, placeOfError, removeField, renameField, setChoices, setKind, setRequired, setTitle, setWhen } from "@/casework/types/form";
import type { FormField } from "@/casework/types/form";
import { blank, complete, exampleNumber, newDeadline, newMove, removeState, renameState } from "@/casework/types/model";
import type { Definition } from "@/casework/types/model";

const begun = (): Definition => blank("permit", { zh: "许可", en: "Permit" });
function field(of: Definition, name: string): FormField {
  const found = fieldsOfForm(of.form).find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}
function withCondition(): Definition {
  const of = begun();
  addField(of.form, "kind");
  setKind(field(of, "kind"), "choice");
  setChoices(field(of, "kind").schema, [{ value: "road", zh: "道路", en: "Road" }, { value: "other", zh: "其他", en: "Other" }]);
  addField(of.form, "depth");
  setRequired(field(of, "depth"), true);
  setWhen(of.form, field(of, "depth"), { field: "kind", value: "road" });
  return of;
}

it("shows a conditional field only with its answer, and asks for it only then", () => {
  const { form } = withCondition();
  expect(fieldsOf(form, { kind: "other" }).map((one) => one.name)).toEqual(["kind"]);
  expect(fieldsOf(form, { kind: "road" }).map((one) => [one.name, one.required])).toEqual([["kind", false], ["depth", true]]);
  expect(judge(form, { kind: "road" }).problems.map((one) => one.code)).toEqual(["kernel.form_missing"]);
});

it("keeps a condition when the field that decides is renamed, and lets it go with its last field", () => {
  const of = withCondition();
  expect(renameField(of.form, field(of, "kind"), "matter")).toBe(true);
  expect(field(of, "depth").when).toEqual({ field: "matter", value: "road" });
  expect(renameField(of.form, field(of, "matter"), "depth")).toBe(false);
  removeField(of.form, field(of, "depth"));
  expect(of.form["allOf"]).toBeUndefined();
});

it("never refuses a conditional field because the form allows no others", () => {
  const of = begun();
  of.form["additionalProperties"] = false;
  addField(of.form, "urgent");
  setKind(field(of, "urgent"), "switch");
  addField(of.form, "why");
  setWhen(of.form, field(of, "why"), { field: "urgent", value: true });
  expect([of.form["additionalProperties"], of.form["unevaluatedProperties"]]).toEqual([undefined, false]);
});

it("keeps titles and choices when the kind of a field changes", () => {
  const of = withCondition();
  setTitle(field(of, "kind").schema, "zh", "类别");
  setKind(field(of, "kind"), "many");
  expect(kindOf(field(of, "kind").schema)).toBe("many");
  expect(choicesOf(field(of, "kind").schema).map((one) => one.zh)).toEqual(["道路", "其他"]);
  expect(field(of, "kind").schema["title"]).toBe("类别");
});

it("renames a state wherever it is named", () => {
  const of = begun();
  of.deadlines = [{ ...newDeadline("handle"), ends: ["state:done", "closed"] }];
  of.merges_into = of.transfers.to_state = "done";
  expect(renameState(of, "done", "finished")).toBe(true);
  expect(JSON.stringify({ ...of, moves: of.moves.map((move) => move.to) })).not.toContain('"done"');
  expect([of.moves[0]?.to, of.deadlines[0]?.ends[0], of.merges_into]).toEqual(["finished", "state:finished", "finished"]);
  expect(renameState(of, "new", "finished")).toBe(false);
  expect(renameState(of, "new", "Not an id")).toBe(false);
});

it("finds what no move leads to and what never ends", () => {
  const of = begun();
  of.states = { ...of.states, lost: { phase: "open", words: {} }, stuck: { phase: "open", words: {} } };
  of.moves.push(newMove("stick", ["new"], "stuck"), newMove("find", ["lost"], "done"));
  expect([unreachable(of), deadEnds(of)]).toEqual([["lost"], ["stuck"]]);
  const drawing = draw(of);
  expect(drawing.boxes.filter((box) => !box.reached).map((box) => box.id)).toEqual(["lost"]);
  expect(new Set(drawing.boxes.map((box) => `${box.x} ${box.y}`)).size).toBe(4);
  of.transfers.to_state = "lost";
  expect(unreachable(of)).toEqual([]);
});

it("takes the moves of a state with it, and leaves those that others share", () => {
  const of = begun();
  of.moves.push({ ...newMove("close", ["new", "done"], "done") });
  removeState(of, "new");
  expect(of.moves.map((move) => [move.name, move.from])).toEqual([["close", ["done"]]]);
});

it("tells what a draft changes, and nothing where nothing is changed", () => {
  const before = complete(begun());
  const after = complete(begun());
  expect(differences(before, after)).toEqual([]);
  after.states["waiting"] = { phase: "suspended", words: { zh: "暂停" } };
  after.moves = [newMove("close", ["new"], "done")];
  after.deadlines.push(newDeadline("handle"));
  after.numbering = "P{seq:5}";
  addField(after.form, "text");
  const told = differences(before, after).map((one) => `${one.change} ${one.kind} ${one.name}`);
  expect(told.sort()).toEqual(["added deadline handle", "added field text", "added move close", "added state waiting", "changed word numbering", "removed move finish"]);
});

it("spells the next number, and refuses a pattern that the server would refuse", () => {
  expect(exampleNumber("{type}-{yyyymm}{seq:4}", "permit", "2026-11-25")).toBe("PERMIT-2026110001");
  expect([exampleNumber("{seq:4}x", "a", "2026-11-25"), exampleNumber("{week}{seq:4}", "a", "2026-11-25")]).toEqual([null, null]);
});

it("says where JSON cannot be read", () => {
  const text = '{\n "a": 1,\n "b" 2\n}';
  try { JSON.parse(text); } catch (problem) { expect(placeOfError(text, problem).line).toBe(3); }
  expect.assertions(1);
});

it("leads every fault to its part", () => {
  const at = (code: string, facts: Record<string, unknown>) => placeOf({ code, facts });
  expect(at("kernel.case_state_unreachable", { state: "lost" })).toEqual({ tab: "states", anchor: "state:lost" });
  expect(at("kernel.case_state_unknown", { move: "transfers", state: "x" }).tab).toBe("rules");
  expect(at("kernel.form_exceeds_purpose", { field: "phone" })).toEqual({ tab: "personal", anchor: "personal:phone" });
  expect(at("kernel.deadline_length", { rule: "handle" })).toEqual({ tab: "deadlines", anchor: "deadline:handle" });
  expect(at("kernel.form_pattern_unsafe", {}).tab).toBe("form");
});
