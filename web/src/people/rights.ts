// SPDX-License-Identifier: Apache-2.0
// What two versions of a role do not have in common.
import type { RoleRight } from "@/people/types";

export type Given = "none" | "own" | "all" | "other";
export const FULL: RoleRight = { own: false, fields: {}, otherwise: "masked" };

export const given = (right: RoleRight | undefined | null): "none" | "own" | "all" => (right === undefined || right === null ? "none" : right.own ? "own" : "all");
const same = (a: RoleRight | undefined, b: RoleRight | undefined): boolean => {
  const plain = (one: RoleRight | undefined): string => (one === undefined ? "" : JSON.stringify([one.own, one.otherwise, Object.entries(one.fields).sort()]));
  return plain(a) === plain(b);
};

/** Permissions that differ: what each gives, or `other` where only the showing of personal data differs. */
export function differences(mine: Record<string, RoleRight>, theirs: Record<string, RoleRight>): { permission: string; mine: Given; theirs: Given }[] {
  const every = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].sort();
  return every.filter((permission) => !same(mine[permission], theirs[permission])).map((permission) => {
    const [a, b] = [given(mine[permission]), given(theirs[permission])];
    return { permission, mine: a, theirs: a === b ? "other" : b };
  });
}
