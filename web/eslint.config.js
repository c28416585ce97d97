// SPDX-License-Identifier: Apache-2.0
// What the machine keeps in web/: flat rooms, small files, one importer of the map library.
import vue from "eslint-plugin-vue";
import ts from "typescript-eslint";
import parser from "vue-eslint-parser";

const onlyInMap = { name: "maplibre-gl", message: "Only src/map imports maplibre-gl: describe a layer as a value instead." };
const banned = (paths) => ["error", { paths, patterns: [{ group: ["../*"], message: "Rooms are flat: use @/room/file." }, ...(paths.length ? [{ group: ["maplibre-gl/*"], message: onlyInMap.message }] : [])] }];

export default ts.config(
  { ignores: ["node_modules", "dist", "e2e"] },
  ...ts.configs.strict,
  ...vue.configs["flat/recommended"],
  {
    files: ["**/*.{ts,vue,js}"],
    languageOptions: { parser, parserOptions: { parser: ts.parser, sourceType: "module" } },
    rules: {
      "no-restricted-imports": banned([onlyInMap]),
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 60],
      complexity: ["error", 8],
      "no-undef": "off",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/unified-signatures": "off",
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/html-indent": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/multi-word-component-names": "off",
      "vue/attributes-order": "off",
      "vue/require-default-prop": "off",
      "vue/no-v-html": "error",
    },
  },
  { files: ["src/map/**"], rules: { "no-restricted-imports": banned([]) } },
  { files: ["src/**/*.test.ts"], rules: { "max-lines-per-function": "off" } },
);
