// SPDX-License-Identifier: Apache-2.0
// The requests of casework.
import { ask, part, query, Refusal, write } from "@/api/client";
import type { Facts } from "@/api/types";
import type { Attachment, Case, CaseType, Detail, Done, Draft, Page, Verb, Work } from "@/casework/types";

/** An act as it is sent: its verb, what comes with it, and the version it was made for. */
export type Act = { verb: Verb; expected_version?: number } & Record<string, unknown>;
export interface Answer { id: number; title: string; body: string; category: string; department: string | null; used: number; version: number; changed_by: string; changed_at: string | null; may_change: boolean }
/** A template as it is written; `version` is the one that is changed. */
export interface NewAnswer { title: string; body: string; category: string; department: string | null; version: number }
export interface Filled { text: string; open_slots: string[] }
/** A question as it is kept: the names of the engine. */
export type StoredQuery = Record<string, unknown>;
export interface Queue { id: number; name: string; query: StoredQuery; department: string | null; owner: string; version: number; count: number | null; may_change: boolean }

export const cases = {
  work: () => ask<Work>("/api/work"),
  type: (id: string, version: number) => ask<CaseType>(`/api/case-types/${part(id)}/${version}`),
  list: (params: URLSearchParams, signal?: AbortSignal) => ask<Page>(`/api/cases?${params.toString()}`, signal ? { signal } : {}),
  one: (id: number) => ask<Detail>(`/api/cases/${id}`),
  byNumber: (number: string) => ask<{ id: number }>(`/api/cases/by-number/${part(number)}`),
  open: (opening: Facts) => write<Case>("POST", "/api/cases", opening),
  act: (id: number, act: Act) => write<Case | null>("POST", `/api/cases/${id}/acts`, act),
  bulk: (ids: number[], act: Act) => write<Done[]>("POST", "/api/cases/bulk", { ids, act }),
  reveal: (id: number, fields: string[], reason: string) => write<{ values: Facts }>("POST", `/api/cases/${id}/reveal`, { fields, reason }),
};

export const drafts = {
  get: (place: string) => ask<Draft>(`/api/drafts/${part(place)}`).catch((caught: unknown) => {
    if (caught instanceof Refusal && caught.status === 404) return null;
    throw caught;
  }),
  save: (place: string, values: Facts) => write<{ saved_at: string }>("PUT", `/api/drafts/${part(place)}`, { values }),
  drop: (place: string) => write<unknown>("DELETE", `/api/drafts/${part(place)}`),
};

export const answers = {
  find: (words: string, category: string) => ask<Answer[]>(`/api/answers${query({ words: words === "" ? undefined : words, category: category === "" ? undefined : category })}`),
  all: (words: string, limit: number) => ask<Answer[]>(`/api/answers${query({ words: words === "" ? undefined : words, limit: String(limit) })}`),
  one: (id: number) => ask<Answer>(`/api/answers/${id}`),
  make: (answer: NewAnswer) => write<Answer>("POST", "/api/answers", answer),
  change: (id: number, answer: NewAnswer) => write<Answer>("PUT", `/api/answers/${id}`, answer),
  retire: (id: number, version: number) => write<unknown>("DELETE", `/api/answers/${id}?version=${version}`),
  preview: (body: string, caseId: number) => write<Filled>("POST", "/api/answers/preview", { body, case_id: caseId }),
  use: (id: number, caseId: number) => write<Filled>("POST", `/api/answers/${id}/use`, { case_id: caseId }),
};

export const queues = {
  all: () => ask<Queue[]>("/api/queues"),
  make: (queue: { name: string; query: StoredQuery; department: string | null }) => write<Queue>("POST", "/api/queues", queue),
  change: (id: number, queue: { name: string; query: StoredQuery; department: string | null; version: number }) => write<Queue>("PUT", `/api/queues/${id}`, queue),
  drop: (id: number) => write<unknown>("DELETE", `/api/queues/${id}`),
};

export const files = {
  attach: (caseId: number, ids: number[]) => write<Attachment[]>("POST", `/api/cases/${caseId}/attachments`, { ids }),
  address: (id: number, original = false) => `/api/attachments/${id}${original ? "?original=1" : ""}`,
  publish: (id: number) => write<Attachment>("PUT", `/api/attachments/${id}/public`),
  unpublish: (id: number) => write<Attachment>("DELETE", `/api/attachments/${id}/public`),
  remove: (id: number) => write<unknown>("DELETE", `/api/attachments/${id}`),
};

const NAMED = /filename\*=UTF-8''([^;]+)|filename="?([^";]+)"?/i;

function nameGiven(response: Response): string | undefined {
  const [, coded, plain] = NAMED.exec(response.headers.get("content-disposition") ?? "") ?? [];
  return coded === undefined ? plain : decodeURIComponent(coded);
}

/** Asks for a file and hands it to the browser to be saved. */
export async function save(path: string, body: unknown, name: string): Promise<void> {
  const response = await fetch(path, { method: "POST", credentials: "same-origin", headers: { "content-type": "application/json", "x-citybrain": "1" }, body: JSON.stringify(body) })
    .catch(() => { throw new Refusal(0, "web.unreachable", {}, `POST ${path}`); });
  if (!response.ok) {
    const told = (await response.json().catch(() => ({}))) as { code?: string; facts?: Facts };
    throw new Refusal(response.status, told.code ?? "web.server_failed", told.facts ?? {}, `POST ${path}`);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = nameGiven(response) ?? name;
  link.click();
  window.setTimeout(() => { URL.revokeObjectURL(link.href); }, 10_000);
}

/** Sends a file piece by piece; `told` hears how far it is, from 0 to 1. */
export function upload(file: File, told: (share: number) => void): { done: Promise<Attachment>; stop: () => void } {
  const path = `/api/uploads${query({ name: file.name })}`;
  const request = new XMLHttpRequest();
  const done = new Promise<Attachment>((resolve, reject) => {
    request.open("POST", path);
    request.setRequestHeader("x-citybrain", "1");
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => { if (event.lengthComputable) told(event.loaded / event.total); };
    request.onerror = () => { reject(new Refusal(0, "web.unreachable", {}, `POST ${path}`)); };
    request.onabort = () => { reject(new Refusal(0, "web.stopped", {}, `POST ${path}`)); };
    request.onload = () => {
      const body = readJson(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body as unknown as Attachment);
      else reject(new Refusal(request.status, String(body["code"] ?? "web.server_failed"), (body["facts"] ?? {}) as Facts, `POST ${path}`));
    };
    request.send(file);
  });
  return { done, stop: () => { request.abort(); } };
}
function readJson(text: string): Record<string, unknown> {
  try { return JSON.parse(text) as Record<string, unknown>; } catch { return {}; }
}
