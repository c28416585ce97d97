// SPDX-License-Identifier: Apache-2.0
// Forms as JSON Schema: which fields apply to what was filled in, what they are called, and what is wrong. Pure.
import type { Facts, Text } from "@/api/types";
import { fits, followed, isObject, misfits, schemaOf } from "@/kit/schema-check";
import type { Json, Misfit, Path, Schema } from "@/kit/schema-check";

export type { Json, Path, Schema } from "@/kit/schema-check";
export interface Problem { code: string; facts: Facts & { field: string } }
export interface Choice { value: Json; words: Text }
export type Control = "choice" | "switch" | "number" | "line" | "lines" | "date" | "time" | "many" | "list" | "group" | "raw";
export interface Field { name: string; path: Path; schema: Schema; words: Text; about: Text; required: boolean; personal: boolean; control: Control; choices: Choice[] }
export interface Judged { values: Facts; problems: Problem[] }

export const spelled = (path: Path): string => path.join(".");
const listOf = (value: Json): Json[] => (Array.isArray(value) ? value : []);

/** Words by language from a plain word or from words by language. */
export function wordsOf(value: Json): Text | null {
  if (typeof value === "string") return { zh: value, en: value };
  return isObject(value) && Object.values(value).every((each) => typeof each === "string") && Object.keys(value).length > 0 ? (value as Text) : null;
}
export const titleOf = (schema: Schema, name: string): Text => {
  const plain = typeof schema["title"] === "string" ? schema["title"] : name;
  return { zh: plain, en: plain, ...(wordsOf(schema["x-title"]) ?? wordsOf(schema["x-words"]) ?? wordsOf(schema["title"]) ?? {}) };
};

function chosenOf(root: Schema, schema: Schema, value: Json): Json[] {
  const branch = "if" in schema ? [schema[fits(root, schema["if"], value) ? "then" : "else"]] : [];
  const fitting = ["anyOf", "oneOf"].flatMap((word) => listOf(schema[word]).filter((each) => fits(root, each, value)));
  const bound = Object.entries(schemaOf(schema["dependentSchemas"])).filter(([name]) => isObject(value) && name in value).map(([, each]) => each);
  return [...listOf(schema["allOf"]), ...branch, ...fitting, ...bound];
}

/** The schemas whose parts apply to a value: itself and those its conditions lead to. */
export function* applying(root: Schema, given: Json, value: Json): Generator<Schema> {
  if (!isObject(given)) return;
  const schema = followed(root, given);
  yield schema;
  for (const each of chosenOf(root, schema, value)) yield* applying(root, each, value);
}

const ALWAYS = ["allOf", "anyOf", "oneOf"];
function everyProperty(root: Schema, given: Json, depth = 0): Record<string, Json> {
  if (!isObject(given) || depth > 30) return {};
  const schema = followed(root, given);
  const below = [schema["then"], schema["else"], ...Object.values(schemaOf(schema["dependentSchemas"])), ...ALWAYS.flatMap((word) => listOf(schema[word]))];
  return { ...Object.assign({}, ...below.map((each) => everyProperty(root, each, depth + 1))), ...schemaOf(schema["properties"]) };
}

/** The properties that applying parts ask for, in the order of the form. */
function shownProperties(root: Schema, schema: Json, value: Json): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const each of applying(root, schema, value)) {
    for (const [name, one] of Object.entries(schemaOf(each["properties"]))) found.set(name, { ...found.get(name), ...schemaOf(one) });
  }
  return found;
}

function requiredNames(root: Schema, schema: Json, value: Json): Set<string> {
  const names = new Set<string>();
  for (const each of applying(root, schema, value)) {
    for (const name of listOf(each["required"])) names.add(String(name));
    for (const [given, bound] of Object.entries(schemaOf(each["dependentRequired"]))) if (isObject(value) && given in value) for (const name of listOf(bound)) names.add(String(name));
  }
  return names;
}

/** Values of parts that do not apply are dropped, as the server drops them. */
function withoutHidden(root: Schema, schema: Json, value: Json): Json {
  if (!isObject(value)) return value;
  const shown = shownProperties(root, schema, value);
  const known = everyProperty(root, schema);
  const kept = Object.entries(value).filter(([name]) => shown.has(name) || !(name in known));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutHidden(root, shown.get(name) ?? {}, each)]));
}

function settled(form: Schema, values: Facts): Facts {
  let now = values;
  for (let round = 0; round < 50; round += 1) {
    const next = withoutHidden(form, form, now) as Facts;
    if (JSON.stringify(next) === JSON.stringify(now)) return now;
    now = next;
  }
  return now;
}

const CODES: Record<string, [string, string]> = {
  type: ["kernel.form_wrong_kind", "kind"], enum: ["kernel.form_not_among", "choices"], const: ["kernel.form_not_among", "choices"],
  minLength: ["kernel.form_too_short", "limit"], maxLength: ["kernel.form_too_long", "limit"],
  minimum: ["kernel.form_too_small", "limit"], exclusiveMinimum: ["kernel.form_too_small", "limit"],
  maximum: ["kernel.form_too_big", "limit"], exclusiveMaximum: ["kernel.form_too_big", "limit"], multipleOf: ["kernel.form_not_a_multiple", "limit"],
  minItems: ["kernel.form_too_few", "limit"], maxItems: ["kernel.form_too_many", "limit"], uniqueItems: ["kernel.form_twice", "limit"],
  pattern: ["kernel.form_pattern", "pattern"], format: ["kernel.form_format", "format"],
};

/** The schema in which a field is named, in whatever part it stands. */
function find(root: Schema, schema: Json, names: readonly string[]): Schema {
  const [name, ...rest] = names;
  if (name === undefined) return schemaOf(schema);
  return find(root, everyProperty(root, schema)[name], rest);
}

function problemOf(form: Schema, misfit: Misfit): Problem {
  const path = misfit.missing === undefined ? misfit.path : [...misfit.path, misfit.missing];
  const names = path.filter((step): step is string => typeof step === "string");
  const last = names.at(-1);
  const label = last === undefined ? {} : titleOf(find(form, form, names), last);
  const about = { field: spelled(path), label };
  if (misfit.missing !== undefined) return { code: "kernel.form_missing", facts: about };
  const [code, slot] = CODES[misfit.word] ?? ["kernel.form_unfitting", "why"];
  const limit = Array.isArray(misfit.limit) ? misfit.limit.slice(0, 20).map(String).join(", ") : misfit.limit;
  return { code, facts: { ...about, [slot]: limit, rule: misfit.word, hint: misfit.schema["x-hint"] ?? "" } };
}

/** Evaluates a form as the server does. */
export function judge(form: Schema, values: Facts): Judged {
  const kept = settled(form, values);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const misfit of misfits(form, form, kept)) {
    const problem = problemOf(form, misfit);
    const key = `${problem.code} ${problem.facts.field}`;
    if (!seen.has(key)) { seen.add(key); problems.push(problem); }
  }
  return { values: kept, problems };
}

function choicesOf(schema: Schema): Choice[] {
  const words = schemaOf(schema["x-choices"]);
  const one = listOf(schema["oneOf"]).map(schemaOf);
  if (one.length > 0 && one.every((each) => "const" in each)) return one.map((each) => ({ value: each["const"], words: titleOf(each, String(each["const"])) }));
  return listOf(schema["enum"]).map((value) => ({ value, words: wordsOf(words[String(value)]) ?? { zh: String(value), en: String(value) } }));
}

const LONG = 200;
const OF_TYPE: Record<string, (schema: Schema, root: Schema) => Control> = {
  boolean: () => "switch",
  number: () => "number",
  integer: () => "number",
  object: () => "group",
  array: (schema, root) => {
    const items = followed(root, schemaOf(schema["items"]));
    if (choicesOf(items).length > 0) return "many";
    return items["type"] === undefined || items["type"] === "string" ? "list" : "raw";
  },
  string: (schema) => {
    if (schema["format"] === "date") return "date";
    if (schema["format"] === "time") return "time";
    return schema["x-long"] === true || (typeof schema["maxLength"] === "number" && schema["maxLength"] > LONG) ? "lines" : "line";
  },
};

function controlOf(root: Schema, schema: Schema): Control {
  if (choicesOf(schema).length > 0) return "choice";
  const types = [schema["type"]].flat().filter((type) => type !== "null");
  const type = typeof types[0] === "string" ? types[0] : isObject(schema["properties"]) ? "object" : "string";
  return (OF_TYPE[type] ?? (() => "raw" as const))(schema, root);
}

/** The fields to show for what was filled in; with `only` those, and those that appear because of them. */
export function fieldsOf(form: Schema, values: Facts, at: { schema?: Schema; value?: Json; path?: Path; only?: readonly string[] } = {}): Field[] {
  const schema = at.schema ?? form;
  const value = at.value ?? values;
  const needed = requiredNames(form, schema, value);
  const always = schemaOf(schema["properties"]);
  const wanted = (name: string): boolean => at.only === undefined || at.only.includes(name) || (at.only.length > 0 && !(name in always));
  return [...shownProperties(form, schema, value)].filter(([name]) => wanted(name)).map(([name, given]) => {
    const own = followed(form, given);
    const control = controlOf(form, own);
    return {
      name, path: [...(at.path ?? []), name], schema: own, words: titleOf(own, name), about: wordsOf(own["x-help"]) ?? wordsOf(own["description"]) ?? {}, required: needed.has(name) || (at.only?.includes(name) ?? false),
      personal: own["x-personal"] !== undefined, control, choices: choicesOf(control === "many" ? followed(form, schemaOf(own["items"])) : own),
    };
  });
}

const isEmpty = (value: Json): boolean => value === undefined || value === "" || (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0);

/** Values with another one at a place; what is empty is not there. */
export function put(values: Facts, path: Path, value: Json): Facts {
  const [name, ...rest] = path;
  if (name === undefined) return values;
  const inner = rest.length === 0 ? value : put(schemaOf(values[name]), rest, value);
  if (!isEmpty(inner)) return { ...values, [name]: inner };
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== String(name)));
}

export const valueAt = (values: Json, path: Path): Json => path.reduce<Json>((at, step) => (isObject(at) ? at[step] : undefined), values);

/** What is in the form when it opens: what was there, else what the form proposes. */
export function initial(form: Schema, given: Facts): Facts {
  const proposed = [...shownProperties(form, form, given)].flatMap(([name, each]) => ("default" in each && !(name in given) ? [[name, each["default"]] as const] : []));
  return { ...Object.fromEntries(proposed), ...given };
}
