// The attention of deterministic contexts against exact arithmetic, and against itself in other company.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "backend/llama_handles.h"
#include "check.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "kernels/attention.h"

using namespace nudging;

namespace {

using TensorsHandle = std::unique_ptr<ggml_context, ReleasedBy<ggml_free>>;
using BackendHandle = std::unique_ptr<ggml_backend, ReleasedBy<ggml_backend_free>>;
using BufferHandle = std::unique_ptr<ggml_backend_buffer, ReleasedBy<ggml_backend_buffer_free>>;

struct Shape {
  std::int64_t key_size = 64;
  std::int64_t value_size = 64;
  std::int64_t heads = 6;
  std::int64_t kv_heads = 2;
  ggml_type keys = GGML_TYPE_F16;
  ggml_type values = GGML_TYPE_F16;
  float softcap = 0;
  float max_bias = 0;
  /// Positions before its own that a token sees; 0: all.
  std::int64_t window = 0;
  bool sinks = false;
};

/// A query: a token of a sequence at a position, which sees that sequence's cells up to itself.
struct Query {
  int sequence;
  std::int64_t position;
};

/// A cell of the cache: what it holds of which sequence, or nothing.
struct Cell {
  int sequence = -1;
  std::int64_t position = -1;
};

/// Pseudo-random vectors that depend on what they are for and on nothing else.
std::vector<float> numbers(std::uint32_t what, int sequence, std::int64_t position, std::int64_t head, std::int64_t size) {
  std::seed_seq seed{what, static_cast<std::uint32_t>(sequence), static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(head)};
  std::mt19937 random(seed);
  std::vector<float> result(static_cast<std::size_t>(size));
  for (float& each : result) each = std::normal_distribution<float>()(random);
  return result;
}

float slope_of(const Shape& shape, std::int64_t head) {
  if (shape.max_bias == 0) return 1;
  const int near = 1 << static_cast<int>(std::floor(std::log2(shape.heads)));
  if (head < near) return std::pow(std::pow(2.0F, -shape.max_bias / static_cast<float>(near)), static_cast<float>(head + 1));
  return std::pow(std::pow(2.0F, -shape.max_bias / 2 / static_cast<float>(near)), static_cast<float>(2 * (head - near) + 1));
}

float bias_of(const Shape& shape, const Query& query, const Cell& cell) {
  const bool seen = cell.sequence == query.sequence && cell.position <= query.position &&
                    (shape.window == 0 || query.position - cell.position < shape.window);
  if (!seen) return -std::numeric_limits<float>::infinity();
  return shape.max_bias == 0 ? 0 : -static_cast<float>(query.position - cell.position);
}

/// What ggml makes of a row of the cache.
std::vector<float> stored(ggml_type type, const std::vector<float>& row) {
  std::vector<std::uint8_t> bytes(ggml_row_size(type, static_cast<std::int64_t>(row.size())));
  ggml_get_type_traits_cpu(type)->from_float(row.data(), bytes.data(), static_cast<std::int64_t>(row.size()));
  std::vector<float> result(row.size());
  if (type == GGML_TYPE_F32) return row;
  ggml_get_type_traits(type)->to_float(bytes.data(), result.data(), static_cast<std::int64_t>(row.size()));
  return result;
}

/// [queries][heads][value size]
std::vector<float> attend(const Shape& shape, const std::vector<Query>& queries, const std::vector<Cell>& cells, int threads) {
  install_attention();
  const auto n_cells = static_cast<std::int64_t>(cells.size());
  const auto n_queries = static_cast<std::int64_t>(queries.size());
  const TensorsHandle holder(ggml_init({ggml_tensor_overhead() * 32 + ggml_graph_overhead(), nullptr, true}));
  ggml_context* context = holder.get();
  // As in llama.cpp's cache: all heads of a cell side by side.
  ggml_tensor* q = ggml_new_tensor_3d(context, GGML_TYPE_F32, shape.key_size, shape.heads, n_queries);
  ggml_tensor* k = ggml_new_tensor_3d(context, shape.keys, shape.key_size, shape.kv_heads, n_cells);
  ggml_tensor* v = ggml_new_tensor_3d(context, shape.values, shape.value_size, shape.kv_heads, n_cells);
  ggml_tensor* mask = ggml_new_tensor_4d(context, GGML_TYPE_F16, n_cells, n_queries, 1, 1);
  ggml_tensor* positions = ggml_new_tensor_4d(context, GGML_TYPE_I32, n_cells, 1, 1, 1);
  ggml_tensor* sinks = ggml_new_tensor_1d(context, GGML_TYPE_F32, shape.heads);
  const float scale = 1 / std::sqrt(static_cast<float>(shape.key_size));
  ggml_tensor* out = ggml_flash_attn_ext(context, ggml_permute(context, q, 0, 2, 1, 3), ggml_permute(context, k, 0, 2, 1, 3),
                                         ggml_permute(context, v, 0, 2, 1, 3), mask, scale, shape.max_bias, shape.softcap);
  out->src[5] = positions;
  if (shape.sinks) ggml_flash_attn_ext_add_sinks(out, sinks);
  const BufferHandle buffer(ggml_backend_alloc_ctx_tensors_from_buft(context, ggml_backend_cpu_buffer_type()));

  for (std::int64_t i = 0; i < n_queries; ++i) {
    const Query& query = queries[static_cast<std::size_t>(i)];
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const std::vector<float> row = numbers(1, query.sequence, query.position, h, shape.key_size);
      std::memcpy(static_cast<char*>(q->data) + i * q->nb[2] + h * q->nb[1], row.data(), row.size() * sizeof(float));
    }
    for (std::int64_t c = 0; c < n_cells; ++c)
      static_cast<ggml_fp16_t*>(mask->data)[i * n_cells + c] = ggml_fp32_to_fp16(bias_of(shape, query, cells[static_cast<std::size_t>(c)]));
  }
  for (std::int64_t c = 0; c < n_cells; ++c) {
    const Cell& cell = cells[static_cast<std::size_t>(c)];
    static_cast<std::int32_t*>(positions->data)[c] = static_cast<std::int32_t>(cell.position);
    for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
      const auto put = [&](ggml_tensor* tensor, std::uint32_t what, std::int64_t size) {
        const std::vector<float> row = numbers(what, cell.sequence, cell.position, h, size);
        ggml_get_type_traits_cpu(tensor->type)
            ->from_float(row.data(), static_cast<char*>(tensor->data) + c * tensor->nb[2] + h * tensor->nb[1], size);
      };
      put(k, 2, shape.key_size);
      put(v, 3, shape.value_size);
    }
  }
  for (std::int64_t h = 0; h < shape.heads; ++h) static_cast<float*>(sinks->data)[h] = static_cast<float>(h) / 2;

  const BackendHandle backend(ggml_backend_cpu_init());
  ggml_backend_cpu_set_n_threads(backend.get(), threads);
  ggml_cgraph* graph = ggml_new_graph(context);
  ggml_build_forward_expand(graph, out);
  CHECK(ggml_backend_graph_compute(backend.get(), graph) == GGML_STATUS_SUCCESS);
  std::vector<float> result(static_cast<std::size_t>(n_queries * shape.heads * shape.value_size));
  std::memcpy(result.data(), out->data, result.size() * sizeof(float));
  return result;
}

/// One sequence from its beginning, its cells in order.
std::vector<Cell> in_order(int sequence, std::int64_t length) {
  std::vector<Cell> cells;
  for (std::int64_t p = 0; p < length; ++p) cells.push_back({sequence, p});
  return cells;
}

std::vector<Query> tokens(int sequence, std::int64_t from, std::int64_t to) {
  std::vector<Query> queries;
  for (std::int64_t p = from; p < to; ++p) queries.push_back({sequence, p});
  return queries;
}

/// Part of a result that belongs to one query.
bool same(const Shape& shape, const std::vector<float>& one, std::size_t i, const std::vector<float>& other, std::size_t j) {
  const auto size = static_cast<std::size_t>(shape.heads * shape.value_size);
  return std::memcmp(one.data() + i * size, other.data() + j * size, size * sizeof(float)) == 0;
}

/// The largest difference from sums in double precision.
double error_of(const Shape& shape, const std::vector<Query>& queries, const std::vector<Cell>& cells, const std::vector<float>& result) {
  double worst = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const std::int64_t kv_head = h / (shape.heads / shape.kv_heads);
      const std::vector<float> q = numbers(1, queries[i].sequence, queries[i].position, h, shape.key_size);
      std::vector<double> sums(static_cast<std::size_t>(shape.value_size));
      double weight = shape.sinks ? std::exp(static_cast<double>(h) / 2) : 0;
      for (const Cell& cell : cells) {
        const double bias = bias_of(shape, queries[i], cell);
        if (std::isinf(bias)) continue;
        const std::vector<float> k = stored(shape.keys, numbers(2, cell.sequence, cell.position, kv_head, shape.key_size));
        const std::vector<float> v = stored(shape.values, numbers(3, cell.sequence, cell.position, kv_head, shape.value_size));
        double score = std::inner_product(k.begin(), k.end(), q.begin(), 0.0) / std::sqrt(static_cast<double>(shape.key_size));
        if (shape.softcap != 0) score = shape.softcap * std::tanh(score / shape.softcap);
        const double share = std::exp(score + slope_of(shape, h) * bias);
        weight += share;
        for (std::size_t d = 0; d < v.size(); ++d) sums[d] += share * static_cast<double>(v[d]);
      }
      for (std::size_t d = 0; d < sums.size(); ++d) {
        const double is = result[(i * static_cast<std::size_t>(shape.heads) + static_cast<std::size_t>(h)) * sums.size() + d];
        worst = std::max(worst, std::isnan(is) ? 1e9 : std::abs(is - sums[d] / weight));
      }
    }
  }
  return worst;
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {},
      {.key_size = 128, .value_size = 128, .heads = 4, .kv_heads = 4},
      {.key_size = 40, .value_size = 72, .heads = 5, .kv_heads = 1},
      {.key_size = 96, .value_size = 32, .heads = 8, .kv_heads = 1, .softcap = 3},
      {.heads = 6, .kv_heads = 3, .max_bias = 8},
      {.key_size = 256, .value_size = 256, .heads = 4, .kv_heads = 1, .window = 50},
      {.keys = GGML_TYPE_BF16, .values = GGML_TYPE_BF16, .sinks = true},
      {.keys = GGML_TYPE_Q8_0, .values = GGML_TYPE_Q4_0},
  };
  return all;
}

}  // namespace

TEST("attention: what exact arithmetic says, for all kinds of heads and caches") {
  for (const Shape& shape : shapes()) {
    for (const std::int64_t length : {1, 63, 64, 130, 300}) {
      std::vector<Cell> cells = in_order(0, length);
      cells.resize(static_cast<std::size_t>((length + 255) / 256 * 256));
      const std::vector<Query> queries = tokens(0, std::max<std::int64_t>(0, length - 3), length);
      const double error = error_of(shape, queries, cells, attend(shape, queries, cells, 1));
      if (error >= 2e-6) std::cout << shape.key_size << " wide, " << length << " tokens: off by " << error << "\n";
      CHECK(error < 2e-6);
    }
  }
}

TEST("attention: a token's bits do not depend on the tokens beside it, nor on threads") {
  for (const Shape& shape : shapes()) {
    const std::int64_t length = 530;
    std::vector<Cell> cells = in_order(0, length);
    cells.resize(768);
    const std::vector<float> all = attend(shape, tokens(0, 0, length), cells, 1);
    for (const int threads : {1, 2, 3}) {
      for (const std::int64_t width : {1, 2, 5, 33, 70}) {
        for (const std::int64_t from : {std::int64_t{0}, std::int64_t{250}, length - width}) {
          const std::vector<float> some = attend(shape, tokens(0, from, from + width), cells, threads);
          for (std::int64_t i = 0; i < width; ++i)
            CHECK(same(shape, some, static_cast<std::size_t>(i), all, static_cast<std::size_t>(from + i)));
        }
      }
    }
  }
}

TEST("attention: nor on where the cache keeps its cells, and whose are between them") {
  std::mt19937 random(5);
  for (const Shape& shape : shapes()) {
    const std::int64_t length = 300;
    std::vector<Cell> plain = in_order(0, length);
    plain.resize(512);
    const std::vector<Query> mine = {{0, 7}, {0, 255}, {0, 256}, {0, 299}};
    const std::vector<float> alone = attend(shape, mine, plain, 1);
    std::vector<Cell> mixed = in_order(0, length);
    for (const int other : {1, 2}) {
      const std::vector<Cell> theirs = in_order(other, 90 * other);
      mixed.insert(mixed.end(), theirs.begin(), theirs.end());
    }
    mixed.resize(768);
    std::shuffle(mixed.begin(), mixed.end(), random);
    const std::vector<Query> queries = {{1, 40}, {0, 7}, {0, 255}, {2, 0}, {2, 179}, {0, 256}, {1, 89}, {0, 299}};
    const std::vector<float> company = attend(shape, queries, mixed, 2);
    for (const auto& [here, there] : {std::pair(1, 0), std::pair(2, 1), std::pair(5, 2), std::pair(7, 3)}) {
      CHECK(same(shape, company, static_cast<std::size_t>(here), alone, static_cast<std::size_t>(there)));
    }
    CHECK(error_of(shape, queries, mixed, company) < 2e-6);
  }
}

TEST("attention: two cells at one place are no numbers, not a silent choice") {
  const Shape shape;
  std::vector<Cell> cells = in_order(0, 20);
  cells.push_back({0, 5});
  cells.resize(256);
  const std::vector<float> result = attend(shape, tokens(0, 18, 20), cells, 1);
  CHECK(std::all_of(result.begin(), result.end(), [](float each) { return std::isnan(each); }));
}
