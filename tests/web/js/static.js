/** Where the page's modules are, for the tests. */

export const at = (name) => new URL(`../../../services/web/src/web/static/${name}.js`, import.meta.url);
