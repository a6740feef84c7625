// Makes Node.js read a program out of an archive as Electron does: `fs` and imports see files below app.asar that the system does not know.
// What opens files by itself, a library or its loader, gets no help, less than Electron gives. Loaded with --require; the archive's
// contents lie in the folder ASAR_CONTENTS, and its own path is ASAR_ARCHIVE.
const fs = require('node:fs');
const module_ = require('node:module');
const { pathToFileURL } = require('node:url');

const { createRequire, isBuiltin, syncBuiltinESMExports } = module_;
/** @typedef {{ parentURL?: string, conditions: string[] }} Context */
/**
 * @typedef {object} Hooks
 * @property {(specifier: string, context: Context, next: (specifier: string, context: Context) => { url: string }) => object} resolve
 * @property {(url: string, context: object, next: (url: string, context: object) => object) => object} load
 */
/** Node.js 20 has none. @type {(hooks: Hooks) => void} */
const registerHooks = Reflect.get(module_, 'registerHooks');

const archive = `${process.env.ASAR_ARCHIVE}/`;
const contents = `${process.env.ASAR_CONTENTS}/`;
const archiveUrl = pathToFileURL(archive).href;
const contentsUrl = pathToFileURL(contents).href;

/** @param {unknown} file @returns {any} */
const real = (file) => {
  if (file instanceof URL) return new URL(realUrl(file.href));
  return typeof file === 'string' && file.startsWith(archive) ? contents + file.slice(archive.length) : file;
};
/** @param {string | undefined} url @returns {any} */
const realUrl = (url) => (url?.startsWith(archiveUrl) ? contentsUrl + url.slice(archiveUrl.length) : url);
/** @param {string} url */
const seenUrl = (url) => (url.startsWith(contentsUrl) ? archiveUrl + url.slice(contentsUrl.length) : url);

/** @param {Record<string, any>} module */
function wrap(module) {
  for (const [name, own] of Object.entries(module)) {
    if (typeof own !== 'function' || /^[A-Z_]/.test(name)) continue;
    module[name] = Object.assign(
      /** @this {unknown} @param {unknown} first @param {unknown[]} rest */
      function (first, ...rest) {
        return own.call(this, real(first), ...rest);
      },
      own,
    );
  }
}
wrap(fs);
wrap(fs.promises);
syncBuiltinESMExports();

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL, conditions } = context;
    // `require` looks around the module that calls it, whatever its address is said to be.
    if (parentURL?.startsWith(archiveUrl) && conditions.includes('require') && !isBuiltin(specifier)) {
      const file = createRequire(realUrl(parentURL)).resolve(real(specifier));
      return { url: seenUrl(pathToFileURL(file).href), shortCircuit: true };
    }
    const resolved = next(real(realUrl(specifier)), { ...context, parentURL: realUrl(parentURL) });
    return { ...resolved, url: seenUrl(resolved.url) };
  },
  load: (url, context, next) => next(realUrl(url), context),
});
