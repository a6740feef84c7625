/**
 * Wrong engines on several GPUs, which made-up ones show.
 *
 * @type {import('./mutants.mjs').Mutant[]}
 */
export const gpuMutants = [
  {
    name: 'the base is placed as if it were alone on the GPUs',
    file: 'models/memory_plan.cpp',
    from: 'if (moves_with(lane, other)) continue; left -= static_cast<double>(demand(other).context[place]);',
    to: 'continue; left -= static_cast<double>(demand(other).context[place]);',
    native: 'several_gpus_test',
  },
  {
    name: 'every model is over all GPUs',
    file: 'models/memory_plan.cpp',
    from: '(wanted.spread == Spread::automatic && lane != base_lane)',
    to: 'false',
    native: 'several_gpus_test',
  },
  {
    name: 'layers that do not fit where they are stay there',
    file: 'models/memory_plan.cpp',
    from: 'move < most_moves && !fits(1)',
    to: 'false && move < most_moves',
    native: 'several_gpus_test',
  },
  {
    name: 'a model goes to the GPU where least is left',
    file: 'models/memory_plan.cpp',
    from: 'std::ranges::max_element(left) - left.begin())] = layers;',
    to: 'std::ranges::min_element(left) - left.begin())] = layers;',
    native: 'several_gpus_test',
  },
  {
    name: 'llama.cpp divides the layers by itself',
    file: 'models/model.cpp',
    from: 'parameters.tensor_split = split_.data();',
    to: '',
    native: 'placement_test',
  },
  {
    name: 'weights stay where they are whatever was said of them',
    file: 'models/model.cpp',
    from: 'if (overrides_.size() > 1) parameters.tensor_buft_overrides = overrides_.data();',
    to: '',
    native: 'placement_test',
  },
  {
    name: 'weights go to GPUs that cannot look up their rows',
    file: 'models/memory_meter.cpp',
    from: 'if (is_embedding &&',
    to: 'if (false && is_embedding &&',
    native: 'placement_test',
  },
  {
    name: 'a second engine loads the weights again for the memory that the first took',
    file: 'engine/loading.cpp',
    from: 'lane.gpu_layers = layers; if (layers > 0) lane.split = split;',
    to: '',
    native: 'placement_test',
  },
];
