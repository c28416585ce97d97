// SPDX-License-Identifier: Apache-2.0
// How a broken stream heals itself: a pure table of link states, so that each case can be tested.

export type LinkState = "opening" | "syncing" | "live" | "quiet" | "lost";
export interface Link { state: LinkState; tries: number; heardAt: number; retryAt: number; since: number }
export type Happening = "opened" | "heard" | "broke" | "synced" | "sync_failed" | "tick";
export type Effect = "open" | "close" | "sync";

/** The server pings every 5 s; more than two missed pings is a quiet line. */
export const QUIET_AFTER_MS = 11_000;
/** A first retry at once, then calmer; never later than 2 s, so that a restarted server is found within 5 s. */
export const RETRY_MS = [250, 500, 1000, 1500, 2000] as const;

export const FRESH: Link = { state: "opening", tries: 0, heardAt: 0, retryAt: 0, since: 0 };

function lost(link: Link, now: number): [Link, Effect[]] {
  const wait = RETRY_MS[Math.min(link.tries, RETRY_MS.length - 1)] ?? 2000;
  const since = link.state === "lost" || (link.state === "opening" && link.tries > 0) ? link.since : now;
  return [{ ...link, state: "lost", tries: link.tries + 1, retryAt: now + wait, since }, ["close"]];
}

function onTick(link: Link, now: number): [Link, Effect[]] {
  if (link.state === "lost") return now < link.retryAt ? [link, []] : [{ ...link, state: "opening", heardAt: now }, ["open"]];
  if (now - link.heardAt <= QUIET_AFTER_MS) return [link, []];
  return lost({ ...link, state: "quiet" }, now);
}

const NEXT: Record<Happening, (link: Link, now: number) => [Link, Effect[]]> = {
  opened: (link, now) => [{ ...link, state: "syncing", heardAt: now }, ["sync"]],
  heard: (link, now) => [{ ...link, heardAt: now }, []],
  broke: (link, now) => (link.state === "lost" ? [link, []] : lost(link, now)),
  synced: (link, now) => (link.state === "syncing" ? [{ ...link, state: "live", tries: 0, heardAt: now, since: now }, []] : [link, []]),
  sync_failed: (link, now) => (link.state === "syncing" ? lost(link, now) : [link, []]),
  tick: onTick,
};

/** The next link state and what must be done for it. Times are in ms of one monotonic clock. */
export function next(link: Link, happening: Happening, now: number): [Link, Effect[]] {
  return NEXT[happening](link, now);
}
