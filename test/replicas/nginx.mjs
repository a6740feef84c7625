import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** What clients are told in the answer's head: who was asked. Several, if the first one failed. */
export const answeredBy = 'x-answered-by';
/** By which an attempt is found in the log. */
export const attemptHeader = 'x-attempt';

/** Debian has it where PATH of users often does not look. */
const places = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];

/** @param {readonly string[]} folders @throws {BuildError} without nginx */
export function findNginx(folders = places) {
  const found = folders.map((folder) => path.join(folder, 'nginx')).find(existsSync);
  if (found === undefined) throw new BuildError('there is no nginx here, so nothing was tested: apt-get install nginx-light');
  return found;
}

/**
 * The example's configuration with other ports, and what it needs around it.
 *
 * @param {{ folder: string, port: number, replicas: readonly number[], sticky: boolean }} where
 */
export function configuration({ folder, port, replicas, sticky }) {
  let example = readFileSync(inRoot('examples/deploy/nginx.conf'), 'utf8');
  const replace = (/** @type {string} */ from, /** @type {string} */ to) => {
    if (!example.includes(from)) throw new BuildError(`examples/deploy/nginx.conf has no "${from}" any more`);
    example = example.replace(from, to);
  };
  replace('listen 127.0.0.1:8080;', `listen 127.0.0.1:${port};`);
  for (const [index, replica] of replicas.entries()) replace(`127.0.0.1:${8081 + index} `, `127.0.0.1:${replica} `);
  if (!sticky) replace('default $http_x_conversation;', 'default $request_id;');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${path.join(folder, name)};`)
    .join('\n');
  return `${process.getuid?.() === 0 ? `user ${os.userInfo().username};\n` : ''}daemon off;
pid ${path.join(folder, 'nginx.pid')};
error_log ${path.join(folder, 'error.log')} info;
worker_processes 2;
events { worker_connections 512; }
http {
${temporary}
  log_format attempts '$http_${attemptHeader.replaceAll('-', '_')} $status $upstream_status';
  access_log ${path.join(folder, 'access.log')} attempts;
  add_header ${answeredBy} $upstream_addr always;
${example}
}
`;
}

/**
 * @param {{ port: number, replicas: readonly number[], sticky?: boolean }} where
 * @returns {Promise<{ url: string, attempts: () => string[], errors: () => string[], stop: () => Promise<void> }>} `attempts`:
 *   the id of each that is over; `errors`: lines of its log
 */
export async function startNginx({ port, replicas, sticky = true }) {
  const program = findNginx();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-replicas-'));
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, configuration({ folder, port, replicas, sticky }));
  const child = spawn(program, ['-p', folder, '-c', file, '-e', path.join(folder, 'error.log')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  let over = false;
  const ended = new Promise((resolve) =>
    child.once('close', () => {
      over = true;
      resolve(undefined);
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (over) throw new BuildError(`nginx did not start: ${stderr}`);
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    attempts: () =>
      readFileSync(path.join(folder, 'access.log'), 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '')
        .filter((id) => id !== '' && id !== '-'),
    errors: () =>
      readFileSync(path.join(folder, 'error.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('[error]')),
    stop: async () => {
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
