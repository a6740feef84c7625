#!/usr/bin/env node
import { run } from './run.ts';

// No process.exit: what was written to a pipe must reach it.
process.exitCode = await run(process.argv.slice(2));
