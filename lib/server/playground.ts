import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { inPackage } from '../here.ts';
import { ApiError } from './api-error.ts';

/**
 * The page at `/`, and its modules and style below `/assets/`, at their places in dist/. What explains an answer there is what
 * `nudging explain` uses: the compiled modules themselves.
 */

const own = 'server/playground';
const page = `${own}/index.html`;
/** Modules of lib/explain that the page imports, and those that they import. */
const shared = ['escape', 'explanation', 'html', 'page-assets', 'saved', 'sentences', 'strip'].map((name) => `explain/${name}.js`);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing inline, nothing from elsewhere, in nobody's frame, and no text becomes HTML. */
export const playgroundPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

interface Asset {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  etag: string;
}

let assets: Promise<ReadonlyMap<string, Asset>> | undefined;

/** `GET /`. */
export function playgroundPage(request: Request): Promise<Response> {
  return served(request, page);
}

/** `GET /assets/NAME`. @throws ApiError 404 */
export function playgroundAsset(request: Request, name: string | undefined): Promise<Response> {
  return served(request, name ?? '');
}

async function served(request: Request, name: string): Promise<Response> {
  assets ??= read();
  const asset = (await assets).get(name);
  if (!asset) throw new ApiError(404, 'ERR_NOT_FOUND', `there is nothing at /assets/${name.slice(0, 200)}`);
  const headers = {
    // Asked for each time, so that nobody sees the page of an older server; answered by 304 as long as it is the same.
    'Cache-Control': 'no-cache',
    ETag: asset.etag,
    'Content-Security-Policy': playgroundPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
  const known = (request.headers.get('if-none-match') ?? '').split(/\s*,\s*/).map((tag) => tag.replace(/^W\//, ''));
  if (known.includes(asset.etag)) return new Response(null, { status: 304, headers });
  return new Response(asset.body, { headers: { ...headers, 'Content-Type': asset.type } });
}

/** All of it, once: it is small, and a name that is not among them opens no file. */
async function read(): Promise<ReadonlyMap<string, Asset>> {
  const folder = inPackage('dist');
  const files = await readdir(join(folder, own));
  const names = [...files.map((file) => `${own}/${file}`), ...shared].filter((name) => types[extname(name)] !== undefined);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, Asset]> => {
        const body = new Uint8Array(await readFile(join(folder, name)));
        const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
        return [name, { body, type: types[extname(name)] as string, etag }];
      }),
    ),
  );
}
