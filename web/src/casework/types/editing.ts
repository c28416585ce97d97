// SPDX-License-Identifier: Apache-2.0
// What the parts of the editor have in common: the definition they change, its faults, and what names can be chosen.
import { computed, inject } from "vue";
import type { InjectionKey, Ref } from "vue";
import type { Facts, Text } from "@/api/types";
import { knows, say, t, text } from "@/i18n";
import { departmentName, work } from "@/casework/state";
import type { Move } from "@/casework/types";
import { placeOf } from "@/casework/types/faults";
import { fieldsOfForm, titleOfField } from "@/casework/types/form";
import type { Definition, Fault } from "@/casework/types/model";
import { EVENTS } from "@/casework/types/model";

export interface Named { name: string; words: string }
export interface Editing {
  definition: Ref<Definition>;
  xml: Ref<string>;
  locked: Readonly<Ref<boolean>>;
  faults: Readonly<Ref<readonly Fault[]>>;
  permissions: Readonly<Ref<readonly Named[]>>;
  roles: Readonly<Ref<readonly Named[]>>;
}
export const EDITING: InjectionKey<Editing> = Symbol("editing");

export function useEditing(): Editing {
  const found = inject(EDITING);
  if (found === undefined) throw new Error("no editing");
  return found;
}
export const faultsAt = (faults: readonly Fault[], anchor: string): readonly Fault[] => faults.filter((fault) => placeOf(fault).anchor === anchor);

export interface Option { value: string; words: string }
const of = (definition: Definition) => ({
  states: (): Option[] => Object.entries(definition.states).map(([value, state]) => ({ value, words: text(state.words) || value })),
});
export const stateOptions = (definition: Definition): Option[] => of(definition).states();
export const stateWords = (definition: Definition, id: string): string => text(definition.states[id]?.words) || id;
export const moveWords = (definition: Definition, name: string): string => text(definition.moves.find((move) => move.name === name)?.words) || name;
export const moveText = (move: Move): string => text(move.words) || move.name;
export const permissionWords = (name: string): string => say(`permission.${name}`, {}, name);
export const roleWords = (name: string, shown: Text = {}): string => text(shown) || (knows(`role.${name}`) ? say(`role.${name}`) : name);

const PLACES: Readonly<Record<string, string>> = { initial: "initial", transfers: "transfers", merge: "merges_into", search: "searched" };
/** Something by its words, with its id where that says more. */
const withId = (words: string, id: string): string => (words === id || words === "" ? id : `${words} (${id})`);
function moveOrPlace(definition: Definition, name: string): string {
  const place = PLACES[name];
  return place === undefined ? withId(moveWords(definition, name), name) : say(`types.word.${place}`);
}
function fieldOrNeed(definition: Definition, name: string): string {
  const found = fieldsOfForm(definition.form).find((field) => field.name === name);
  return found === undefined ? say(`types.need.${name}`, {}, name) : withId(text(titleOfField(found.schema)), name);
}
/** The facts of a sentence with states, moves and fields as they are called, not as they are spelled. */
export function inWords(definition: Definition, facts: Facts): Facts {
  const known: Record<string, (value: unknown) => unknown> = {
    state: (value) => withId(stateWords(definition, String(value)), String(value)),
    move: (value) => moveOrPlace(definition, String(value)),
    field: (value) => fieldOrNeed(definition, String(value)),
    missing: (value) => (Array.isArray(value) ? value.map((name) => fieldOrNeed(definition, String(name))) : value),
    moves: (value) => (Array.isArray(value) ? value.map((name) => moveWords(definition, String(name))) : value),
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, known[name]?.(value) ?? value]));
}

/** What begins or ends a limit: things that happen to every case, and coming into a state. */
export const eventWords = (definition: Definition, event: string): string =>
  (event.startsWith("state:") ? t("types.event_state", { state: stateWords(definition, event.slice(6)) }) : say(`types.event.${event}`, {}, event));
export const eventOptions = (definition: Definition): Option[] =>
  [...EVENTS, ...Object.keys(definition.states).map((id) => `state:${id}`)].map((value) => ({ value, words: eventWords(definition, value) }));

/** Whom a limit tells. */
export function recipientWords(to: string): string {
  const [kind, name] = [to.slice(0, to.indexOf(":") + 1), to.slice(to.indexOf(":") + 1)];
  if (kind === "role:") return t("types.to_role", { role: roleWords(name) });
  if (kind === "department:") return departmentName(name);
  return kind === "account:" ? name : say(`types.to.${to}`, {}, to);
}
export function useRecipients(editing: Editing): Readonly<Ref<Option[]>> {
  return computed(() => [
    ...["assignee", "department", "opener"],
    ...editing.roles.value.map((role) => `role:${role.name}`),
    ...(work.value?.departments ?? []).filter((one) => one.successor === null).map((one) => `department:${one.id}`),
  ].map((value) => ({ value, words: recipientWords(value) })));
}
