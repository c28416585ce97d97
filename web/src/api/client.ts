// SPDX-License-Identifier: Apache-2.0
// The requests of the HTTP contract, typed; a refusal is thrown as code and facts, never as a sentence.
import type {
  BatchView, City, CityState, Day, EntityDetail, EventView, Extent, Facts, History, IndicatorSeries, Lang, Me, Network, Provider, Rows,
} from "@/api/types";

export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, readonly facts: Facts, readonly request: string) {
    super(`${status} ${code}`);
  }
}

/** Told of every refusal, so that the end of a session is noticed whoever asked. */
export const refusals: { heard: (refusal: Refusal) => void } = { heard: () => undefined };

/** Codes the browser itself gives when the server gave none. */
const CODE_OF_STATUS: Record<number, string> = {
  0: "web.unreachable", 401: "web.not_signed_in", 403: "web.not_allowed", 404: "web.not_found", 409: "web.conflict",
};

async function refusalOf(response: Response, request: string): Promise<Refusal> {
  const told = (await response.json().catch(() => ({}))) as { code?: string; facts?: Facts };
  const code = told.code ?? CODE_OF_STATUS[response.status] ?? "web.server_failed";
  return new Refusal(response.status, code, told.facts ?? {}, request);
}

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const request = `${init.method ?? "GET"} ${path}`;
  const response = await fetch(path, { credentials: "same-origin", ...init }).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cause;
    throw new Refusal(0, "web.unreachable", {}, request);
  });
  if (!response.ok) {
    const refusal = await refusalOf(response, request);
    refusals.heard(refusal);
    throw refusal;
  }
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

export function write<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  return ask<T>(path, {
    method,
    headers: { "content-type": "application/json", "x-citybrain": "1" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export const part = encodeURIComponent;

export function query(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

export const api = {
  city: () => ask<City>("/api/city"),
  words: (lang: Lang) => ask<Record<string, string>>(`/api/words/${lang}`),
  network: () => ask<Network>("/api/network"),
  state: (signal?: AbortSignal) => ask<CityState>("/api/state", signal ? { signal } : {}),
  days: () => ask<Day[]>("/api/runs"),
  extent: () => ask<Extent>("/api/replay/extent"),
  replay: (at: string, signal?: AbortSignal) => ask<CityState>(`/api/replay${query({ at })}`, signal ? { signal } : {}),
  events: (asked: { only?: "open" | "all"; until?: string; limit?: string }) => ask<EventView[]>(`/api/events${query(asked)}`),
  series: (name: string) => ask<IndicatorSeries>(`/api/indicators/${part(name)}/series`),
  rows: (name: string, arm: string) => ask<Rows>(`/api/indicators/${part(name)}/rows${query({ arm })}`),
  entity: (id: string, at?: string) => ask<EntityDetail>(`/api/entities/${part(id)}${query({ at })}`),
  history: (id: string, asked: { attribute: string; since?: string; until?: string }) =>
    ask<History>(`/api/entities/${part(id)}/history${query(asked)}`),
  batch: (id: string) => ask<BatchView>(`/api/batches/${part(id)}`),
  acknowledge: (id: string, note: string) => write<EventView | null>("POST", `/api/events/${part(id)}/acknowledge`, { note }),
  speed: (speed: number | null) => write<unknown>("POST", "/api/city/speed", { speed }),
  me: () => ask<Me>("/api/session"),
  signIn: (name: string, password: string, code?: string) => write<unknown>("POST", "/api/session", { name, password, ...(code === undefined ? {} : { code }) }),
  prove: (proof: { password?: string; code?: string }) => write<unknown>("POST", "/api/session/proof", proof),
  providers: () => ask<Provider[]>("/api/session/providers"),
  secondFactor: () => ask<{ enrolled: boolean; recovery_codes: number }>("/api/second-factor"),
  beginSecondFactor: () => write<{ secret: string; address: string }>("POST", "/api/second-factor"),
  confirmSecondFactor: (code: string) => write<{ recovery_codes: string[] }>("PUT", "/api/second-factor", { code }),
  signOut: () => write<unknown>("DELETE", "/api/session"),
};
