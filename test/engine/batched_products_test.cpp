// Products of weights as models use them: one matrix for all batches, or one for each. Every buffer type that this machine's CPU
// may be given weights in has kernels of its own (AMX, repacked weights, …).
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/llama_handles.h"
#include "check.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"

using namespace nudging;

namespace {

using Context = std::unique_ptr<ggml_context, ReleasedBy<ggml_free>>;
using Buffer = std::unique_ptr<ggml_backend_buffer, ReleasedBy<ggml_backend_buffer_free>>;
using Backend = std::unique_ptr<ggml_backend, ReleasedBy<ggml_backend_free>>;

constexpr std::int64_t depth = 256;
constexpr std::int64_t rows = 64;
constexpr std::int64_t batches = 4;

Context new_context() { return Context(ggml_init({ggml_tensor_overhead() * 16 + ggml_graph_overhead(), nullptr, true})); }

std::vector<ggml_backend_buffer_type_t> buffer_types(ggml_backend_t cpu) {
  std::vector<ggml_backend_buffer_type_t> types = {ggml_backend_cpu_buffer_type()};
  const ggml_backend_dev_t device = ggml_backend_get_device(cpu);
  const auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
  for (const ggml_backend_buffer_type_t* type = extra(device); type != nullptr && *type != nullptr; ++type) types.push_back(*type);
  return types;
}

std::vector<float> random_numbers(std::size_t count) {
  std::mt19937 engine(7);
  std::uniform_real_distribution<float> between(-1.0F, 1.0F);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = between(engine);
  return numbers;
}

/// The relative error of products of `matrices` weights with four batches of `columns`, or a negative number where there is no kernel.
double error_of(ggml_backend_t cpu, ggml_backend_buffer_type_t type, ggml_type weight_type, std::int64_t matrices, std::int64_t columns) {
  const Context weights = new_context();
  const Context rest = new_context();
  ggml_tensor* weight = ggml_new_tensor_3d(weights.get(), weight_type, depth, rows, matrices);
  ggml_tensor* input = ggml_new_tensor_3d(rest.get(), GGML_TYPE_F32, depth, columns, batches);
  ggml_tensor* product = ggml_mul_mat(rest.get(), weight, input);
  // As llama.cpp asks before it chooses a buffer type for a weight.
  Buffer empty(ggml_backend_buft_alloc_buffer(type, 0));
  weight->buffer = empty.get();
  if (!ggml_backend_dev_supports_op(ggml_backend_get_device(cpu), product)) return -1;
  weight->buffer = nullptr;
  const Buffer weight_buffer(ggml_backend_alloc_ctx_tensors_from_buft(weights.get(), type));
  ggml_backend_buffer_set_usage(weight_buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  const Buffer other_buffer(ggml_backend_alloc_ctx_tensors_from_buft(rest.get(), ggml_backend_cpu_buffer_type()));

  const std::vector<float> numbers = random_numbers(static_cast<std::size_t>(depth * rows * matrices));
  std::vector<std::uint8_t> stored(ggml_nbytes(weight));
  ggml_quantize_chunk(weight_type, numbers.data(), stored.data(), 0, rows * matrices, depth, nullptr);
  std::vector<float> exact(numbers.size());
  ggml_get_type_traits(weight_type)->to_float(stored.data(), exact.data(), static_cast<std::int64_t>(exact.size()));
  const std::vector<float> inputs = random_numbers(static_cast<std::size_t>(depth * columns * batches));
  ggml_backend_tensor_set(weight, stored.data(), 0, stored.size());
  ggml_backend_tensor_set(input, inputs.data(), 0, ggml_nbytes(input));

  ggml_cgraph* graph = ggml_new_graph(rest.get());
  ggml_build_forward_expand(graph, product);
  ggml_backend_graph_compute(cpu, graph);
  std::vector<float> products(static_cast<std::size_t>(rows * columns * batches));
  ggml_backend_tensor_get(product, products.data(), 0, ggml_nbytes(product));

  double wrong = 0;
  double all = 0;
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const float* matrix = exact.data() + (matrices == 1 ? 0 : batch) * depth * rows;
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < rows; ++row) {
        const float* numbers_in = inputs.data() + (batch * columns + column) * depth;
        double sum = 0;
        for (std::int64_t i = 0; i < depth; ++i) sum += static_cast<double>(matrix[row * depth + i]) * numbers_in[i];
        const double difference = products[static_cast<std::size_t>((batch * columns + column) * rows + row)] - sum;
        wrong += difference * difference;
        all += sum * sum;
      }
    }
  }
  return std::sqrt(wrong / all);
}

}  // namespace

TEST("batched products: all kernels that this CPU has give them, for one matrix and for several") {
  const Backend cpu(ggml_backend_cpu_init());
  ggml_backend_cpu_set_n_threads(cpu.get(), 2);
  std::vector<std::string> wrong;
  for (const ggml_backend_buffer_type_t type : buffer_types(cpu.get())) {
    for (const ggml_type weight_type : {GGML_TYPE_F16, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q8_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
      for (const std::int64_t matrices : {std::int64_t{1}, batches}) {
        for (const std::int64_t columns : {1, 5, 32}) {
          const double error = error_of(cpu.get(), type, weight_type, matrices, columns);
          // Inputs are rounded to eight bits for quantised weights.
          if (error > 0.02) {
            wrong.push_back(std::string(ggml_backend_buft_name(type)) + " " + ggml_type_name(weight_type) + ", " +
                            std::to_string(matrices) + " matrices, " + std::to_string(columns) + " columns: " + std::to_string(error));
          }
          if (type == ggml_backend_cpu_buffer_type()) CHECK(error >= 0);
        }
      }
    }
  }
  CHECK_EQUAL(wrong, std::vector<std::string>{});
}
