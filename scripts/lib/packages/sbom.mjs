// What ships, by name, version and licence, in the form of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).
import { readFileSync } from 'node:fs';
import { pinned } from '../../../vendor/fetch.mjs';
import { inRoot } from '../paths.mjs';
import { zig } from '../targets.mjs';
import { manifest } from './staging.mjs';

/** @param {string} name @param {string} version @param {string} license @param {string} [purl] */
const component = (name, version, license, purl) => ({
  type: 'library',
  name,
  version,
  licenses: [{ license: { id: license } }],
  ...(purl ? { purl } : {}),
});

/** The npm packages that an installation brings along, those of packages of packages included, as the lock file has them. */
function npmComponents() {
  /** @type {{ packages: Record<string, { version?: string, dev?: boolean, optional?: boolean, peer?: boolean, license?: string }> }} */
  const { packages } = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([place, { dev, optional, peer }]) => place !== '' && !dev && !optional && !peer)
    .map(([place, { version = '', license = 'NOASSERTION' }]) => {
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return component(name, version, license, `pkg:npm/${name.replace('@', '%40')}@${version}`);
    });
}

/** @param {readonly { name: string, sha256: string }[]} tarballs */
export function billOfMaterials(tarballs) {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        ...component(manifest.name, manifest.version, manifest.license, `pkg:npm/${manifest.name}@${manifest.version}`),
        type: 'application',
      },
    },
    components: [
      component('llama.cpp', `${pinned.tag} (${pinned.commit})`, 'MIT', `pkg:github/ggml-org/llama.cpp@${pinned.commit}`),
      component('nlohmann/json', 'as in llama.cpp', 'MIT'),
      // Linked into the binaries for Linux.
      component('libc++', `as in zig ${zig.version}`, 'Apache-2.0'),
      ...npmComponents(),
      ...tarballs.map(({ name, sha256 }) => ({
        ...component(name, manifest.version, manifest.license, `pkg:npm/${name.replace('@', '%40')}@${manifest.version}`),
        hashes: [{ alg: 'SHA-256', content: sha256 }],
      })),
    ],
  };
}
