// SPDX-License-Identifier: Apache-2.0
// What the city holds of a citizen, put so that they can read it: records with names and values, whatever part holds them.
export interface OwnRecord { part: string; fields: { name: string; value: string }[] }

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Every record in a part: lists are opened, what has no plain value is left to the file that can be taken along. */
function recordsIn(part: string, value: unknown): OwnRecord[] {
  if (Array.isArray(value)) return value.flatMap((each) => recordsIn(part, each));
  if (!isRecord(value)) return [];
  const plain = Object.entries(value).filter(([, each]) => ["string", "number", "boolean"].includes(typeof each) && each !== "");
  const inner = Object.values(value).flatMap((each) => recordsIn(part, each));
  const own = plain.length === 0 ? [] : [{ part, fields: plain.map(([name, each]) => ({ name, value: String(each) })) }];
  return [...own, ...inner];
}

export function recordsOf(data: unknown): OwnRecord[] {
  const parts = isRecord(data) && isRecord(data["parts"]) ? data["parts"] : {};
  return Object.entries(parts).flatMap(([part, value]) => recordsIn(part, value));
}
