/** Wrong engines of layers that are on other machines. @type {import('./mutants.mjs').Mutant[]} */
export const rpcMutants = [
  {
    name: 'two models on RPC servers decode at the same time',
    file: 'engine/loading.cpp',
    from: 'if (lanes_far < 2) return options.overlap.value_or(on_gpus);',
    to: 'if (lanes_far < 99) return options.overlap.value_or(on_gpus);',
    tests: ['rpc'],
  },
  {
    name: 'no model counts as being on an RPC server',
    file: 'engine/loading.cpp',
    from: 'if (plan.memory.lanes[i].gpu_layers == 0) continue;',
    to: 'if (plan.memory.lanes[i].gpu_layers != 0) continue;',
    tests: ['rpc'],
  },
  {
    name: 'a signal ends the wait for an RPC server',
    file: 'ggml/src/ggml-rpc/transport.cpp',
    from: 'return errno == EINTR;',
    to: 'return false;',
    tests: ['rpc'],
    vendored: true,
  },
  {
    name: 'an RPC server offers what this machine does not have',
    file: 'backend/rpc.cpp',
    from: 'if (device == all.end())',
    to: 'if (device == all.end() && all.empty())',
    tests: ['rpc-server'],
  },
  {
    name: 'the engine speaks of another version of the protocol than it speaks',
    file: 'backend/rpc.cpp',
    from: 'return {RPC_PROTO_MAJOR_VERSION, RPC_PROTO_MINOR_VERSION,',
    to: 'return {RPC_PROTO_MAJOR_VERSION, RPC_PROTO_MINOR_VERSION + 1,',
    tests: ['rpc-probe'],
  },
];
