// SPDX-License-Identifier: Apache-2.0
// The full facts of one entity: fetched when opened, refreshed while live, asked for the clock's time in replay.
import { onScopeDispose, ref, shallowRef, watch } from "vue";
import type { Ref, ShallowRef } from "vue";
import { api, Refusal } from "@/api/client";
import type { EntityDetail } from "@/api/types";
import { clock, isLive } from "@/time/clock";

const EVERY_MS = 2000;

export interface Detail { detail: ShallowRef<EntityDetail | null>; failure: ShallowRef<unknown>; load: () => Promise<void>; busy: Ref<boolean> }

/** What was known by a time: in replay nothing newer may show. */
export function knownBy(detail: EntityDetail, atMs: number): EntityDetail {
  const before = (at: string | null): boolean => at === null || Date.parse(at) <= atMs + 1000;
  return {
    ...detail,
    now: detail.now.filter((one) => before(one.observed_at)),
    orders: detail.orders.filter((order) => before(order.at)),
    events: detail.events.filter((event) => before(event.at)),
    parts: detail.parts.map((part) => ({ ...part, now: part.now.filter((one) => before(one.observed_at)) })),
  };
}

/** A lost line is told by the banner; a drawer then keeps what it knew and says nothing. */
const isLost = (failure: unknown): boolean => failure instanceof Refusal && failure.status === 0;

export function useDetail(id: () => string): Detail {
  const detail = shallowRef<EntityDetail | null>(null);
  const failure = shallowRef<unknown>(null);
  const busy = ref(false);

  let again = false;

  function take(found: EntityDetail, wanted: string, atMs: number | null): void {
    if (wanted !== id() || isLive.value !== (atMs === null)) return;
    detail.value = atMs === null ? found : knownBy(found, atMs);
  }

  async function loadOnce(): Promise<void> {
    const [wanted, atMs] = [id(), isLive.value ? null : clock.atMs];
    try {
      take(await api.entity(wanted, atMs === null ? undefined : new Date(atMs).toISOString()), wanted, atMs);
      failure.value = null;
    } catch (caught) {
      failure.value = detail.value !== null && isLost(caught) ? null : caught;
    }
  }

  /** One request at a time; what was asked meanwhile is asked once more at the end. */
  async function load(): Promise<void> {
    again = true;
    if (busy.value) return;
    busy.value = true;
    while (again) {
      again = false;
      await loadOnce();
    }
    busy.value = false;
  }

  watch([id, isLive], () => { detail.value = null; void load(); }, { immediate: true });
  watch(() => Math.round(clock.atMs / 5000), () => { if (!isLive.value) void load(); });
  const timer = window.setInterval(() => { if (isLive.value && !document.hidden) void load(); }, EVERY_MS);
  onScopeDispose(() => { window.clearInterval(timer); });
  return { detail, failure, load, busy };
}
