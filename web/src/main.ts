// SPDX-License-Identifier: Apache-2.0
// Two doors into one city: citizens' pages load neither map nor charts nor the live stream.
import "@/kit/tokens.css";

void (location.pathname.startsWith("/citizen") ? import("@/citizen/start") : import("@/shell/start"));
