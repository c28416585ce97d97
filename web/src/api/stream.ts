// SPDX-License-Identifier: Apache-2.0
// The live stream (SSE): opens, listens, and heals itself by the table in recovery.ts.
import { FRESH, next } from "@/api/recovery";
import type { Effect, Happening, Link } from "@/api/recovery";
import type { Alarm } from "@/alarms/types";
import type { EventView, IndicatorView, Pulse } from "@/api/types";

export interface StreamEars {
  state: (pulse: Pulse) => void;
  event: (event: EventView) => void;
  alarm: (alarm: Alarm) => void;
  indicators: (indicators: IndicatorView[]) => void;
  /** Fetches the whole state anew; rejects when the server is not there. */
  sync: () => Promise<void>;
  link: (link: Link) => void;
}

const TICK_MS = 250;

export function listen(ears: StreamEars): () => void {
  let link: Link = { ...FRESH, heardAt: performance.now(), since: performance.now() };
  let source: EventSource | null = null;

  function happen(happening: Happening): void {
    const before = link;
    const [after, effects] = next(link, happening, performance.now());
    link = after;
    for (const effect of effects) EFFECTS[effect]();
    if (before.state !== link.state) ears.link(link);
  }

  function open(): void {
    source?.close();
    const fresh = new EventSource("/api/stream");
    source = fresh;
    const hear = <T>(name: string, give: (value: T) => void): void => {
      fresh.addEventListener(name, (message: MessageEvent<string>) => {
        happen("heard");
        give(JSON.parse(message.data) as T);
      });
    };
    fresh.onopen = () => { happen("opened"); };
    fresh.onerror = () => { if (source === fresh) happen("broke"); };
    hear<Pulse>("state", ears.state);
    hear<EventView>("event", ears.event);
    hear<Alarm>("alarm", ears.alarm);
    hear<IndicatorView[]>("indicators", ears.indicators);
    fresh.addEventListener("ping", () => { happen("heard"); });
  }

  const EFFECTS: Record<Effect, () => void> = {
    open,
    close: () => { source?.close(); source = null; },
    sync: () => { ears.sync().then(() => { happen("synced"); }, () => { happen("sync_failed"); }); },
  };

  open();
  const timer = window.setInterval(() => { happen("tick"); }, TICK_MS);
  return () => { window.clearInterval(timer); source?.close(); };
}
