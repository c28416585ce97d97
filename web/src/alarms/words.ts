// SPDX-License-Identifier: Apache-2.0
// What alarms, acts and refusals are called.
import { nameOf } from "@/api/live";
import type { Alarm, Handling } from "@/alarms/types";
import { clockTime, say, t, text } from "@/i18n";
import type { Key } from "@/i18n";
import type { Text } from "@/api/types";

export const kindWords = (kind: string): string => say(`kind.${kind}`, {}, kind);

/** A place by its own name where it has one, else by that of its entity. */
export function placeWords(alarm: Pick<Alarm, "place" | "entity_id">): string {
  const name = alarm.place?.name;
  const own = typeof name === "string" ? name : text(name as Text | undefined);
  const known = nameOf(alarm.entity_id);
  return own === "" || own === alarm.entity_id ? known : own;
}

const WHO: Record<Handling["state"], (handling: Handling) => string> = {
  new: () => "",
  acknowledged: (one) => one.acknowledged_by ?? "",
  taken: (one) => one.taken_by ?? "",
  shelved: (one) => (one.shelved_until === null ? "" : t("alarms.until", { at: clockTime(one.shelved_until, false) })),
  cleared: (one) => one.cleared_by ?? "",
};
/** Where an alarm stands, and with whom. */
export function handlingWords(handling: Handling): string {
  const who = WHO[handling.state](handling);
  const words = t(`alarms.handling.${handling.state}` as Key);
  return who === "" ? words : `${words} · ${who}`;
}

/** How long something goes on, in the two largest units. */
export function lastsWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return t("alarms.lasts.days", { d: days, h: hours });
  if (hours > 0) return t("alarms.lasts.hours", { h: hours, m: minutes });
  return minutes > 0 ? t("alarms.lasts.minutes", { m: minutes, s: whole % 60 }) : t("alarms.lasts.seconds", { s: whole });
}
