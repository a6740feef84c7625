import { readHubName } from './hub/name.ts';
import { pullAll } from './hub/pull.ts';
import { hubSettings } from './hub/settings.ts';
import { abortSignal, callback, check, flag } from './options.ts';
import type { Pulled, PullOptions } from './types.ts';

/**
 * Downloads a model from the Hugging Face hub into the cache that other programs share, unless it is there, and says where it is.
 *
 * ```ts
 * const { path } = await pull('hf:owner/repo:Q4_K_M', { onProgress: ({ file, fraction }) => console.log(file, fraction) });
 * ```
 *
 * A download that was interrupted goes on where it was. Size and hash are checked before a file gets its name. Several processes may pull
 * the same model: one downloads, the others wait. docs/models.md says which file a name means and which environment variables count.
 *
 * @param name `hf:owner/repo`, `hf:owner/repo:QUANT` or `hf:owner/repo/FILE.gguf`, with `@REVISION` at the end or not
 * @throws NudgingError ERR_INVALID_OPTION, and the codes of {@link HubErrorCode}; rejects with the signal's reason if `signal` is aborted,
 *   and with what `onProgress` throws
 */
export async function pull(name: string, options: PullOptions = {}): Promise<Pulled> {
  check(options, { signal: abortSignal, onProgress: callback, update: flag });
  const [pulled] = await pullAll([readHubName(name, 'name')], await hubSettings(), options);
  return pulled as Pulled;
}
