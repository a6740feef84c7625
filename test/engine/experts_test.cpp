// Products of a mixture of experts (MUL_MAT_ID): another path through the same buffers than that which kernels_test checks.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "backend/llama_handles.h"
#include "backend/log.h"
#include "check.h"
#include "ggml-alloc.h"
#include "ggml-cpu.h"
#include "trust/kernel_check.h"
#include "trust/known_product.h"

using namespace nudging;

namespace {

using TensorsHandle = std::unique_ptr<ggml_context, ReleasedBy<ggml_free>>;
using BackendHandle = std::unique_ptr<ggml_backend, ReleasedBy<ggml_backend_free>>;
using BufferHandle = std::unique_ptr<ggml_backend_buffer, ReleasedBy<ggml_backend_buffer_free>>;

constexpr std::int64_t length = 512;
constexpr std::int64_t rows = 32;
constexpr std::int64_t experts = 4;
constexpr std::int64_t used = 2;
/// Enough that one expert gets more tokens than any kernel takes at a time.
constexpr std::int64_t most_tokens = 70;

TensorsHandle tensors() { return TensorsHandle(ggml_init({ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true})); }

/// Which experts a token is for: the first one gets most tokens.
std::array<std::int32_t, used> experts_of(std::int64_t token) {
  const std::int32_t second = 1 + static_cast<std::int32_t>(token * 7 % (experts - 1));
  return token % 5 == 4 ? std::array{second, 0} : std::array{0, second};
}

/// [tokens][used][rows] for the tokens from `first` on. Nothing: experts of this type do not go into that buffer.
std::optional<std::vector<float>> mix(const Kernel& kernel, const KnownProduct& product, std::int64_t first, std::int64_t tokens,
                                      int threads) {
  const TensorsHandle holds_weights = tensors();
  ggml_tensor* weights = ggml_new_tensor_3d(holds_weights.get(), kernel.type, length, rows, experts);
  const TensorsHandle holds_rest = tensors();
  ggml_tensor* activations = ggml_new_tensor_3d(holds_rest.get(), GGML_TYPE_F32, length, 1, tokens);
  ggml_tensor* ids = ggml_new_tensor_2d(holds_rest.get(), GGML_TYPE_I32, used, tokens);
  ggml_tensor* result = ggml_mul_mat_id(holds_rest.get(), weights, activations, ids);
  {
    // Asked as llama.cpp asks, with a buffer that holds nothing.
    const BufferHandle nothing(ggml_backend_buft_alloc_buffer(kernel.buffer, 0));
    weights->buffer = nothing.get();
    const bool takes = kernel.buffer == ggml_backend_cpu_buffer_type() ||
                       ggml_backend_dev_supports_op(ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0), result);
    weights->buffer = nullptr;
    if (!takes) return std::nullopt;
  }
  const BufferHandle weights_buffer(ggml_backend_alloc_ctx_tensors_from_buft(holds_weights.get(), kernel.buffer));
  const BufferHandle rest_buffer(ggml_backend_alloc_ctx_tensors_from_buft(holds_rest.get(), ggml_backend_cpu_buffer_type()));
  const BackendHandle backend(ggml_backend_cpu_init());
  ggml_backend_buffer_set_usage(weights_buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  ggml_backend_tensor_set(weights, product.weights.data(), 0, product.weights.size());
  ggml_backend_tensor_set(activations, product.activations.data() + first * length, 0, ggml_nbytes(activations));
  for (std::int64_t t = 0; t < tokens; ++t) {
    const auto chosen = experts_of(first + t);
    ggml_backend_tensor_set(ids, chosen.data(), static_cast<std::size_t>(t) * sizeof chosen, sizeof chosen);
  }
  ggml_cgraph* graph = ggml_new_graph(holds_rest.get());
  ggml_build_forward_expand(graph, result);
  ggml_backend_cpu_set_n_threads(backend.get(), threads);
  ggml_backend_cpu_set_batch_invariant(backend.get(), true);
  CHECK_EQUAL(static_cast<int>(ggml_backend_graph_compute(backend.get(), graph)), static_cast<int>(GGML_STATUS_SUCCESS));
  std::vector<float> results(static_cast<std::size_t>(rows * used * tokens));
  ggml_backend_tensor_get(result, results.data(), 0, ggml_nbytes(result));
  return results;
}

/// The largest distance from exact arithmetic, in standard deviations of a right kernel. Of `mix` for all tokens.
double furthest(const std::vector<float>& results, const KnownProduct& product) {
  double most = 0;
  for (std::int64_t t = 0; t < most_tokens; ++t) {
    const auto chosen = experts_of(t);
    for (std::int64_t k = 0; k < used; ++k) {
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(t * product.rows + chosen[static_cast<std::size_t>(k)] * rows + r);
        const double off = results[static_cast<std::size_t>((t * used + k) * rows + r)] - product.exact[at];
        most = std::max(most, std::abs(off) / product.spread[at]);
      }
    }
  }
  return most;
}

}  // namespace

TEST("experts: in deterministic contexts a token is the same to the bit alone and beside any others, in every buffer, and right") {
  capture_log();
  std::vector<ggml_backend_buffer_type_t> buffers = extra_cpu_buffers();
  buffers.insert(buffers.begin(), ggml_backend_cpu_buffer_type());
  int kernels = 0;
  for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
    const auto type = static_cast<ggml_type>(i);
    if (!has_known_product(type) || length % ggml_blck_size(type) != 0) continue;
    // All experts below each other are one matrix.
    const KnownProduct product = make_known_product(type, length, rows * experts, most_tokens);
    for (const ggml_backend_buffer_type_t buffer : buffers) {
      const Kernel kernel{buffer, type};
      const auto all = mix(kernel, product, 0, most_tokens, 1);
      if (!all) continue;
      ++kernels;
      const auto differs = [&](std::int64_t first, std::int64_t tokens, int threads) {
        const auto some = mix(kernel, product, first, tokens, threads);
        return std::memcmp(some->data(), all->data() + first * used * rows, some->size() * sizeof(float)) != 0;
      };
      std::string where;
      for (const std::int64_t tokens : {1, 2, 3, 4, 5, 8, 9, 16, 33}) {
        if (differs(0, tokens, 1)) where.append(" ").append(std::to_string(tokens));
      }
      for (std::int64_t t = 0; t < most_tokens; t += 3) {
        if (differs(t, 1, 1)) where.append(" token ").append(std::to_string(t));
      }
      if (differs(0, most_tokens, 2)) where += " 2 threads";
      const double off = furthest(*all, product);
      if (where.empty() && off < 8) continue;
      ++check::failures;
      std::cout << "experts of " << name_of(kernel) << ": differ at" << where << ", off by " << off << " standard deviations\n";
    }
  }
  std::cout << kernels << " kinds of experts\n";
  CHECK(kernels >= 25);
}
