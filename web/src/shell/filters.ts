// SPDX-License-Identifier: Apache-2.0
// What desks show of all there is: kept in the address, so that a list can be sent to a colleague as it stands.
import { reactive } from "vue";

/** Words of the address that are no filter. */
const OTHERS = new Set(["sel", "at", "v", "bench"]);

export const filters = reactive<Record<string, string>>({});

export const filterOf = (name: string): string => filters[name] ?? "";

export function setFilters(values: Record<string, string>): void {
  Object.assign(filters, values);
}

/** Takes the filters of an address; those it does not name are off. */
export function readFilters(query: Record<string, string | undefined>): void {
  for (const name of Object.keys(filters)) if (query[name] === undefined) filters[name] = "";
  for (const [name, value] of Object.entries(query)) if (!OTHERS.has(name) && typeof value === "string") filters[name] = value;
}
