// SPDX-License-Identifier: Apache-2.0
// The intake form: what is typed, what is suggested meanwhile, how it is kept and sent. It outlives the screen.
import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch } from "vue";
import { Refusal } from "@/api/client";
import { hotline } from "@/apps/hotline/ask";
import { current } from "@/apps/hotline/calls";
import type { Article, Intake, Near, Receipt, Suggestion, Urgency } from "@/apps/hotline/types";
import { act } from "@/shell/access";
import { useDraft } from "@/casework/draft";
import type { Keeping } from "@/casework/draft";

const SUGGEST_AFTER_MS = 250;
const SHORTEST = 2;
const DRAFT = "hotline:intake";

export interface Form {
  text: string; category: string; department: string; urgency: Urgency | ""; address: string; longitude: number | null; latitude: number | null; place: string;
  name: string; phone: string; keepNumber: boolean; public: boolean; answering: boolean; answer: string; resolution: string; key: string;
}
const empty = (): Form => ({
  text: "", category: "", department: "", urgency: "", address: "", longitude: null, latitude: null, place: "", name: "", phone: "", keepNumber: true, public: false,
  answering: false, answer: "", resolution: "explained", key: `desk:${crypto.randomUUID()}`,
});

export const form = reactive<Form>(empty());
/** An open ticket about the same matter: what is told goes there instead of opening a new one. */
export const addTo = shallowRef<Near | null>(null);
export const suggestion = shallowRef<Suggestion | null>(null);
export const suggesting = ref(false);
export const articles = shallowRef<readonly Article[]>([]);
/** What was done last: shown until the next call. */
export const done = shallowRef<{ receipt: Receipt | null; addedTo: string; answered: boolean; caseId: number } | null>(null);
/** The field that is missing, as its name in the form. */
export const missing = ref("");

export const isEmpty = computed(() => [form.text, form.address, form.name, form.phone, form.answer].every((typed) => typed.trim() === ""));
const top = computed(() => (suggestion.value?.sure === true ? suggestion.value.categories[0]?.category ?? "" : ""));
/** What goes out: what was chosen, else what is suggested and sure. */
export const category = computed(() => form.category || top.value);
export const department = computed(() => form.department || suggestion.value?.routed.department || "");

export function clear(): void {
  Object.assign(form, empty());
  addTo.value = suggestion.value = done.value = null;
  articles.value = [];
  missing.value = "";
}

/** Puts an answer that was given before, or an article, into the answer; what stands there stays. */
export function insert(words: string): void {
  form.answering = true;
  form.answer = [form.answer.trim(), words.trim()].filter((one) => one !== "").join("\n");
}

function told(dispatching: boolean): Intake {
  const call = current.value?.call ?? null;
  return {
    text: form.text, channel: "phone", caller: { name: form.name.trim(), phone: form.phone.trim(), email: "" }, category: category.value,
    department: dispatching ? form.department : "", hand_on: dispatching, urgency: form.urgency || null, longitude: form.longitude, latitude: form.latitude,
    address: form.address.trim(), key: form.key, call_id: call?.id ?? null, keep_number: call !== null && form.keepNumber, public: form.public,
  };
}

function complete(dispatching: boolean): boolean {
  const needed: [string, boolean][] = [["text", form.text.trim() !== ""], ["category", category.value !== "" || addTo.value !== null], ["answer", dispatching || form.answer.trim() !== ""]];
  missing.value = needed.find(([, there]) => !there)?.[0] ?? "";
  return missing.value === "";
}

/** Opens the ticket (or adds to the one chosen) and hands it on, or answers it at once. Whoever sends twice gets one ticket. */
export async function send(how: "dispatch" | "answer"): Promise<void> {
  if (!complete(how === "dispatch")) return;
  await act(async () => {
    if (addTo.value !== null && how === "dispatch") {
      const added = await hotline.addTo(addTo.value.case_id, form.text, current.value?.call.id ?? null);
      done.value = { receipt: null, addedTo: added.number, answered: false, caseId: added.case_id };
    } else {
      const receipt = await hotline.take(told(how === "dispatch"));
      if (how === "answer") await hotline.answerNow(receipt.case_id, form.answer, form.resolution);
      done.value = { receipt, addedTo: "", answered: how === "answer", caseId: receipt.case_id };
    }
    const kept = done.value;
    clear();
    done.value = kept;
  });
}

async function suggest(signal: AbortSignal): Promise<void> {
  if (form.text.trim().length < SHORTEST) { suggestion.value = null; articles.value = []; return; }
  suggesting.value = true;
  try {
    const asked = { text: form.text, category: form.category, longitude: form.longitude, latitude: form.latitude };
    const [got, found] = await Promise.all([hotline.suggest(asked, signal), hotline.articles({ words: form.text.slice(0, 200) })]);
    if (signal.aborted) return;
    suggestion.value = got;
    articles.value = found.slice(0, 3);
  } catch (failure) {
    // While one types a suggestion that does not come is no matter of its own; the next key asks again.
    if (!signal.aborted && !(failure instanceof Refusal)) throw failure;
  } finally { if (!signal.aborted) suggesting.value = false; }
}

/** Suggestions and drafts follow what is typed while the screen is open. */
export function useIntake(): Keeping {
  let asking = new AbortController();
  let timer = 0;
  const stops = [
    watch(() => [form.text, form.category, form.longitude], () => {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { void suggest(signal).catch(() => undefined); }, SUGGEST_AFTER_MS);
    }),
    watch(form, () => { missing.value = ""; }),
  ];
  onBeforeUnmount(() => { asking.abort(); window.clearTimeout(timer); for (const stop of stops) stop(); });
  // An empty form is kept as nothing, so that what was sent does not come back.
  return useDraft(() => DRAFT, () => (isEmpty.value ? {} : { ...form }), (kept) => { if (isEmpty.value) Object.assign(form, kept); });
}
