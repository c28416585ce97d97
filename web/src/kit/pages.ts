// SPDX-License-Identifier: Apache-2.0
// Pages of one question; what comes after the question changed is nobody's any more.
import { shallowRef } from "vue";

export class Pages<P> {
  turn = 0;
  readonly failure = shallowRef<unknown>(null);
  /** `after` is the name by which the request says where the page begins. */
  constructor(private readonly find: (params: URLSearchParams) => Promise<P>, private readonly asked: () => URLSearchParams, private readonly after: string) {}

  /** One page of the question as it is now; null when it is nobody's question any more, or failed. */
  async fetch(limit: number, from: string | null = null): Promise<P | null> {
    const mine = this.turn;
    const params = this.asked();
    params.set("limit", String(limit));
    if (from !== null) params.set(this.after, from);
    try {
      const page = await this.find(params);
      if (mine !== this.turn) return null;
      this.failure.value = null;
      return page;
    } catch (caught) {
      if (mine === this.turn) this.failure.value = caught;
      return null;
    }
  }
}
