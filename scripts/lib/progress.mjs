const step = /^\[\s*(\d+)\/(\d+)\]|^\[\s*(\d+)%\]/;

/**
 * Shows a build as one moving line on a terminal, and as a line now and then elsewhere.
 * @param {NodeJS.WriteStream} stream
 */
export function showProgress(stream) {
  let pending = '';
  let lastShown = 0;
  let open = false;
  const everyMs = stream.isTTY ? 50 : 15_000;
  return {
    /** @param {string} text */
    take(text) {
      pending += text;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      const line = lines.findLast((each) => step.test(each));
      if (line === undefined || Date.now() - lastShown < everyMs) return;
      lastShown = Date.now();
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${line.slice(0, (stream.columns || 80) - 1)}`);
        open = true;
      } else {
        stream.write(`${line}\n`);
      }
    },
    end() {
      if (open) stream.write('\r\x1b[2K');
      open = false;
    },
  };
}

const failure = /\berror\b[: ]|CMake Error|undefined reference|multiple definition|fatal error/i;

/**
 * What a reader needs of a failed build's log: each error with the lines that show where, not the pages around them.
 * @param {string} output
 * @param {number} [limit]
 */
export function relevantLines(output, limit = 30) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !step.test(line));
  /** @type {string[]} */
  const shown = [];
  let wanted = 0;
  for (const line of lines) {
    if (failure.test(line) && !/^\S*(ccache|c\+\+|g\+\+|clang)\S* /.test(line)) wanted = line.startsWith('CMake Error') ? 8 : 3;
    if (wanted-- > 0 && !/\bnote: /.test(line)) shown.push(line.length > 300 ? `${line.slice(0, 300)} …` : line);
    if (shown.length >= limit) break;
  }
  return shown.length > 0 ? shown : lines.slice(-limit);
}
