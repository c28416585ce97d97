// SPDX-License-Identifier: Apache-2.0
// Words of a key in every language at once, where a form needs them so.
import type { Text } from "@/api/types";
import type { Key } from "@/i18n";
import en from "@/i18n/en.json";
import zh from "@/i18n/zh.json";

export const both = (key: Key): Text => ({ zh: zh[key], en: en[key] });
