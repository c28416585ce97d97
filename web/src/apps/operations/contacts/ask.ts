// SPDX-License-Identifier: Apache-2.0
// Contacts as the server says them, and the requests about them.
import { ask, part, write } from "@/api/client";
import type { Text } from "@/api/types";

export const CHANNELS = ["case", "email", "sms", "push", "webhook"] as const;
export type Channel = (typeof CHANNELS)[number];
export interface Contact { id: string; role: string; name: Text; channel: Channel; address: string; has_secret: boolean; lang: "zh" | "en"; version: number; works: boolean }
export interface Role { id: string; name: Text; means: string[] }
export interface Book { contacts: Contact[]; roles: Role[] }
/** Without `secret` it keeps its own, with an empty one it has none. */
export interface NewContact { role: string; name: Text; channel: Channel; address: string; secret?: string; lang: "zh" | "en"; version: number }

const AT = "/api/operations/contacts";
export const contacts = {
  all: () => ask<Book>(AT),
  put: (id: string, contact: NewContact) => write<Contact>("PUT", `${AT}/${part(id)}`, contact),
  remove: (id: string) => write<unknown>("DELETE", `${AT}/${part(id)}`),
};
