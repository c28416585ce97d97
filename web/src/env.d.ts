// SPDX-License-Identifier: Apache-2.0
/// <reference types="vite/client" />
declare module "*.mjs?worker&url" {
  const url: string;
  export default url;
}
