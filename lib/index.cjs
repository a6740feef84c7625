'use strict';
// The package for `require` where that loads no ES modules. Node.js itself takes index.js (`module-sync` in package.json); who comes here
// is above all Jest, which gives each test file a world of its own with a `require` of its own. Compiling everything a second time, as
// CommonJS, would give a process two of each class. So Node's own loader is asked, in the world outside: there is one copy for everybody.
const { getBuiltinModule } = require('node:vm').runInThisContext('process');

const reasons = {
  MODULE_NOT_FOUND:
    'nudging was bundled, and its native addon cannot be: mark the package "nudging" as external in your bundler, ' +
    'and install it beside the bundle (docs/bundlers.md has the lines)',
  ERR_REQUIRE_ESM:
    'nudging is an ES module, which `require` loads from Node.js 20.19 and 22.12 on, unless ' +
    "--no-experimental-require-module forbids it: write `await import('nudging')` instead",
};

try {
  module.exports = getBuiltinModule('node:module').createRequire(__filename)('./index.js');
} catch (cause) {
  const reason = reasons[cause.code];
  throw reason ? Object.assign(new Error(reason, { cause }), { code: 'ERR_NATIVE_LOAD' }) : cause;
}
