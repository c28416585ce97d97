// SPDX-License-Identifier: Apache-2.0
// What does not fit a JSON Schema, as far as forms use it; the server checks everything again.
import { FORMATS } from "@/kit/schema-formats";

export type Json = unknown;
export type Schema = Record<string, Json>;
export type Path = readonly (string | number)[];
/** A word of the schema that does not hold; `missing` names what is not there. */
export interface Misfit { word: string; path: Path; schema: Schema; limit: Json; missing?: string }

export const isObject = (value: Json): value is Record<string, Json> => typeof value === "object" && value !== null && !Array.isArray(value);
export const schemaOf = (value: Json): Schema => (isObject(value) ? value : {});
const listOf = (value: Json): Json[] => (Array.isArray(value) ? value : []);
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A schema with what its `$ref` names beside its own words; only places in the form itself are named. */
export function followed(root: Schema, schema: Schema): Schema {
  let found = schema;
  for (let round = 0; round < 20 && typeof found["$ref"] === "string"; round += 1) {
    const steps = found["$ref"].replace(/^#\/?/, "").split("/").filter((step) => step !== "");
    const target = steps.reduce<Json>((at, step) => schemaOf(at)[step.replace(/~1/g, "/").replace(/~0/g, "~")], root);
    found = { ...schemaOf(target), ...Object.fromEntries(Object.entries(found).filter(([word]) => word !== "$ref")) };
  }
  return found;
}

const KINDS: Record<string, (value: Json) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: isObject,
  null: (value) => value === null,
};
const lengthOf = (text: string): number => [...text].length;

function patternHolds(text: string, pattern: string): boolean {
  try { return new RegExp(pattern, "u").test(text); } catch { return true; }
}
const multiple = (value: number, of: number): boolean => Math.abs(value / of - Math.round(value / of)) < 1e-9;

type Rule = (value: never, limit: never) => boolean;
/** For each kind of value the words that bind it: true when it holds. */
const RULES: Record<string, Record<string, Rule>> = {
  string: {
    minLength: (value: string, limit: number) => lengthOf(value) >= limit,
    maxLength: (value: string, limit: number) => lengthOf(value) <= limit,
    pattern: patternHolds,
    format: (value: string, name: string) => FORMATS[name]?.(value) ?? true,
  },
  number: {
    minimum: (value: number, limit: number) => value >= limit,
    exclusiveMinimum: (value: number, limit: number) => value > limit,
    maximum: (value: number, limit: number) => value <= limit,
    exclusiveMaximum: (value: number, limit: number) => value < limit,
    multipleOf: multiple,
  },
  array: {
    minItems: (value: Json[], limit: number) => value.length >= limit,
    maxItems: (value: Json[], limit: number) => value.length <= limit,
    uniqueItems: (value: Json[], limit: boolean) => !limit || new Set(value.map((each) => JSON.stringify(each))).size === value.length,
  },
};
const kindOf = (value: Json): string => (Array.isArray(value) ? "array" : typeof value);

const typesOf = (schema: Schema): string[] => [schema["type"]].flat().filter((type): type is string => typeof type === "string");
const hasType = (types: string[], value: Json): boolean => types.length === 0 || types.some((type) => KINDS[type]?.(value) ?? true);

function* among(schema: Schema, value: Json, path: Path): Generator<Misfit> {
  if (Array.isArray(schema["enum"]) && !schema["enum"].some((each) => same(each, value))) yield { word: "enum", path, schema, limit: schema["enum"] };
  if ("const" in schema && !same(schema["const"], value)) yield { word: "const", path, schema, limit: schema["const"] };
}

function* plain(schema: Schema, value: Json, path: Path): Generator<Misfit> {
  const types = typesOf(schema);
  if (!hasType(types, value)) { yield { word: "type", path, schema, limit: types.join(", ") }; return; }
  yield* among(schema, value, path);
  for (const [word, holds] of Object.entries(RULES[kindOf(value)] ?? {})) {
    if (word in schema && !holds(value as never, schema[word] as never)) yield { word, path, schema, limit: schema[word] };
  }
}

function* missing(schema: Schema, value: Record<string, Json>, path: Path): Generator<Misfit> {
  const bound = Object.entries(schemaOf(schema["dependentRequired"])).flatMap(([given, names]) => (given in value ? listOf(names) : []));
  for (const [word, names] of [["required", listOf(schema["required"])], ["dependentRequired", bound]] as const) {
    for (const name of names) if (typeof name === "string" && !(name in value)) yield { word, path, schema, limit: name, missing: name };
  }
}

function* inside(root: Schema, schema: Schema, value: Record<string, Json>, path: Path): Generator<Misfit> {
  yield* missing(schema, value, path);
  for (const [name, each] of Object.entries(schemaOf(schema["properties"]))) if (name in value) yield* misfits(root, each, value[name], [...path, name]);
  for (const [name, each] of Object.entries(schemaOf(schema["dependentSchemas"]))) if (name in value) yield* misfits(root, each, value, path);
}

function* below(root: Schema, schema: Schema, value: Json, path: Path): Generator<Misfit> {
  if (isObject(value)) yield* inside(root, schema, value, path);
  else if (Array.isArray(value) && "items" in schema) for (const [index, each] of value.entries()) yield* misfits(root, schema["items"], each, [...path, index]);
}

function* branches(root: Schema, schema: Schema, value: Json, path: Path): Generator<Misfit> {
  for (const each of listOf(schema["allOf"])) yield* misfits(root, each, value, path);
  if ("if" in schema) yield* misfits(root, schema[fits(root, schema["if"], value) ? "then" : "else"] ?? true, value, path);
}

function* choices(root: Schema, schema: Schema, value: Json, path: Path): Generator<Misfit> {
  if (Array.isArray(schema["anyOf"]) && !schema["anyOf"].some((each) => fits(root, each, value))) yield { word: "anyOf", path, schema, limit: "" };
  if (Array.isArray(schema["oneOf"]) && schema["oneOf"].filter((each) => fits(root, each, value)).length !== 1) yield { word: "oneOf", path, schema, limit: "" };
  if ("not" in schema && fits(root, schema["not"], value)) yield { word: "not", path, schema, limit: "" };
}

/** Everything of a schema that a value does not meet. */
export function* misfits(root: Schema, given: Json, value: Json, path: Path = []): Generator<Misfit> {
  if (given === false) { yield { word: "false", path, schema: {}, limit: "" }; return; }
  const schema = followed(root, schemaOf(given));
  yield* plain(schema, value, path);
  yield* below(root, schema, value, path);
  yield* branches(root, schema, value, path);
  yield* choices(root, schema, value, path);
}

export const fits = (root: Schema, schema: Json, value: Json): boolean => misfits(root, schema, value).next().done === true;
