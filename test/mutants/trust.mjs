import { nudge, record, attention, tolerance } from './files.mjs';

/** Wrong engines of ties, kernels and determinism. @type {import('./mutants.mjs').Mutant[]} */
export const trustMutants = [
  // Ties
  {
    name: 'ties: γ is never close',
    file: 'nudge/rules/top1_rule.h',
    from: 'return std::abs(said.probability - gamma_) < base.probability;',
    to: 'return said.probability - gamma_ < -2 - base.probability;',
  },
  {
    name: 'ties: tokens are never close',
    file: record,
    from: 'return said.margin < tolerance.margin;',
    to: 'return said.margin < -tolerance.margin;',
  },
  {
    name: 'ties: γ counts where the base agrees',
    file: record,
    from: 'return judged && rule.is_close(said, *judged, base_, aligned_);',
    to: 'return !said.silent() && rule.is_close(said, judged.value_or(Judgement{}), base_, aligned_);',
  },
  {
    name: 'ties: the token counts where a run ends anyway',
    file: record,
    from: 'const bool token_decides = judged ? judged->base : rule.by_token(said).value_or(true);',
    to: 'const bool token_decides = true;',
  },
  {
    name: 'ties: what was drafted and dropped counts',
    file: record,
    from: 'std::min(tokens, drafted_.size())',
    to: 'std::max(tokens * 0, drafted_.size())',
  },
  {
    name: "ties: the aligned model's tokens by the base's tolerance",
    file: record,
    from: 'return margin < aligned_.margin;',
    to: 'return margin < base_.margin;',
  },
  {
    name: 'ties: the end of a draft does not count',
    file: nudge,
    from: 'return std::numeric_limits<std::size_t>::max();',
    to: 'return draft.cost(verdict.length);',
  },
  {
    name: 'ties: what the base agreed with does not count',
    file: nudge,
    from: 'std::min(draft.cost(verdict.length + agreed), left)',
    to: 'std::min(draft.cost(verdict.length + agreed * 0), left)',
  },
  {
    name: 'ties: no tolerance',
    file: 'engine/loading.cpp',
    from: '.tolerance = plan.tolerance[i]',
    to: '.tolerance = {}',
    tests: ['ties'],
  },
  {
    name: 'ties: in a deterministic engine too',
    file: 'engine/planning.cpp',
    from: 'plan.deterministic ? Tolerance{} : ',
    to: '',
    tests: ['ties'],
  },
  {
    name: 'ties: quantised weights are as steady as others',
    file: tolerance,
    from: 'return is_quantised ? quantised : floating;',
    to: 'return is_quantised && kernels.empty() ? quantised : floating;',
  },
  {
    name: 'ties: a quantised cache is as steady as others',
    file: tolerance,
    from: 'ggml_is_quantized(cache_type) ||',
    to: '(ggml_is_quantized(cache_type) && kernels.empty()) ||',
  },
  // Kernels
  {
    name: 'kernels: whatever a kernel says is right',
    file: 'trust/kernel_check.cpp',
    from: 'return !results || deviation_of(*results, known).is_explained();',
    to: 'return !results || !results->empty();',
  },
  {
    name: 'kernels: only products with one column are checked',
    file: 'trust/kernel_check.cpp',
    from: 'std::array{std::int64_t{1}, answer_columns}',
    to: 'std::array{std::int64_t{1}}',
  },
  {
    name: 'kernels: the tolerance is a hundred times as wide',
    file: 'trust/known_product.cpp',
    from: 'return worst <= 8 && overall * overall <= 1.21',
    to: 'return worst <= 800 && overall * overall <= 12100',
  },
  {
    name: 'kernels: a wrong one is warned of and used',
    file: 'trust/kernel_trust.cpp',
    from: 'if (wanted.erase(buffer) == 0) return wanted;',
    to: 'return wanted;',
  },
  {
    name: 'kernels: weights in another buffer are shared',
    file: 'models/model_registry.cpp',
    from: 'options.cpu_buffers ? *options.cpu_buffers : all_cpu_buffers()',
    to: 'all_cpu_buffers()',
  },
  {
    name: 'kernels: one that crashes is used',
    file: 'engine/planning.cpp',
    from: ' || options.harmful_cpu_buffers.contains(name)',
    to: '',
    tests: ['kernels'],
  },
  {
    name: 'kernels: a choice of buffers is ignored',
    file: 'models/model.cpp',
    from: 'if (options.cpu_buffers) scope.emplace(*options.cpu_buffers);',
    to: '',
    tests: ['kernels'],
  },
  // Determinism
  {
    name: "determinism: llama.cpp's own attention",
    file: attention,
    from: '  if (!has_positions(node)) return false;\n',
    to: '  return false;\n',
    native: 'attention_test',
    tests: ['determinism'],
  },
  {
    name: 'determinism: sums in the order of cells',
    file: attention,
    from: 'const std::int32_t position = positions[i];',
    to: 'const auto position = static_cast<std::int32_t>(i);',
    native: 'attention_test',
  },
  {
    name: 'determinism: chunks as many as threads',
    file: attention,
    from: 'for (std::int64_t c = low_ / chunk; c * chunk < high_; ++c) {',
    to: 'for (std::int64_t c = low_ / chunk; c * chunk < high_ && c < 1; ++c) {',
    native: 'attention_test',
  },
  {
    name: 'determinism: a hidden cell counts a little',
    file: attention,
    from: 'if (row[i] == hidden) continue;',
    to: '',
    native: 'attention_test',
  },
  {
    name: 'determinism: two cells at one place, and the last one wins',
    file: attention,
    from: '        if (cells_[position] >= 0 && cells_[position] != i) return false;\n',
    to: '',
    native: 'attention_test',
  },
  {
    name: 'determinism: contexts are not told of it',
    file: 'models/context_options.cpp',
    from: '  parameters.batch_invariant = options.deterministic;\n',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'determinism: one buffer for all without flash attention',
    file: 'models/context_options.cpp',
    from: ' && !(options.deterministic && options.flash_attention == false)',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'determinism: promised whatever kernels do',
    file: 'trust/determinism.cpp',
    from: 'if (!trust.treats_columns_alike(kernel))',
    to: 'if (kernel.buffer == nullptr)',
    native: 'determinism_test',
  },
  {
    name: 'determinism: promised of architectures that are known to differ',
    file: 'trust/determinism.cpp',
    from: 'if (found == own_ways.end()) return std::nullopt;',
    to: 'if (found != own_ways.end() || found == own_ways.end()) return std::nullopt;',
    tests: ['determinism'],
  },
  {
    name: 'determinism: attention without positions is ours, too',
    file: attention,
    from: 'bool has_positions(const ggml_tensor* node) {',
    to: 'bool has_positions(const ggml_tensor* node) {\n  if (node != nullptr) return false;',
    native: 'attention_test',
  },
  {
    name: 'determinism: only whole tiles are compared',
    file: 'trust/kernel_check.cpp',
    from: '{1, 2, 3, 4, 5, 8, 16, 33}',
    to: '{4, 8, 12, 16, 20, 24, 28, 32}',
    native: 'kernels_test',
  },
  {
    name: 'vendored: one column is multiplied in another way than two',
    vendored: true,
    file: 'ggml/src/ggml-cpu/llamafile/sgemm.cpp',
    from: 'if (n < 2 && (!params->batch_invariant || dot_product_is_alike(Atype)))',
    to: 'if (n < 2)',
    native: 'kernels_test',
  },
  {
    name: 'vendored: panels from eight columns on',
    vendored: true,
    file: 'ggml/src/ggml-cpu/ggml-cpu.c',
    from: 'ggml_cpu_iqp_supports_mul_mat(dst) && !params->use_ref && !params->batch_invariant',
    to: 'ggml_cpu_iqp_supports_mul_mat(dst) && !params->use_ref',
    native: 'kernels_test',
  },
  {
    name: 'vendored: a repacked row alone is rounded in another way than four',
    vendored: true,
    file: 'ggml/src/ggml-cpu/arch/x86/repack.cpp',
    from: `
      q8s = _mm256_bsrli_epi128(q8s, 4);

      // Multiply-Add with scale values, for every sb like the gemm, so that both round alike
      acc_row = _mm256_fmadd_ps(_mm256_cvtepi32_ps(iacc_sb), _mm256_mul_ps(col_scale_f32, row_scale_f32), acc_row);`,
    to: `
      q8s = _mm256_bsrli_epi128(q8s, 4);

      acc_row = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(iacc_sb), col_scale_f32), row_scale_f32, acc_row);`,
    native: 'kernels_test',
  },
  {
    name: 'vendored: positions are not passed on',
    vendored: true,
    file: 'src/llama-graph.cpp',
    from: '        res->src[0] = pos;\n',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'vendored: AMX tiles are configured from what is left of a local variable',
    vendored: true,
    file: 'ggml/src/ggml-cpu/amx/mmq.cpp',
    from: 'alignas(64) static constexpr tile_config_t tc = {',
    to: 'alignas(64) tile_config_t tc = {',
    tests: ['amx'],
  },
];
