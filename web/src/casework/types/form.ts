// SPDX-License-Identifier: Apache-2.0
// A form as a list of fields and back: fields that are always there, and those that come with an answer (if/then). Pure words of JSON Schema.
import type { Text } from "@/api/types";
import { isObject, schemaOf } from "@/kit/schema-check";
import type { Json, Schema } from "@/kit/schema-check";
import { ID, said } from "@/casework/types/model";

export interface When { field: string; value: string | number | boolean }
export interface FormField { name: string; schema: Schema; required: boolean; when: When | null; owner: Schema }
export interface FormChoice { value: string; zh: string; en: string }
export const KINDS = ["line", "lines", "number", "whole", "switch", "date", "choice", "many", "list"] as const;
export type Kind = (typeof KINDS)[number] | "other";

const PARTS: Record<(typeof KINDS)[number], () => Schema> = {
  line: () => ({ type: "string", maxLength: 200 }),
  lines: () => ({ type: "string", maxLength: 5000, "x-long": true }),
  number: () => ({ type: "number" }),
  whole: () => ({ type: "integer" }),
  switch: () => ({ type: "boolean" }),
  date: () => ({ type: "string", format: "date" }),
  choice: () => ({ enum: ["a", "b"], "x-choices": { a: { zh: "甲", en: "A" }, b: { zh: "乙", en: "B" } } }),
  many: () => ({ type: "array", uniqueItems: true, items: { enum: ["a", "b"], "x-choices": { a: { zh: "甲", en: "A" }, b: { zh: "乙", en: "B" } } } }),
  list: () => ({ type: "array", items: { type: "string", maxLength: 200 } }),
};
const KEPT = ["title", "x-title", "description", "x-help", "x-hint", "x-personal"];
const list = (value: Json): Json[] => (Array.isArray(value) ? value : []);
const names = (owner: Schema): string[] => list(owner["required"]).map(String);
const oneConst = (schema: Json): Json => {
  const of = schemaOf(schema);
  const among = list(of["enum"]);
  return "const" in of ? of["const"] : among.length === 1 ? among[0] : undefined;
};
const isPlain = (value: Json): value is When["value"] => ["string", "number", "boolean"].includes(typeof value);

/** A condition that says no more than "this field has this value". */
function plainWhen(condition: Json): When | null {
  const tested = Object.entries(schemaOf(schemaOf(condition)["properties"]));
  const [first] = tested;
  if (first === undefined || tested.length > 1) return null;
  const value = oneConst(first[1]);
  return isPlain(value) ? { field: first[0], value } : null;
}
/** The parts of a form that hold fields, each with the condition it comes with. */
function parts(form: Schema): { owner: Schema; when: When | null }[] {
  const conditions = [form, ...list(form["allOf"])].flatMap((each) => {
    const when = isObject(each) && isObject(each["then"]) ? plainWhen(each["if"]) : null;
    return when === null ? [] : [{ owner: schemaOf(schemaOf(each)["then"]), when }];
  });
  return [{ owner: form, when: null }, ...conditions];
}
/** Whether a form says more than the list of fields can show. */
export function saysMore(form: Schema): boolean {
  const strange = ["anyOf", "oneOf", "not", "dependentSchemas", "dependentRequired", "else"].some((word) => word in form);
  return strange || ("if" in form && plainWhen(form["if"]) === null) || list(form["allOf"]).some((each) => { const part = schemaOf(each); return "else" in part || plainWhen(part["if"]) === null; });
}

export const fieldsOfForm = (form: Schema): FormField[] => parts(form).flatMap(({ owner, when }) => Object.entries(schemaOf(owner["properties"])).map(([name, schema]) => ({ name, schema: schemaOf(schema), required: names(owner).includes(name), when, owner })));

function requiredIn(owner: Schema, name: string, on: boolean): void {
  const others = names(owner).filter((each) => each !== name);
  if (on) owner["required"] = [...others, name];
  else if (others.length > 0) owner["required"] = others;
  else delete owner["required"];
}
export function setRequired(field: FormField, on: boolean): void { requiredIn(field.owner, field.name, on); }

function rebuilt(owner: Schema, change: (entries: [string, Json][]) => [string, Json][]): void {
  owner["properties"] = Object.fromEntries(change(Object.entries(schemaOf(owner["properties"]))));
}
export function addField(form: Schema, name: string): void {
  form["type"] = "object";
  rebuilt(form, (entries) => [...entries, [name, PARTS.line()]]);
}
export function removeField(form: Schema, field: FormField): void {
  requiredIn(field.owner, field.name, false);
  rebuilt(field.owner, (entries) => entries.filter(([name]) => name !== field.name));
  tidy(form);
}
/** Parts without fields go, and so do the conditions before them. */
function tidy(form: Schema): void {
  const kept = list(form["allOf"]).filter((each) => { const part = schemaOf(each); return plainWhen(part["if"]) === null || "else" in part || Object.keys(schemaOf(schemaOf(part["then"])["properties"])).length > 0; });
  if (kept.length > 0) form["allOf"] = kept;
  else delete form["allOf"];
}
export function renameField(form: Schema, field: FormField, to: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,49}$/.test(to) || fieldsOfForm(form).some((one) => one.name === to)) return false;
  const isRequired = field.required;
  requiredIn(field.owner, field.name, false);
  rebuilt(field.owner, (entries) => entries.map(([name, schema]) => [name === field.name ? to : name, schema]));
  requiredIn(field.owner, to, isRequired);
  for (const part of [form, ...list(form["allOf"]).map(schemaOf)]) {
    const condition = schemaOf(part["if"]);
    if (plainWhen(condition)?.field !== field.name) continue;
    rebuilt(condition, (entries) => entries.map(([name, schema]) => [name === field.name ? to : name, schema]));
    condition["required"] = [to];
  }
  return true;
}
export function shiftField(field: FormField, by: number): void {
  rebuilt(field.owner, (entries) => {
    const at = entries.findIndex(([name]) => name === field.name);
    const [one] = entries.splice(at, 1);
    if (one !== undefined) entries.splice(Math.max(0, Math.min(entries.length, at + by)), 0, one);
    return entries;
  });
}
const isSame = (a: When, b: When): boolean => a.field === b.field && a.value === b.value;

/** Shows a field always, or only when another one has a value. */
export function setWhen(form: Schema, field: FormField, when: When | null): void {
  const isRequired = field.required;
  requiredIn(field.owner, field.name, false);
  rebuilt(field.owner, (entries) => entries.filter(([name]) => name !== field.name));
  const owner = when === null ? form : (parts(form).find((one) => one.when !== null && isSame(one.when, when))?.owner ?? opened(form, when));
  rebuilt(owner, (entries) => [...entries, [field.name, field.schema]]);
  requiredIn(owner, field.name, isRequired);
  tidy(form);
}
function opened(form: Schema, when: When): Schema {
  const part = { if: { properties: { [when.field]: { const: when.value } }, required: [when.field] }, then: { properties: {} } as Schema };
  form["allOf"] = [...list(form["allOf"]), part];
  // `additionalProperties` sees the fields beside it alone: it would refuse those of conditions.
  if (form["additionalProperties"] === false) { delete form["additionalProperties"]; form["unevaluatedProperties"] = false; }
  return schemaOf(schemaOf(list(form["allOf"]).at(-1))["then"]);
}

export function kindOf(schema: Schema): Kind {
  const type = typeof schema["type"] === "string" ? schema["type"] : "string";
  if (type === "array") return arrayKind(schemaOf(schema["items"]));
  if (choicesIn(schema).length > 0) return "choice";
  const plain: Record<string, Kind> = { boolean: "switch", number: "number", integer: "whole", string: textKind(schema) };
  return plain[type] ?? "other";
}
function textKind(schema: Schema): Kind {
  if (schema["format"] === "date") return "date";
  return schema["x-long"] === true || Number(schema["maxLength"] ?? 0) > 200 ? "lines" : "line";
}
function arrayKind(items: Schema): Kind {
  if (choicesIn(items).length > 0) return "many";
  return items["type"] === "string" ? "list" : "other";
}
export function setKind(field: FormField, kind: Kind): void {
  if (kind === "other") return;
  const before = choicesOf(field.schema);
  const schema = { ...PARTS[kind](), ...Object.fromEntries(Object.entries(field.schema).filter(([word]) => KEPT.includes(word))) };
  if (before.length > 0 && (kind === "choice" || kind === "many")) setChoices(schema, before);
  rebuilt(field.owner, (entries) => entries.map(([name, each]) => [name, name === field.name ? schema : each]));
}
function choicesIn(schema: Schema): FormChoice[] {
  const words = schemaOf(schema["x-choices"]);
  const one = list(schema["oneOf"]).map(schemaOf).filter((each) => "const" in each);
  const spelled = (value: Json, given: Text): FormChoice => ({ value: String(value), zh: given.zh ?? "", en: given.en ?? "" });
  if (one.length > 0) return one.map((each) => spelled(each["const"], { zh: String(each["title"] ?? ""), ...(schemaOf(each["x-title"]) as Text) }));
  return list(schema["enum"]).map((value) => spelled(value, schemaOf(words[String(value)]) as Text));
}
const holder = (schema: Schema): Schema => (schema["type"] === "array" ? schemaOf(schema["items"]) : schema);
export const choicesOf = (schema: Schema): FormChoice[] => choicesIn(holder(schema));
export function setChoices(schema: Schema, choices: readonly FormChoice[]): void {
  const at = holder(schema);
  delete at["oneOf"];
  at["enum"] = choices.map((one) => one.value);
  at["x-choices"] = Object.fromEntries(choices.map((one) => [one.value, said({ zh: one.zh, en: one.en })]).filter(([, words]) => Object.keys(words as Text).length > 0));
}
/** Words by language; where a form has none, the plain ones, which are Chinese here. */
const both = (given: Json, plain: Json): Text => (isObject(given) ? { zh: "", en: "", ...(given as Text) } : { zh: typeof plain === "string" ? plain : "", en: "" });
const TOLD = ["x-title", "x-help", "x-hint"];
/** A form that says everything in one language only, whatever the page speaks: for a look at it. */
export function inLanguage(value: Json, lang: "zh" | "en"): Json {
  if (Array.isArray(value)) return value.map((each) => inLanguage(each, lang));
  if (!isObject(value)) return value;
  const one = (words: Json): Json => (isObject(words) ? { zh: words[lang] ?? words["zh"] ?? words["en"], en: words[lang] ?? words["zh"] ?? words["en"] } : words);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => {
    if (TOLD.includes(name)) return [name, one(each)];
    if (name === "x-choices" && isObject(each)) return [name, Object.fromEntries(Object.entries(each).map(([choice, words]) => [choice, one(words)]))];
    return [name, inLanguage(each, lang)];
  }));
}
export function titleOfField(schema: Schema): Text {
  return both(schema["x-title"], schema["title"]);
}
export function setTitle(schema: Schema, lang: "zh" | "en", words: string): void {
  const title = said({ ...titleOfField(schema), [lang]: words });
  if (Object.keys(title).length === 0) { delete schema["x-title"]; delete schema["title"]; return; }
  schema["x-title"] = title;
  schema["title"] = title.zh ?? title.en;
}
export function helpOf(schema: Schema): Text {
  return both(schema["x-help"], schema["description"]);
}
export function setHelp(schema: Schema, lang: "zh" | "en", words: string): void {
  const help = said({ ...helpOf(schema), [lang]: words });
  if (Object.keys(help).length === 0) { delete schema["x-help"]; delete schema["description"]; return; }
  schema["x-help"] = help;
  schema["description"] = help.zh ?? help.en;
}
/** The values that a field may be asked to have: those of a choice, yes and no. */
export function valuesOf(schema: Schema): When["value"][] {
  const kind = kindOf(schema);
  return kind === "switch" ? [true, false] : kind === "choice" ? list(holder(schema)["enum"]).filter(isPlain) : [];
}
export const usableName = (name: string): boolean => ID.test(name);
/** Where JSON stops being readable: line and column from 1, and the place in the text. */
export function placeOfError(text: string, problem: unknown): { line: number; column: number; at: number } {
  const message = problem instanceof Error ? problem.message : "";
  const told = /position (\d+)/.exec(message);
  const at = told === null ? text.length : Number(told[1]);
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, at };
}
