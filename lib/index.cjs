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

// Nobody calls it. Tracers of files (Next.js' standalone output, Vercel) follow plain words in a file of CommonJS, and in no other way
// would they find what is chosen when it runs. The demonstration pair is 12 MB, and who wants it names it (docs/bundlers.md).
void function traced() {
  require('./index.js');
  require('./isolate/main.js');
  require('../scripts/lib/kernels.mjs');
  require('../scripts/check-kernels.mjs');
  try {
    require('@nudging/linux-x64');
    require('@nudging/linux-arm64');
    require('@nudging/linuxmusl-x64');
    require('@nudging/linuxmusl-arm64');
    require('@nudging/darwin-arm64');
    require('@nudging/win32-x64');
    require('@nudging/linux-x64-cuda');
    require('@nudging/linux-x64-vulkan');
  } catch {}
};
