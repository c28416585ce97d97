// SPDX-License-Identifier: Apache-2.0
// The requests of the pool's desks.
import { ask, part, query, write } from "@/api/client";
import type {
  Check, DeviceLetter, DeviceSource, EntityView, Found, Letter, OnMap, Page, PastOf, Policy, QualityReport, Quarantine, Tenant, Told, Types,
} from "@/apps/pool/types";

export interface OfEntity { tenant: string; id: string }
export interface OfAttribute extends OfEntity { attribute: string; dataset: string }
const given = (word: string): string | undefined => (word === "" ? undefined : word);

export const pool = {
  tenants: () => ask<Tenant[]>("/api/pool/tenants"),
  types: (tenant: string) => ask<Types>(`/api/pool/types${query({ tenant: given(tenant) })}`),
  entities: (asked: { tenant: string; type: string; words: string; offset: number }) =>
    ask<Page>(`/api/pool/entities${query({ tenant: given(asked.tenant), type: given(asked.type), words: given(asked.words), offset: String(asked.offset) })}`),
  entity: ({ tenant, id }: OfEntity) => ask<EntityView>(`/api/pool/entity${query({ tenant: given(tenant), id })}`),
  onMap: (asked: { tenant: string; type: string; bbox: string }) => ask<OnMap>(`/api/pool/map${query({ tenant: given(asked.tenant), type: given(asked.type), bbox: given(asked.bbox) })}`),
  history: (of: OfAttribute, since: string | null) =>
    ask<PastOf>(`/api/pool/history${query({ tenant: given(of.tenant), id: of.id, attribute: of.attribute, dataset: given(of.dataset), since: since ?? undefined })}`),
  exportAddress: (of: OfAttribute) => `/api/pool/history/export${query({ tenant: given(of.tenant), id: of.id, attribute: of.attribute, dataset: given(of.dataset) })}`,
  subscriptions: () => ask<Told[]>("/api/pool/subscriptions"),
  letters: (of: { tenant: string; id: string; kind: string }) => ask<Letter[]>(`/api/pool/subscriptions/letters${query({ tenant: given(of.tenant), id: of.id, kind: of.kind })}`),
  replay: (which: { tenant: string; id: string; kind: string }) => write<{ waiting: number }>("POST", "/api/pool/subscriptions/replay", which),
  setPolicy: (change: { type: string; policy: Policy; every_s: number | null }) => write<unknown>("PUT", "/api/pool/policies", change),
  findings: (tenant: string, type: string) => ask<Found>(`/api/pool/findings${query({ tenant: given(tenant), type })}`),
  quality: (tenant: string, type: string) => ask<QualityReport>(`/api/pool/quality${query({ tenant: given(tenant), type })}`),
  check: (tenant: string, type: string) => ask<Check>(`/api/pool/check${query({ tenant: given(tenant), type })}`),
};

export const devices = {
  sources: () => ask<DeviceSource[]>("/api/mqtt/sources"),
  quarantines: () => ask<Quarantine[]>("/api/mqtt/quarantines"),
  release: (id: string) => write<unknown>("DELETE", `/api/mqtt/quarantines/${part(id)}`),
  letters: (source: string, before?: number) => ask<DeviceLetter[]>(`/api/mqtt/letters${query({ source, before: before === undefined ? undefined : String(before) })}`),
  replay: (ids: number[]) => write<{ taken: number; left: number }>("POST", "/api/mqtt/letters/replay", { ids }),
};
