// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and acts that need it: asked first when nobody is, asked again when the session has run out.
import { computed } from "vue";
import { api, Refusal } from "@/api/client";
import { city, loadMe } from "@/api/live";
import { asking, overlay } from "@/shell/selection";

export const me = computed(() => city.value?.me ?? { name: null, permissions: [] });
export const may = (permission: string): boolean => me.value.permissions.includes(permission);
export const signedIn = computed(() => me.value.name !== null);

export function askToSignIn(why: "needed" | "expired" | null, then: (() => void) | null): void {
  asking.why = why;
  asking.then = then;
  overlay.value = "sign_in";
}

/** Runs an act; when it needs a sign-in that is missing or has run out, asks for it and then runs it again. */
export async function act(doIt: () => Promise<unknown>): Promise<void> {
  if (!signedIn.value) { askToSignIn("needed", () => { void act(doIt).catch(() => undefined); }); return; }
  try {
    await doIt();
  } catch (failure) {
    if (!(failure instanceof Refusal) || failure.status !== 401) throw failure;
    askToSignIn("expired", () => { void act(doIt).catch(() => undefined); });
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  await api.signIn(name, password);
  await loadMe();
  const { then } = asking;
  asking.then = null;
  overlay.value = null;
  then?.();
}

export async function signOut(): Promise<void> {
  await api.signOut();
  await loadMe();
}
