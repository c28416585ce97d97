// SPDX-License-Identifier: Apache-2.0
// Titles, roles and levels in words.
import type { Act, Incident, Level, Proposal, Row } from "@/apps/emergency/types";
import { t, text } from "@/i18n";

/** One that was declared about an event and given no title is called as its plan. */
export const titleOf = (row: Row): string => row.incident.title || text(row.plan_name);
export const roleWords = (incident: Pick<Incident, "plan">, role: string): string => text(incident.plan.roles.find((one) => one.id === role)?.name) || role;
export const levelWords = (level: Level): string => t(`incident.level.${level}`);
export const actWords = (act: Act): string => t(`incident.entry.${act.act}`, { level: act.to_level === null ? "" : levelWords(act.to_level) });
/** What is proposed, with the level it leads to. */
export const proposedWords = (one: Proposal): string => { const act = t(`incident.act.${one.act}`); return one.level === null ? act : t("incident.proposed_to", { act, level: levelWords(one.level) }); };
export const whoWords = (act: Act): string => (act.second_by === null || act.second_by === "" ? act.by : t("incident.by_two", { by: act.by, second: act.second_by }));
