'use strict';
// The package for `require` where that loads no ES modules. Node.js itself loads index.js (`module-sync` in package.json); who comes here is
// above all Jest, which gives each test file a world of its own with a `require` of its own. Compiling everything a second time, as CommonJS,
// would give a process two of each class. So Node's own loader is asked, in the world outside: whoever loads the package has the same one.
const { getBuiltinModule } = require('node:vm').runInThisContext('process');
module.exports = getBuiltinModule('node:module').createRequire(__filename)('./index.js');
