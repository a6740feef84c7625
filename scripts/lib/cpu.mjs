import { readFileSync } from 'node:fs';
import os from 'node:os';

/** What a binary for this very CPU depends on. The name alone says little in a virtual machine: many kinds bear the same. */
export function describeCpu() {
  return `${process.arch} ${os.cpus()[0]?.model ?? ''} ${features()}`.trim();
}

function features() {
  try {
    const [, flags = ''] = /^(?:flags|Features)\s*:(.*)/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return flags.trim().split(/\s+/).sort().join(' ');
  } catch {
    return '';
  }
}
