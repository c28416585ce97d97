// SPDX-License-Identifier: Apache-2.0
// The rows of a desk: page after page while somebody scrolls, looked at again without moving anything.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from "vue";
import type { ComputedRef, Ref, ShallowRef } from "vue";
import { cases } from "@/casework/ask";
import { Pages } from "@/kit/pages";
import type { CaseRow, Page } from "@/casework/types";

export const PAGE = 100;
const MOST = 1_000;
const REFRESH_MS = 20_000;

export interface Compared { rows: CaseRow[]; newer: number; gone: Set<number> }
/** Rows as they are now, in the places they had; how many others would be there, and which are there no more. */
export function compare(shown: readonly CaseRow[], fresh: readonly CaseRow[], asked: number): Compared {
  const now = new Map(fresh.map((row) => [row.id, row]));
  const known = new Set(shown.map((row) => row.id));
  const newer = fresh.filter((row) => !known.has(row.id)).length;
  // New ones push as many others out of the first page: of those nothing is known.
  const looked = fresh.length < asked ? shown.length : Math.max(0, asked - newer);
  const gone = new Set(shown.slice(0, looked).filter((row) => !now.has(row.id)).map((row) => row.id));
  return { rows: shown.map((row) => now.get(row.id) ?? row), newer, gone };
}

export interface CaseList {
  rows: ShallowRef<CaseRow[]>; total: ShallowRef<number | null>; newer: Ref<number>; gone: ShallowRef<ReadonlySet<number>>; failure: ShallowRef<unknown>;
  at: ShallowRef<number | null>; isWhole: ComputedRef<boolean>; more: () => Promise<void>; refresh: (apply: boolean) => Promise<void>; loading: Ref<boolean>;
}

/** `asked` is the question; when `on` changes the list begins anew. */
export function useCaseList(asked: () => URLSearchParams, on: () => string): CaseList {
  const pages = new Pages(cases.list, asked, "after");
  const [rows, total, next, at] = [shallowRef<CaseRow[]>([]), shallowRef<number | null>(null), shallowRef<string | null>(null), shallowRef<number | null>(null)];
  const [newer, loading, gone] = [ref(0), ref(false), shallowRef<ReadonlySet<number>>(new Set<number>())];
  let isMore = false;

  function show(page: Page): void {
    [rows.value, next.value, total.value, newer.value, gone.value, at.value] = [page.cases, page.next, page.total, 0, new Set(), Date.now()];
  }
  async function begin(): Promise<void> {
    pages.turn += 1;
    const mine = pages.turn;
    loading.value = true;
    const page = await pages.fetch(PAGE);
    if (page !== null) show(page);
    if (mine === pages.turn) loading.value = false;
  }
  async function more(): Promise<void> {
    if (next.value === null || isMore) return;
    isMore = true;
    const page = await pages.fetch(PAGE, next.value);
    isMore = false;
    if (page === null) return;
    const known = new Set(rows.value.map((row) => row.id));
    rows.value = [...rows.value, ...page.cases.filter((row) => !known.has(row.id))];
    next.value = page.next;
  }
  async function refresh(apply: boolean): Promise<void> {
    const limit = Math.min(MOST, Math.max(PAGE, rows.value.length));
    const page = await pages.fetch(limit);
    if (page === null) return;
    if (apply) { show(page); return; }
    const compared = compare(rows.value, page.cases, limit);
    [rows.value, newer.value, gone.value, total.value, at.value] = [compared.rows, compared.newer, compared.gone, page.total, Date.now()];
  }
  const stop = watch(on, () => { [rows.value, total.value, next.value, newer.value, at.value] = [[], null, null, 0, null]; void begin(); }, { immediate: true });
  const timer = window.setInterval(() => { if (!document.hidden && at.value !== null) void refresh(false); }, REFRESH_MS);
  onBeforeUnmount(() => { pages.turn += 1; stop(); window.clearInterval(timer); });
  return { rows, total, newer, gone, failure: pages.failure, at, isWhole: computed(() => next.value === null), more, refresh, loading };
}
