// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and acts that need it: whatever is missing (sign-in, proof, second factor) is asked for over the form, and the act goes on.
import { computed, ref } from "vue";
import { api, Refusal, refusals } from "@/api/client";
import { city, loadMe } from "@/api/live";
import type { Me } from "@/api/types";
import { asking, overlay } from "@/shell/selection";
import type { Why } from "@/shell/selection";

const NOBODY: Me = { name: null, permissions: [] };
export const me = computed<Me>(() => city.value?.me ?? NOBODY);
export const may = (permission: string): boolean => me.value.permissions.includes(permission);
export const signedIn = computed(() => me.value.name !== null);
/** The session that this page still shows is over; what is on screen stays until somebody signs in. */
export const sessionOver = ref(false);

const ASKED_AT_MOST = 4;
const CHANNEL = "citybrain.session";
const windows = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
let waiting: ((passed: boolean) => void)[] = [];

export function askToSignIn(why: Why | null, then: (() => void) | null): void {
  asking.why = why;
  asking.then = then;
  overlay.value = "sign_in";
}

function settle(passed: boolean): void {
  const { then } = asking;
  const told = waiting;
  waiting = [];
  asking.why = asking.then = null;
  if (overlay.value === "sign_in") overlay.value = null;
  if (passed) then?.();
  for (const tell of told) tell(passed);
}

/** What the dialog asked for is there: acts that wait go on. */
export const passed = (): void => { settle(true); };
/** The dialog was closed: acts that wait end with the refusal they met, and what was typed stays. */
export const gaveUp = (): void => { settle(false); };

const askFor = (why: Why): Promise<boolean> => new Promise((resolve) => {
  waiting.push(resolve);
  askToSignIn(why, asking.then);
});

/** What a refusal asks of the person: nothing that can be given in a dialog, or what kind of dialog. */
export function wantedBy(failure: unknown): Why | null {
  if (!(failure instanceof Refusal)) return null;
  if (failure.status === 401) return signedIn.value ? "expired" : "needed";
  return ({ "serve.proof_needed": "proof", "serve.second_factor_to_enrol": "enrol" } as const)[failure.code as "serve.proof_needed"] ?? null;
}

/**
 * Runs an act; when it needs a sign-in, a proof or a second factor, asks for it over the screen and then runs it again.
 * Resolves once it is done; whoever closes the dialog gets the refusal.
 */
export async function act(doIt: () => Promise<unknown>): Promise<void> {
  if (!signedIn.value && !(await askFor("needed"))) throw new Refusal(401, "web.not_signed_in", {}, "");
  for (let asked = 0; ; asked += 1) {
    try {
      await doIt();
      return;
    } catch (failure) {
      const why = wantedBy(failure);
      if (why === null || asked === ASKED_AT_MOST || !(await askFor(why))) throw failure;
    }
  }
}

/** Signs in; somebody else than before begins with a page of their own, so that nobody acts with what another typed. */
export async function signIn(name: string, password: string, code?: string): Promise<void> {
  await api.signIn(name, password, code);
  windows?.postMessage("in");
  await resume();
}

async function resume(): Promise<void> {
  const before = me.value.account ?? null;
  await loadMe();
  sessionOver.value = false;
  if (before !== null && me.value.account !== before) { location.reload(); return; }
  passed();
}

export async function signOut(): Promise<void> {
  await api.signOut();
  sessionOver.value = false;
  windows?.postMessage("out");
  await loadMe();
}

/** The session is over: says so once, over whatever is on screen. */
function over(why: "expired" | "elsewhere"): void {
  if (!signedIn.value || sessionOver.value) return;
  sessionOver.value = true;
  // A dialog that asks for more than a sign-in asks for that first; the act comes back to it.
  if (overlay.value === "sign_in") asking.why = why;
  else askToSignIn(why, null);
}

/** Another window may have signed in or out, or the session ended while nobody looked. */
async function lookAgain(why: "expired" | "elsewhere"): Promise<void> {
  const now = await api.me().catch(() => null);
  if (now === null) return;
  if ((now.account ?? null) === null) { over(why); return; }
  if (sessionOver.value || now.account !== (me.value.account ?? null) || now.session !== me.value.session) await resume();
}

/** Notices the end of the session wherever it happens, and a provider that sent somebody back with a refusal. */
export function watchSession(): void {
  refusals.heard = (refusal) => { if (refusal.code === "serve.session_over") over("expired"); };
  if (windows !== null) windows.onmessage = () => { void lookAgain("elsewhere"); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && city.value !== null) void lookAgain("expired"); });
  const refused = new URLSearchParams(location.search).get("refused");
  if (refused === null) return;
  asking.code = refused;
  askToSignIn("refused", null);
}
