// SPDX-License-Identifier: Apache-2.0
// The hotline's public routes, typed; a photo goes as it is, and tells how far it has got.
import { ask, part, query, Refusal, write } from "@/api/client";
import type { Facts } from "@/api/types";
import type { Article, Category, Given, PublicReports, Report, Satisfaction, Story } from "@/apps/hotline/public/types";

export interface Told {
  text: string; category: string; longitude: number | null; latitude: number | null; address: string; name: string; phone: string; email: string;
  public: boolean; key: string; photos: number[]; photos_key: string;
}

const REPORTS = "/api/hotline/reports";

export const hotline = {
  categories: async () => (await ask<{ categories: Category[] }>("/api/hotline/categories")).categories,
  tell: (told: Told) => write<Given>("POST", REPORTS, told),
  story: (secret: string) => ask<Story>(`${REPORTS}/${part(secret)}/story`),
  add: (secret: string, text: string) => write<Report>("POST", `${REPORTS}/${part(secret)}/words`, { text }),
  addPhotos: (secret: string, photos: number[], photos_key: string) => write<unknown>("POST", `${REPORTS}/${part(secret)}/photos`, { photos, photos_key }),
  rate: (secret: string, satisfaction: Satisfaction, resolved: boolean | null, note: string) => write<Report>("POST", `${REPORTS}/${part(secret)}/rating`, { satisfaction, resolved, note }),
  reopen: (secret: string, text: string) => write<Report>("POST", `${REPORTS}/${part(secret)}/reopening`, { text }),
  reports: (after?: string) => ask<PublicReports>(`/api/hotline/public${query({ after })}`),
  answers: (words: string) => ask<Article[]>(`/api/hotline/public/knowledge${query({ words })}`),
  followArea: (asked: { email: string; longitude: number; latitude: number; radius_m: number; lang: string }) => write<null>("POST", "/api/hotline/areas", asked),
  confirmArea: (secret: string) => write<null>("POST", `/api/hotline/areas/${part(secret)}`),
  leaveArea: (secret: string) => write<null>("DELETE", `/api/hotline/areas/${part(secret)}`),
};

export const photoAddress = (secret: string, id: number): string => `${REPORTS}/${part(secret)}/photos/${id}`;

/** A secret of this browser's own: 256 bits, also where the page came by plain http. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Uploads a photo; `share` hears how much of it is there, from 0 to 1. Only an XMLHttpRequest tells that. */
export function upload(photo: Blob, name: string, key: string, share: (share: number) => void): Promise<number> {
  const path = `/api/hotline/photos${query({ key, name })}`;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("x-citybrain", "1");
    request.responseType = "json";
    request.upload.onprogress = (event) => { if (event.lengthComputable) share(event.loaded / event.total); };
    request.onerror = () => { reject(new Refusal(0, "web.unreachable", {}, "POST /api/hotline/photos")); };
    request.onload = () => {
      const told = (request.response ?? {}) as { id?: number; code?: string; facts?: Facts };
      if (request.status < 300 && told.id !== undefined) resolve(told.id);
      else reject(new Refusal(request.status, told.code ?? "web.server_failed", told.facts ?? {}, "POST /api/hotline/photos"));
    };
    request.send(photo);
  });
}
