// SPDX-License-Identifier: Apache-2.0
// The rows of a long list, fetched page by page as they come into sight.
import { computed, onBeforeUnmount, shallowReactive, shallowRef, watch } from "vue";
import type { ComputedRef, ShallowRef } from "vue";
import { pool } from "@/apps/pool/ask";
import type { Page, Row } from "@/apps/pool/types";
import { MOST_ROWS, PAGE, pageOf } from "@/apps/pool/words";

export interface Asked { tenant: string; type: string; words: string }
export interface Rows {
  /** The newest page that came: its counts hold for the whole list. */
  page: ShallowRef<Page | null>;
  length: ComputedRef<number>;
  failure: ShallowRef<unknown>;
  at: (index: number) => Row | undefined;
  reload: () => void;
}

const REFRESH_MS = 15_000;
/** So many pages, those seen last, are fetched again when the list is refreshed. */
const FRESH_PAGES = 2;

export function useRows(asked: () => Asked): Rows {
  const pages = shallowReactive(new Map<number, readonly Row[]>());
  const page = shallowRef<Page | null>(null);
  const failure = shallowRef<unknown>(null);
  let under = new Set<number>();
  let recent: number[] = [];
  let turn = 0;

  async function fetchPage(number: number): Promise<void> {
    if (under.has(number)) return;
    under.add(number);
    const mine = turn;
    try {
      const got = await pool.entities({ ...asked(), offset: number * PAGE });
      if (mine !== turn) return;
      if (asked().words === "") pages.set(number, got.rows);
      else for (let i = 0; i * PAGE < Math.max(1, got.rows.length); i += 1) pages.set(i, got.rows.slice(i * PAGE, (i + 1) * PAGE));
      page.value = got;
      failure.value = null;
    } catch (caught) {
      if (mine === turn) failure.value = caught;
    } finally {
      if (mine === turn) under.delete(number);
    }
  }

  function reload(): void {
    turn += 1;
    under = new Set();
    failure.value = null;
    void fetchPage(0);
  }

  const stop = watch(() => JSON.stringify(asked()), () => { pages.clear(); page.value = null; recent = []; reload(); }, { immediate: true });
  const timer = window.setInterval(() => { if (!document.hidden) for (const number of new Set([0, ...recent])) void fetchPage(number); }, REFRESH_MS);
  onBeforeUnmount(() => { turn += 1; stop(); window.clearInterval(timer); });

  const found = computed(() => (asked().words === "" ? page.value?.total ?? 0 : page.value?.rows.length ?? 0));
  return {
    page,
    length: computed(() => Math.min(MOST_ROWS, found.value)),
    failure,
    at: (index) => {
      const number = pageOf(index);
      if (!recent.includes(number)) recent = [number, ...recent].slice(0, FRESH_PAGES);
      const there = pages.get(number);
      if (there === undefined && page.value !== null && asked().words === "") queueMicrotask(() => { void fetchPage(number); });
      return there?.[index - number * PAGE];
    },
    reload,
  };
}
