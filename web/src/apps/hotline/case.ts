// SPDX-License-Identifier: Apache-2.0
// What the hotline adds to cases of its type.
import { categories, categoryPath, loadTree } from "@/apps/hotline/catalogue";
import TicketFace from "@/apps/hotline/TicketFace.vue";
import { knows, t } from "@/i18n";
import type { Key } from "@/i18n";
import type { CaseFace } from "@/casework/faces";

let asked: Promise<void> | null = null;
/** The names of categories are fetched when somebody first needs one. */
function needTree(): void {
  if (categories.value.length === 0) asked ??= loadTree().catch(() => { asked = null; });
}
function category(id: string): string {
  needTree();
  return categoryPath(id);
}
function known(): string[] {
  needTree();
  return categories.value.map((one) => one.id);
}
const channel = (id: string): string => (knows(`hotline.channel.${id}`) ? t(`hotline.channel.${id}` as Key) : id);

export const face: CaseFace = { type: "hotline_ticket", component: TicketFace, words: { category, channel, categories: known } };
