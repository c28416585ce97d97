// SPDX-License-Identifier: Apache-2.0
// Keys of the whole screen; a desk may add its own while it is open.
import { ref, watch } from "vue";

export type Act = () => void;
export type KeyActs = Record<string, Act>;

const REMEMBERED = "citybrain.letters";
/** Single-letter keys can be switched off (WCAG 2.1.4). */
export const letters = ref(typeof localStorage === "undefined" || localStorage.getItem(REMEMBERED) !== "off");
watch(letters, (on) => { localStorage.setItem(REMEMBERED, on ? "on" : "off"); });

const stack: KeyActs[] = [];

/** Adds keys while something is on screen; the newest wins. Returns how to take them away. */
export function useKeys(acts: KeyActs): () => void {
  stack.push(acts);
  return () => { stack.splice(stack.indexOf(acts), 1); };
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** A control's own keys stay its own: Space and Enter press a focused button. */
function ownKey(target: EventTarget | null, key: string): boolean {
  return target instanceof HTMLElement && [" ", "Enter"].includes(key) && target.closest("button, a, summary, [role=option]") !== null;
}

export function nameOfKey(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.ctrlKey || event.metaKey ? `ctrl ${key}` : key;
}

function elsewhere(event: KeyboardEvent, name: string): boolean {
  if (event.altKey || event.isComposing || ownKey(event.target, event.key)) return true;
  if (name.length === 1 && !letters.value) return true;
  return typing(event.target) && (name.length === 1 || name === "Enter");
}

function onKey(event: KeyboardEvent): void {
  const name = nameOfKey(event);
  if (elsewhere(event, name)) return;
  const acts = [...stack].reverse().find((one) => name in one);
  if (acts === undefined) return;
  event.preventDefault();
  acts[name]?.();
}

export function listenToKeys(): () => void {
  window.addEventListener("keydown", onKey);
  return () => { window.removeEventListener("keydown", onKey); };
}
