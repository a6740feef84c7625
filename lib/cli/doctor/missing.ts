import { stat } from 'node:fs/promises';
import { NudgingError } from '../../errors.ts';
import { hostMemory } from '../../host-memory.ts';
import { HubClient } from '../../hub/client.ts';
import { isHubName, readHubName } from '../../hub/name.ts';
import { planFor } from '../../hub/plan.ts';
import { hubSettings } from '../../hub/settings.ts';
import { describe } from '../failure.ts';
import { bytes as size } from '../terminal.ts';
import type { Finding } from './finding.ts';

/** A model that is known by name, and not in the cache. */
export interface MissingModel {
  lane: string;
  name: string;
  /** Of its files, and of those that would be downloaded. */
  bytes: number;
  download: number;
}

interface Missing {
  report: { missing?: MissingModel[]; needed?: number; available?: number; fits?: boolean };
  findings: Finding[];
}

/**
 * What a download of models with names would be. Nothing is downloaded, and nothing is asked over the network for what the cache has.
 *
 * @param models paths or names by lane
 * @throws the signal's reason
 */
export async function missingModels(models: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Missing> {
  const named = Object.entries(models).filter(([, model]) => isHubName(model));
  if (named.length === 0) return { report: {}, findings: [] };
  const findings: Finding[] = [];
  const missing: MissingModel[] = [];
  let needed = 0;
  try {
    const client = new HubClient(await hubSettings(), signal);
    for (const [lane, name] of named) {
      const plan = await planFor(client, readHubName(name, lane), false);
      const [whole, download] = [plan.files, plan.missing].map((files) => files.reduce((sum, file) => sum + file.bytes, 0)) as [
        number,
        number,
      ];
      needed += whole;
      if (plan.missing.length === 0) continue;
      missing.push({ lane, name, bytes: whole, download });
      findings.push({ level: 'mend', what: `the ${lane} model is not here: download its ${size(download)} with "nudging pull ${name}"` });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NudgingError)) throw error;
    return { report: missing.length === 0 ? {} : { missing }, findings: [...findings, { level: 'mend', what: describe(error) }] };
  }
  if (missing.length === 0) return { report: {}, findings };
  for (const model of Object.values(models))
    if (!isHubName(model))
      needed += await stat(model).then(
        (file) => file.size,
        () => 0,
      );
  const available = hostMemory();
  const fits = needed <= available;
  if (!fits) {
    const why = `its files alone have ${size(needed)}, and ${size(available)} of memory are free`;
    findings.push({ level: 'beware', what: `the pair may not fit: ${why}; see "nudging pairs" for others` });
  }
  return { report: { missing, needed, available, fits }, findings };
}
