// SPDX-License-Identifier: Apache-2.0
// Every act of the shell that has a name, for palette and keys.
import { computed } from "vue";
import type { ComputedRef } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import { hasStreets } from "@/api/live";
import { lang, t } from "@/i18n";
import { act, askToSignIn, signedIn } from "@/shell/access";
import { deskAddress } from "@/shell/address";
import { desks } from "@/shell/app";
import type { CityApp } from "@/shell/app";
import { overlay } from "@/shell/selection";
import { look, LOOKS } from "@/shell/theme";
import { clock, goLive, isLive, replayAt } from "@/time/clock";
import { shownAtMs } from "@/time/seen";

export interface Command { key: string; label: string; run: () => void }

/** The speeds a simulated city offers; null is as fast as the machine can. */
export const SPEEDS: readonly (number | null)[] = [1, 5, 10, null];
export const speedWords = (speed: number | null): string => (speed === null ? t("speed.max") : t("speed.times", { n: speed }));
export const setSpeed = (speed: number | null): Promise<void> => act(() => api.speed(speed));

export function enterReplay(): void {
  const span = clock.span;
  replayAt(Math.max(span?.fromMs ?? 0, (shownAtMs.value ?? Date.now()) - 300_000));
}

export function commands(apps: readonly CityApp[]): ComputedRef<Command[]> {
  const router = useRouter();
  return computed(() => [
    ...desks(apps, hasStreets.value).map((panel) => ({ key: `open:${panel.path}`, label: t("command.open", { desk: t(panel.title) }), run: () => { void router.push(deskAddress(panel.path)); } })),
    ...(isLive.value && !hasStreets.value ? [] : [isLive.value
      ? { key: "replay", label: t("time.enter_replay"), run: enterReplay }
      : { key: "live", label: t("time.back_to_live"), run: goLive }]),
    { key: "lang", label: t("command.other_language"), run: () => { lang.value = lang.value === "zh" ? "en" : "zh"; } },
    ...LOOKS.map((one) => ({ key: `look:${one}`, label: t("command.look", { look: t(`look.${one}`) }), run: () => { look.value = one; } })),
    { key: "wall", label: t("command.wall"), run: () => { window.open("/wall", "_blank", "noopener"); } },
    { key: "keys", label: t("keys.title"), run: () => { overlay.value = "keys"; } },
    ...(hasStreets.value ? SPEEDS : []).map((speed) => ({ key: `speed:${speed}`, label: t("command.speed", { speed: speedWords(speed) }), run: () => { void setSpeed(speed).catch(() => undefined); } })),
    { key: "me", label: signedIn.value ? t("me.title") : t("me.sign_in"), run: () => { askToSignIn(null, null); } },
  ]);
}
