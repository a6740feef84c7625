// Attention on a CPU whose result for a token depends on nothing but that token and what it attends to: not on the tokens beside it in the
// batch, the cells that the cache chose, other sequences, or the number of threads. llama.cpp's own kernels differ in the last bits (a
// kernel for one query, one for 64 and more, sums in the order of cells, parts by threads), and quantised weights make large differences of
// those.
//
// How: everything is summed in the order of positions. Positions are cut into chunks and these into tiles, at fixed places. A tile's keys
// and values are gathered from wherever their cells are, and all rows (queries of a head) that share them are multiplied with them; each
// row goes through the same operations in the same order, however many there are. A chunk has a softmax of its own; the results of chunks
// are merged from the first to the last, on one thread or many.
//
// Online softmax and its merging: Rabe, Staats, "Self-attention does not need O(n²) memory" (arXiv 2112.05682); Dao et al., FlashAttention
// (arXiv 2205.14135).

#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "ggml-cpu.h"
#include "ggml-cpu-impl.h"
#include "kernels/vector.h"
#include "vec.h"

namespace nudging {

namespace {

using namespace kernels;

/// Positions whose keys are multiplied at once. Vectors and transposed blocks divide it.
constexpr std::int64_t tile = 64;
/// Positions that share a softmax. Part of the result's definition, like `tile`: another number gives other last bits.
constexpr std::int64_t chunk = 256;
/// Tokens that share gathered keys and values, at most.
constexpr std::int64_t most_tokens = 32;
/// Rows for which keys and values are gathered once; more would leave the second-level cache.
constexpr std::int64_t most_rows = 128;
/// Rows that a loop keeps in registers.
constexpr int register_rows = 6;
/// Bytes of partial results that are worth giving chunks to different threads.
constexpr std::int64_t most_partial_floats = 4 << 20;
/// Half-precision -∞: the token may not see the cell.
constexpr std::uint16_t hidden = 0xFC00;
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

constexpr std::int64_t padded(std::int64_t n) { return (n + 15) / 16 * 16; }
constexpr std::int64_t quotient_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// What a GGML_OP_FLASH_ATTN_EXT node says. See ggml_flash_attn_ext for the layout of its sources.
struct Attention {
  explicit Attention(const ggml_tensor* node)
      : out(node), q(node->src[0]), k(node->src[1]), v(node->src[2]), mask(node->src[3]), sinks(node->src[4]), positions(node->src[5]) {
    std::memcpy(&scale, node->op_params, sizeof(float));
    std::memcpy(&max_bias, node->op_params + 1, sizeof(float));
    std::memcpy(&softcap, node->op_params + 2, sizeof(float));
    if (softcap != 0) scale /= softcap;
  }

  std::int64_t key_size() const { return k->ne[0]; }
  std::int64_t value_size() const { return v->ne[0]; }
  std::int64_t tokens() const { return q->ne[1]; }
  std::int64_t heads() const { return q->ne[2]; }
  std::int64_t streams() const { return q->ne[3]; }
  std::int64_t kv_heads() const { return k->ne[2]; }
  std::int64_t group() const { return heads() / kv_heads(); }
  std::int64_t cells() const { return k->ne[1]; }
  std::int64_t chunks() const { return quotient_up(cells(), chunk); }

  const std::uint16_t* mask_row(std::int64_t stream, std::int64_t token) const {
    return reinterpret_cast<const std::uint16_t*>(static_cast<const char*>(mask->data) + token * mask->nb[1] +
                                                  stream % mask->ne[3] * mask->nb[3]);
  }
  const std::int32_t* positions_of(std::int64_t stream) const {
    return reinterpret_cast<const std::int32_t*>(static_cast<const char*>(positions->data) + stream % positions->ne[3] * positions->nb[3]);
  }
  /// ALiBi's slope of a head, as ggml has it; 1 without.
  float slope(std::int64_t head) const {
    if (max_bias <= 0) return 1;
    const auto near = static_cast<std::int64_t>(1U << static_cast<unsigned>(std::floor(std::log2(heads()))));
    const float m0 = std::pow(2.0F, -max_bias / static_cast<float>(near));
    const float m1 = std::pow(2.0F, -max_bias / 2.0F / static_cast<float>(near));
    return head < near ? std::pow(m0, static_cast<float>(head + 1)) : std::pow(m1, static_cast<float>(2 * (head - near) + 1));
  }

  const ggml_tensor* out;
  const ggml_tensor* q;
  const ggml_tensor* k;
  const ggml_tensor* v;
  const ggml_tensor* mask;
  const ggml_tensor* sinks;
  /// The position that each cell holds, and -1 for those that hold none.
  const ggml_tensor* positions;
  float scale = 1;
  float max_bias = 0;
  float softcap = 0;
};

/// How the work is cut for so many threads. No result depends on it.
struct Cut {
  Cut(const Attention& a, int threads) {
    block = std::clamp<std::int64_t>(most_rows / a.group(), 1, std::min(most_tokens, a.tokens()));
    while (block > 8 && units(a) < 2 * threads) block = quotient_up(block, 2);
    rows = block * a.group();
    partial = padded(a.value_size() + 2);
    const std::int64_t partials = a.streams() * a.tokens() * a.heads() * a.chunks() * partial;
    by_chunk = threads > 1 && units(a) < 4 * threads && a.chunks() > 1 && partials <= most_partial_floats;
    partial_floats = by_chunk ? partials : 0;
    scratch_floats = rows * padded(a.key_size()) + rows * tile + 2 * rows * padded(a.value_size()) + 4 * padded(rows) +
                     2 * tile * padded(a.key_size()) + tile * padded(a.value_size()) + block * tile + padded(a.chunks() * chunk) +
                     padded(block);
  }

  std::int64_t blocks(const Attention& a) const { return quotient_up(a.tokens(), block); }
  /// Pieces of work: a block of tokens with one head of keys and values.
  std::int64_t units(const Attention& a) const { return a.streams() * blocks(a) * a.kv_heads(); }

  std::int64_t block = 1;
  std::int64_t rows = 1;
  /// Whether a unit's chunks are pieces of their own. Then results of chunks wait in memory to be merged.
  bool by_chunk = false;
  std::int64_t partial = 0;
  std::int64_t partial_floats = 0;
  std::int64_t scratch_floats = 0;
};

/// Softmax sums of some rows: values weighted by exp(score - top), and the sum of the weights.
struct Sums {
  float* top;
  float* weight;
  float* values;
  std::int64_t stride;

  void clear(std::int64_t rows) const {
    std::fill_n(top, rows, minus_infinity);
    std::fill_n(weight, rows, 0.0F);
    std::fill_n(values, rows * stride, 0.0F);
  }
};

void scale_by(float* values, std::int64_t n, float factor) {
  for (std::int64_t i = 0; i < n; i += lanes) store(values + i, product(load(values + i), all(factor)));
}

/// Adds a chunk's sums of one row to those of the chunks before it.
void merge(float& top, float& weight, float* values, float chunk_top, float chunk_weight, const float* chunk_values, std::int64_t n) {
  if (chunk_top == minus_infinity) return;
  const float both = std::max(top, chunk_top);
  const float before = std::exp(top - both);
  const float after = std::exp(chunk_top - both);
  top = both;
  weight = weight * before + chunk_weight * after;
  for (std::int64_t i = 0; i < n; i += lanes) {
    store(values + i, fused(load(chunk_values + i), all(after), product(load(values + i), all(before))));
  }
}

/// scores[r][j] = Σ_d q[r][d] · keys[d][j], for the tile's positions from `begin` to `end`, d ascending.
template <int rows>
void multiply_keys(const float* q, std::int64_t q_stride, const float* keys, std::int64_t size, float* scores, std::int64_t begin,
                   std::int64_t end) {
  constexpr std::int64_t step = 2 * lanes;
  for (std::int64_t j = begin / step * step; j < end; j += step) {
    Vector sums[rows][2];
    for (auto& sum : sums) sum[0] = sum[1] = all(0);
    for (std::int64_t d = 0; d < size; ++d) {
      const Vector first = load(keys + d * tile + j);
      const Vector second = load(keys + d * tile + j + lanes);
      for (int r = 0; r < rows; ++r) {
        const Vector factor = all(q[r * q_stride + d]);
        sums[r][0] = fused(factor, first, sums[r][0]);
        sums[r][1] = fused(factor, second, sums[r][1]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      store(scores + r * tile + j, sums[r][0]);
      store(scores + r * tile + j + lanes, sums[r][1]);
    }
  }
}

/// sums[r] += Σ_j weights[r][j] · values[j], j ascending.
template <int rows>
void add_values(const float* weights, const float* values, std::int64_t stride, float* sums, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t step = lanes < 16 ? 2 * lanes : lanes;
  for (std::int64_t i = 0; i < stride; i += step) {
    Vector total[rows][step / lanes];
    for (int r = 0; r < rows; ++r) {
      for (int k = 0; k < step / lanes; ++k) total[r][k] = load(sums + r * stride + i + k * lanes);
    }
    for (std::int64_t j = begin; j < end; ++j) {
      for (int k = 0; k < step / lanes; ++k) {
        const Vector value = load(values + j * stride + i + k * lanes);
        for (int r = 0; r < rows; ++r) total[r][k] = fused(all(weights[r * tile + j]), value, total[r][k]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      for (int k = 0; k < step / lanes; ++k) store(sums + r * stride + i + k * lanes, total[r][k]);
    }
  }
}

/// Calls `some` with as many rows as fit into registers, until all had their turn.
template <typename Some>
void in_registers(std::int64_t rows, Some some) {
  std::int64_t r = 0;
  for (; r + register_rows <= rows; r += register_rows) some(r, std::integral_constant<int, register_rows>{});
  switch (rows - r) {
    case 5: return some(r, std::integral_constant<int, 5>{});
    case 4: return some(r, std::integral_constant<int, 4>{});
    case 3: return some(r, std::integral_constant<int, 3>{});
    case 2: return some(r, std::integral_constant<int, 2>{});
    case 1: return some(r, std::integral_constant<int, 1>{});
    default: return;
  }
}

void to_floats(ggml_type type, const void* from, float* to, std::int64_t n) {
  switch (type) {
    case GGML_TYPE_F32: std::memcpy(to, from, n * sizeof(float)); return;
    case GGML_TYPE_F16: ggml_cpu_fp16_to_fp32(static_cast<const ggml_fp16_t*>(from), to, n); return;
    case GGML_TYPE_BF16: ggml_cpu_bf16_to_fp32(static_cast<const ggml_bf16_t*>(from), to, n); return;
    default: ggml_get_type_traits(type)->to_float(from, to, n); return;
  }
}

/// One thread's work on one node.
class Worker {
 public:
  Worker(const Attention& attention, const Cut& cut, float* scratch, float* partials) : a_(attention), cut_(cut), partials_(partials) {
    const auto take = [&scratch](std::int64_t floats) { return std::exchange(scratch, scratch + floats); };
    key_stride_ = padded(a_.key_size());
    const std::int64_t value_stride = padded(a_.value_size());
    q_ = take(cut.rows * key_stride_);
    scores_ = take(cut.rows * tile);
    for (Sums* sums : {&chunk_, &total_}) {
      const std::int64_t rows = padded(cut.rows);
      *sums = {take(rows), take(rows), take(cut.rows * value_stride), value_stride};
    }
    key_rows_ = take(tile * key_stride_);
    keys_ = take(tile * key_stride_);
    values_ = take(tile * value_stride);
    bias_ = take(cut.block * tile);
    cells_ = reinterpret_cast<std::int32_t*>(take(padded(a_.chunks() * chunk)));
    sees_ = reinterpret_cast<std::int32_t*>(take(padded(cut.block)));
    // What pads rows to whole vectors stays zero.
    std::fill_n(key_rows_, tile * key_stride_, 0.0F);
    std::fill_n(values_, tile * value_stride, 0.0F);
  }

  /// All chunks of a unit, or one.
  void work(std::int64_t unit, std::int64_t only_chunk) {
    kv_head_ = unit % a_.kv_heads();
    const std::int64_t block = unit / a_.kv_heads() % cut_.blocks(a_);
    stream_ = unit / a_.kv_heads() / cut_.blocks(a_);
    const std::int64_t end = std::min(a_.tokens(), (block + 1) * cut_.block);
    for (first_ = block * cut_.block; first_ < end; first_ += count_) {
      if (!gather(end)) {
        count_ = 1;
        fail(only_chunk);
      } else if (only_chunk >= 0) {
        sum_chunk(only_chunk);
        keep(only_chunk);
      } else {
        total_.clear(rows());
        for (std::int64_t c = low_ / chunk; c * chunk < high_; ++c) {
          sum_chunk(c);
          for (std::int64_t r = 0; r < rows(); ++r) {
            merge(total_.top[r], total_.weight[r], total_.values + r * total_.stride, chunk_.top[r], chunk_.weight[r],
                  chunk_.values + r * chunk_.stride, total_.stride);
          }
        }
        for (std::int64_t r = 0; r < rows(); ++r)
          finish(token(r), head(r), total_.top[r], total_.weight[r], total_.values + r * total_.stride);
      }
    }
  }

  /// Merges what `work` kept of a row's chunks: of token and head together, over all streams.
  void merge_kept(std::int64_t row) {
    stream_ = row / (a_.tokens() * a_.heads());
    float top = minus_infinity;
    float weight = 0;
    std::fill_n(total_.values, total_.stride, 0.0F);
    for (std::int64_t c = 0; c < a_.chunks(); ++c) {
      const float* kept = partials_ + (row * a_.chunks() + c) * cut_.partial;
      std::fill_n(chunk_.values, total_.stride, 0.0F);
      std::memcpy(chunk_.values, kept + 2, a_.value_size() * sizeof(float));
      merge(top, weight, total_.values, kept[0], kept[1], chunk_.values, total_.stride);
    }
    finish(row / a_.heads() % a_.tokens(), row % a_.heads(), top, weight, total_.values);
  }

 private:
  std::int64_t rows() const { return count_ * a_.group(); }
  std::int64_t token(std::int64_t row) const { return first_ + row / a_.group(); }
  std::int64_t head(std::int64_t row) const { return kv_head_ * a_.group() + row % a_.group(); }

  /// Finds out where the cells of each position are, for as many tokens from `first_` on as agree. False if the first one has no such
  /// order.
  bool gather(std::int64_t end) {
    const std::int32_t* positions = a_.positions_of(stream_);
    const std::int64_t most = a_.chunks() * chunk;
    std::fill_n(cells_, most, -1);
    low_ = most;
    high_ = 0;
    const std::uint16_t* before = nullptr;
    for (count_ = 0; first_ + count_ < end; ++count_) {
      const std::uint16_t* row = a_.mask_row(stream_, first_ + count_);
      if (!add_cells(row, before, positions)) break;
      before = row;
    }
    if (count_ == 0) return false;
    load_queries();
    return true;
  }

  /// Notes the cells that a row of the mask shows. False if one of them has no position, or shares it with another cell. `before`: a row
  /// whose cells are noted, or null.
  bool add_cells(const std::uint16_t* row, const std::uint16_t* before, const std::int32_t* positions) {
    const std::int64_t cells = a_.cells();
    const auto all_hidden = [] {
      std::uint16_t four[4] = {hidden, hidden, hidden, hidden};
      std::uint64_t bits;
      std::memcpy(&bits, four, 8);
      return bits;
    }();
    std::int64_t i = 0;
    // Four at a time while there is nothing new.
    const auto nothing_new = [&] {
      std::uint64_t now;
      std::uint64_t then = all_hidden;
      std::memcpy(&now, row + i, 8);
      if (before != nullptr) std::memcpy(&then, before + i, 8);
      return now == then || now == all_hidden;
    };
    while (i < cells) {
      if (i + 4 <= cells && nothing_new()) {
        i += 4;
        continue;
      }
      for (const std::int64_t stop = std::min(cells, i + 4); i < stop; ++i) {
        if (row[i] == hidden) continue;
        const std::int32_t position = positions[i];
        if (position < 0 || position >= a_.chunks() * chunk) return false;
        if (cells_[position] >= 0 && cells_[position] != i) return false;
        cells_[position] = static_cast<std::int32_t>(i);
        low_ = std::min<std::int64_t>(low_, position);
        high_ = std::max<std::int64_t>(high_, position + 1);
      }
    }
    return true;
  }

  void load_queries() {
    for (std::int64_t r = 0; r < rows(); ++r) {
      const auto* from = reinterpret_cast<const float*>(static_cast<const char*>(a_.q->data) + token(r) * a_.q->nb[1] +
                                                        head(r) * a_.q->nb[2] + stream_ * a_.q->nb[3]);
      for (std::int64_t d = 0; d < a_.key_size(); ++d) q_[r * key_stride_ + d] = from[d] * a_.scale;
    }
  }

  void sum_chunk(std::int64_t c) {
    chunk_.clear(rows());
    const std::int64_t begin = std::max(c * chunk, low_ / tile * tile);
    const std::int64_t end = std::min((c + 1) * chunk, high_);
    for (std::int64_t position = begin; position < end; position += tile) sum_tile(position);
  }

  void sum_tile(std::int64_t position) {
    const std::int32_t* cells = cells_ + position;
    std::int64_t begin = 0;
    std::int64_t end = tile;
    while (begin < tile && cells[begin] < 0) ++begin;
    if (begin == tile) return;
    while (cells[end - 1] < 0) --end;
    load_bias(cells);
    load_keys(cells, begin, end);
    in_registers(rows(), [&](std::int64_t r, auto n) {
      multiply_keys<n()>(q_ + r * key_stride_, key_stride_, keys_, a_.key_size(), scores_ + r * tile, begin, end);
    });
    for (std::int64_t r = 0; r < rows(); ++r) weigh(r, begin, end);
    load_values(cells, begin, end);
    in_registers(rows(), [&](std::int64_t r, auto n) {
      add_values<n()>(scores_ + r * tile, values_, chunk_.stride, chunk_.values + r * chunk_.stride, begin, end);
    });
  }

  /// What the mask says to each token about the tile's positions.
  void load_bias(const std::int32_t* cells) {
    bool neighbours = cells[0] >= 0;
    for (std::int64_t j = 1; j < tile && neighbours; ++j) neighbours = cells[j] == cells[0] + j;
    for (std::int64_t t = 0; t < count_; ++t) {
      const auto* row = reinterpret_cast<const ggml_fp16_t*>(a_.mask_row(stream_, first_ + t));
      float* bias = bias_ + t * tile;
      if (neighbours) {
        ggml_cpu_fp16_to_fp32(row + cells[0], bias, tile);
      } else {
        for (std::int64_t j = 0; j < tile; ++j)
          bias[j] = cells[j] < 0 || row[cells[j]] == hidden ? minus_infinity : ggml_fp16_to_fp32(row[cells[j]]);
      }
      sees_[t] = std::any_of(bias, bias + tile, [](float value) { return value != minus_infinity; }) ? 1 : 0;
    }
  }

  const char* cell_of(const ggml_tensor* cache, std::int64_t cell) const {
    return static_cast<const char*>(cache->data) + cell * cache->nb[1] + kv_head_ * cache->nb[2] + stream_ * cache->nb[3];
  }

  void load_keys(const std::int32_t* cells, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      if (cells[j] < 0) {
        std::fill_n(key_rows_ + j * key_stride_, a_.key_size(), 0.0F);
      } else {
        to_floats(a_.k->type, cell_of(a_.k, cells[j]), key_rows_ + j * key_stride_, a_.key_size());
      }
    }
    for (std::int64_t j = begin / 16 * 16; j < end; j += 16) {
      for (std::int64_t d = 0; d < key_stride_; d += 16)
        transpose_16(key_rows_ + j * key_stride_ + d, static_cast<int>(key_stride_), keys_ + d * tile + j, tile);
    }
  }

  void load_values(const std::int32_t* cells, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      if (cells[j] < 0) {
        std::fill_n(values_ + j * chunk_.stride, a_.value_size(), 0.0F);
      } else {
        to_floats(a_.v->type, cell_of(a_.v, cells[j]), values_ + j * chunk_.stride, a_.value_size());
      }
    }
  }

  /// Makes weights of a row's scores, and brings its sums to the new top score.
  void weigh(std::int64_t r, std::int64_t begin, std::int64_t end) {
    float* scores = scores_ + r * tile;
    const std::int64_t t = r / a_.group();
    if (sees_[t] == 0) {
      std::fill_n(scores, tile, 0.0F);
      return;
    }
    if (a_.softcap != 0) {
      for (std::int64_t j = begin; j < end; ++j) scores[j] = a_.softcap * std::tanh(scores[j]);
    }
    const float slope = a_.slope(head(r));
    const float* bias = bias_ + t * tile;
    Vector highest = all(minus_infinity);
    std::fill(scores, scores + begin, minus_infinity);
    std::fill(scores + end, scores + tile, minus_infinity);
    for (std::int64_t j = 0; j < tile; j += lanes) {
      const Vector biased = fused(load(bias + j), all(slope), load(scores + j));
      store(scores + j, biased);
      highest = larger(highest, biased);
    }
    float tops[lanes];
    store(tops, highest);
    const float top = std::max(chunk_.top[r], *std::max_element(tops, tops + lanes));
    if (top > chunk_.top[r]) {
      const float factor = std::exp(chunk_.top[r] - top);
      scale_by(chunk_.values + r * chunk_.stride, chunk_.stride, factor);
      chunk_.weight[r] *= factor;
      chunk_.top[r] = top;
    }
    chunk_.weight[r] += static_cast<float>(ggml_vec_soft_max_f32(tile, scores, scores, top));
  }

  void keep(std::int64_t c) {
    for (std::int64_t r = 0; r < rows(); ++r) {
      float* kept = kept_of(token(r), head(r), c);
      kept[0] = chunk_.top[r];
      kept[1] = chunk_.weight[r];
      std::memcpy(kept + 2, chunk_.values + r * chunk_.stride, a_.value_size() * sizeof(float));
    }
  }

  float* kept_of(std::int64_t token, std::int64_t head, std::int64_t c) {
    return partials_ + (((stream_ * a_.tokens() + token) * a_.heads() + head) * a_.chunks() + c) * cut_.partial;
  }

  void finish(std::int64_t token, std::int64_t head, float top, float weight, float* values) {
    if (a_.sinks != nullptr) {
      const float sink = static_cast<const float*>(a_.sinks->data)[head];
      const float both = std::max(top, sink);
      const float before = std::exp(top - both);
      scale_by(values, total_.stride, before);
      weight = weight * before + std::exp(sink - both);
    }
    scale_by(values, total_.stride, weight == 0 ? 0.0F : 1.0F / weight);
    std::memcpy(result(token, head), values, a_.value_size() * sizeof(float));
  }

  float* result(std::int64_t token, std::int64_t head) const {
    return reinterpret_cast<float*>(static_cast<char*>(a_.out->data) + head * a_.out->nb[1] + token * a_.out->nb[2] +
                                    stream_ * a_.out->nb[3]);
  }

  /// A cache without an order of positions has no result. Whoever reads logits finds that they are no numbers.
  void fail(std::int64_t only_chunk) {
    constexpr float no_number = std::numeric_limits<float>::quiet_NaN();
    for (std::int64_t r = 0; r < rows(); ++r) {
      if (only_chunk >= 0) {
        std::fill_n(kept_of(token(r), head(r), only_chunk), cut_.partial, no_number);
      } else {
        std::fill_n(result(token(r), head(r)), a_.value_size(), no_number);
      }
    }
  }

  const Attention& a_;
  const Cut& cut_;
  float* partials_;
  std::int64_t key_stride_ = 0;

  // What is worked on: the tokens from `first_` on that agree about the cells of the positions from `low_` to `high_`.
  std::int64_t stream_ = 0;
  std::int64_t kv_head_ = 0;
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  std::int64_t low_ = 0;
  std::int64_t high_ = 0;
  /// The cell of each position, -1 where none is known.
  std::int32_t* cells_ = nullptr;

  /// [rows][key size], scaled.
  float* q_ = nullptr;
  /// [rows][tile]: scores, then weights.
  float* scores_ = nullptr;
  /// [tile][key size], and transposed.
  float* key_rows_ = nullptr;
  float* keys_ = nullptr;
  /// [tile][value size].
  float* values_ = nullptr;
  /// [tokens][tile], and whether a token sees any of it.
  float* bias_ = nullptr;
  std::int32_t* sees_ = nullptr;
  Sums chunk_{};
  Sums total_{};
};

/// Whether the node is told the position of every cell: patch 0002 sees to it.
bool has_positions(const ggml_tensor* node) { return node->src[3] != nullptr && node->src[5] != nullptr; }

std::size_t work_size(const ggml_tensor* node, int threads) {
  if (!has_positions(node)) return 0;
  const Attention attention(node);
  const Cut cut(attention, threads);
  return static_cast<std::size_t>(threads * cut.scratch_floats + cut.partial_floats) * sizeof(float);
}

/// False if the node is none of a deterministic context.
bool compute(const ggml_compute_params* params, ggml_tensor* node) {
  if (!has_positions(node)) return false;
  const Attention attention(node);
  const Cut cut(attention, params->nth);
  float* scratch = static_cast<float*>(params->wdata);
  float* partials = scratch + params->nth * cut.scratch_floats;
  Worker worker(attention, cut, scratch + params->ith * cut.scratch_floats, partials);

  if (params->ith == 0) ggml_threadpool_chunk_set(params->threadpool, params->nth);
  ggml_barrier(params->threadpool);
  const std::int64_t chunks = cut.by_chunk ? attention.chunks() : 1;
  const std::int64_t pieces = cut.units(attention) * chunks;
  for (std::int64_t piece = params->ith; piece < pieces; piece = ggml_threadpool_chunk_add(params->threadpool, 1)) {
    worker.work(piece / chunks, cut.by_chunk ? piece % chunks : -1);
  }
  if (!cut.by_chunk) return true;
  ggml_barrier(params->threadpool);
  const std::int64_t rows = attention.streams() * attention.tokens() * attention.heads();
  for (std::int64_t row = params->ith; row < rows; row += params->nth) worker.merge_kept(row);
  return true;
}

}  // namespace

void install_attention() { ggml_cpu_set_attention(compute, work_size); }

}  // namespace nudging
