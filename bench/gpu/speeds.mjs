/** @typedef {import('../../scripts/lib/gpu/stress.mjs').Setting} Setting */

/** What a run is measured with beside its streams. @typedef {{ env?: Record<string, string>, load?: Record<string, unknown> }} Kind */

const ways = {
  'base alone': { mode: 'base' },
  plain: { speculation: false },
  speculative: { speculation: true },
  'speculation 4': { speculation: 4 },
};

/** @type {Record<string, Kind>} */
const kinds = {
  '': {},
  'lanes in turn': { load: { overlap: false } },
  graphs: { env: { NUDGING_CUDA_GRAPHS: '1' } },
  'top-1 on the device': { load: { deviceTop1: true } },
  'top-1 by the host': { load: { deviceTop1: false } },
  padded: { load: { deviceTop1: true, padPasses: true } },
  'padded, graphs': { load: { deviceTop1: true, padPasses: true }, env: { NUDGING_CUDA_GRAPHS: '1' } },
};

/** @param {string} name @param {Omit<Setting, 'name' | 'weights'>} rest @param {Setting['weights']} [weights] @returns {Setting} */
const timed = (name, rest, weights = 'f16') => ({ name, weights, seconds: 3, limit: 60, ...rest });

/** How fast a pair is, alone and with others. @param {string} size @param {Setting['weights']} weights @returns {Setting[]} */
export function speeds(size, weights) {
  const wanted = /** @type {const} */ ([
    [1, ['base alone'], ['', 'graphs']],
    [1, ['plain'], ['', 'lanes in turn']],
    [1, ['speculative'], ['', 'lanes in turn', 'graphs', 'top-1 on the device', 'top-1 by the host', 'padded', 'padded, graphs']],
    [1, ['speculation 4'], ['', 'padded']],
    [8, ['base alone'], ['']],
    [8, ['speculative'], ['', 'lanes in turn', 'top-1 by the host', 'padded']],
    [32, ['base alone'], ['']],
    [32, ['speculative'], ['', 'lanes in turn', 'top-1 by the host', 'padded']],
  ]);
  return wanted.flatMap(([streams, names, some]) =>
    names.flatMap((way) =>
      some.map((kind) =>
        timed(
          [size, `${streams} at once`, way, kind].filter(Boolean).join(', '),
          { size, streams, ask: ways[way], ...kinds[kind] },
          weights,
        ),
      ),
    ),
  );
}

/** What a real vocabulary costs between passes: small models with random weights, whose passes are short. @returns {Setting[]} */
export function vocabularies() {
  return [1, 8, 32].flatMap((streams) =>
    ['', 'top-1 on the device', 'top-1 by the host', 'padded'].map((kind) =>
      timed(['128,256 tokens', `${streams} at once`, kind].filter(Boolean).join(', '), {
        size: 'vocabulary',
        streams,
        ask: { mode: 'base', stop: [] },
        ...kinds[kind],
      }),
    ),
  );
}

/** A pair on several GPUs. @param {string} size @param {Setting['weights']} weights @param {readonly string[]} gpus @returns {Setting[]} */
export function placements(size, weights, gpus) {
  const [first = '', second = ''] = gpus;
  if (second === '') return [];
  /** @type {Record<string, Record<string, unknown>>} */
  const places = {
    'by default': {},
    'on one': { devices: [first] },
    'a GPU each': { devices: { base: [first], aligned: [second] } },
    'the work divided': { splitMode: { base: 'tensor' } },
  };
  return [1, 32].flatMap((streams) =>
    Object.entries(places).map(([name, load]) =>
      timed(`${gpus.length} GPUs, ${name}, ${streams} at once`, { size, streams, ask: ways.speculative, load }, weights),
    ),
  );
}
