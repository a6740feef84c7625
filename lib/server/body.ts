import { ApiError } from './api-error.ts';

/** The JSON of a request. @throws ApiError 400, 413, 415 */
export async function jsonOf(request: Request, mostBytes: number): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json') {
    const got = type === '' ? 'none' : `"${type.slice(0, 60)}"`;
    throw new ApiError(415, 'ERR_BODY_TYPE', `the Content-Type must be application/json; got ${got}`);
  }
  const text = await textOf(request, mostBytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `the body is not JSON (${(error as Error).message.slice(0, 100)})`;
    throw new ApiError(400, 'ERR_BODY_INVALID', message, { logged: 'the body is not JSON' });
  }
}

async function textOf(request: Request, mostBytes: number): Promise<string> {
  const tooLarge = () => new ApiError(413, 'ERR_BODY_TOO_LARGE', `the body may have ${mostBytes} bytes: shorten it, or raise the limit`);
  const length = request.headers.get('content-length');
  if (length !== null) {
    // The server below cuts what is longer than it says.
    if (Number(length) > mostBytes) throw tooLarge();
    return decoded(new Uint8Array(await read(() => request.arrayBuffer())));
  }
  const reader = request.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (reader) {
    const { done, value } = await read(() => reader.read());
    if (done) break;
    size += value.length;
    if (size > mostBytes) {
      await reader.cancel().catch(() => {});
      throw tooLarge();
    }
    chunks.push(value);
  }
  return decoded(Buffer.concat(chunks));
}

/** A client that leaves while it sends is nobody's failure here. */
async function read<T>(from: () => Promise<T>): Promise<T> {
  try {
    return await from();
  } catch (cause) {
    throw new ApiError(400, 'ERR_BODY_INVALID', 'the body broke off', { cause });
  }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, 'ERR_BODY_INVALID', 'the body is not UTF-8');
  }
}
