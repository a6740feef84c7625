#include "trust/kernel_check.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "backend/cpu_buffers.h"
#include "backend/llama_handles.h"
#include "ggml-alloc.h"
#include "ggml-cpu.h"

namespace nudging {

namespace {

using TensorsHandle = std::unique_ptr<ggml_context, ReleasedBy<ggml_free>>;
using BackendHandle = std::unique_ptr<ggml_backend, ReleasedBy<ggml_backend_free>>;
using BufferHandle = std::unique_ptr<ggml_backend_buffer, ReleasedBy<ggml_backend_buffer_free>>;

/// A few rows of weights for every kernel: AMX takes 32 rows at a time, repacked kernels 4 to 16, and no block is longer than 256.
constexpr std::int64_t answer_length = 512;
constexpr std::int64_t answer_rows = 32;
/// More than a full tile of columns (32 with AMX, 4 in repacked kernels) and some left over.
constexpr std::int64_t answer_columns = 37;

TensorsHandle tensors(std::size_t count, std::size_t more = 0) {
  return TensorsHandle(ggml_init({ggml_tensor_overhead() * count + more, nullptr, true}));
}

/// Whether llama.cpp would put such weights there; asked as it asks, with a buffer that holds nothing.
bool takes(const Kernel& kernel, std::int64_t length, std::int64_t rows) {
  if (kernel.buffer == ggml_backend_cpu_buffer_type()) return true;
  const TensorsHandle context = tensors(3);
  ggml_tensor* weights = ggml_new_tensor_2d(context.get(), kernel.type, length, rows);
  ggml_tensor* columns = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, length, 512);
  ggml_tensor* result = ggml_mul_mat(context.get(), weights, columns);
  const BufferHandle nothing(ggml_backend_buft_alloc_buffer(kernel.buffer, 0));
  if (!nothing) return false;
  weights->buffer = nothing.get();
  return ggml_backend_dev_supports_op(ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0), result);
}

}  // namespace

std::string name_of(const Kernel& kernel) {
  return std::string(ggml_type_name(kernel.type)) + " weights in " + ggml_backend_buft_name(kernel.buffer);
}

namespace {

std::optional<std::vector<float>> multiply(const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads,
                                           bool batch_invariant) {
  if (!takes(kernel, product.length, product.rows)) return std::nullopt;
  const TensorsHandle holds_weights = tensors(1);
  ggml_tensor* weights = ggml_new_tensor_2d(holds_weights.get(), kernel.type, product.length, product.rows);
  const BufferHandle weights_buffer(ggml_backend_alloc_ctx_tensors_from_buft(holds_weights.get(), kernel.buffer));
  const TensorsHandle holds_rest = tensors(2, ggml_graph_overhead());
  ggml_tensor* activations = ggml_new_tensor_2d(holds_rest.get(), GGML_TYPE_F32, product.length, columns);
  ggml_tensor* result = ggml_mul_mat(holds_rest.get(), weights, activations);
  const BufferHandle rest_buffer(ggml_backend_alloc_ctx_tensors_from_buft(holds_rest.get(), ggml_backend_cpu_buffer_type()));
  const BackendHandle backend(ggml_backend_cpu_init());
  if (!weights_buffer || !rest_buffer || !backend) throw std::bad_alloc();

  ggml_backend_buffer_set_usage(weights_buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  ggml_backend_tensor_set(weights, product.weights.data(), 0, product.weights.size());
  ggml_backend_tensor_set(activations, product.activations.data(), 0, ggml_nbytes(activations));
  ggml_cgraph* graph = ggml_new_graph(holds_rest.get());
  ggml_build_forward_expand(graph, result);
  ggml_backend_cpu_set_n_threads(backend.get(), threads);
  ggml_backend_cpu_set_batch_invariant(backend.get(), batch_invariant);
  if (ggml_backend_graph_compute(backend.get(), graph) != GGML_STATUS_SUCCESS) throw std::bad_alloc();
  std::vector<float> results(static_cast<std::size_t>(product.rows * columns));
  ggml_backend_tensor_get(result, results.data(), 0, ggml_nbytes(result));
  return results;
}

}  // namespace

std::optional<std::vector<float>> multiply(const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
  return multiply(kernel, product, columns, threads, false);
}

std::optional<std::vector<float>> multiply_batch_invariantly(const Kernel& kernel, const KnownProduct& product, std::int64_t columns,
                                                             int threads) {
  return multiply(kernel, product, columns, threads, true);
}

bool treats_columns_alike(const Kernel& kernel, const Multiply& product) {
  if (!has_known_product(kernel.type) || !takes(kernel, answer_length, answer_rows)) return true;
  const KnownProduct known = make_known_product(kernel.type, answer_length, answer_rows, answer_columns);
  const std::optional<std::vector<float>> all = product(kernel, known, answer_columns, 1);
  if (!all) return true;
  if (!deviation_of(*all, known).is_explained()) return false;
  // Whole tiles of the kernels that there are, and what they leave over.
  return std::ranges::all_of(std::array<std::int64_t, 8>{1, 2, 3, 4, 5, 8, 16, 33}, [&](std::int64_t columns) {
    const std::optional<std::vector<float>> some = product(kernel, known, columns, 1);
    return some && std::memcmp(some->data(), all->data(), some->size() * sizeof(float)) == 0;
  });
}

bool gives_known_answer(const Kernel& kernel, int threads, const Multiply& product) {
  if (!has_known_product(kernel.type) || !takes(kernel, answer_length, answer_rows)) return true;
  const KnownProduct known = make_known_product(kernel.type, answer_length, answer_rows, answer_columns);
  return std::ranges::all_of(std::array{std::int64_t{1}, answer_columns}, [&](std::int64_t columns) {
    const std::optional<std::vector<float>> results = product(kernel, known, columns, threads);
    return !results || deviation_of(*results, known).is_explained();
  });
}

std::vector<Kernel> extra_kernels() {
  std::vector<Kernel> kernels;
  for (const ggml_backend_buffer_type_t buffer : extra_cpu_buffers()) {
    for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
      const Kernel kernel{buffer, static_cast<ggml_type>(i)};
      if (has_known_product(kernel.type) && takes(kernel, answer_length, answer_rows)) kernels.push_back(kernel);
    }
  }
  return kernels;
}

}  // namespace nudging
