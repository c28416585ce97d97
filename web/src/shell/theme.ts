// SPDX-License-Identifier: Apache-2.0
// Desks are light unless somebody likes them dark; the centre and walls are always dark.
import { ref, watch } from "vue";

const REMEMBERED = "citybrain.theme";
export const theme = ref<"light" | "dark">(typeof localStorage !== "undefined" && localStorage.getItem(REMEMBERED) === "dark" ? "dark" : "light");
watch(theme, (now) => { localStorage.setItem(REMEMBERED, now); });
