#include "trust/known_product.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "ggml-cpu.h"

namespace nudging {

namespace {

/// The standard library's distributions differ between libraries; this is close enough to normal, and the same everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}

  float next() {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>(word() >> 40U) / static_cast<float>(1U << 24U) - 0.5F;
    return sum * 1.7320508F;
  }

  /// splitmix64
  std::uint64_t word() {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
  }

 private:
  std::uint64_t state_;
};

/// Before ggml quantises to these types it sorts tables for seconds. But any bits are weights of theirs, if only the scale is a number.
bool takes_any_bits(ggml_type type) {
  switch (type) {
    case GGML_TYPE_IQ2_XXS:
    case GGML_TYPE_IQ2_XS:
    case GGML_TYPE_IQ2_S:
    case GGML_TYPE_IQ1_S:
    case GGML_TYPE_IQ1_M: return true;
    default: return false;
  }
}

std::vector<std::uint8_t> random_blocks(ggml_type type, std::size_t bytes, Numbers& numbers) {
  std::vector<std::uint8_t> weights(bytes);
  for (std::uint8_t& each : weights) each = static_cast<std::uint8_t>(numbers.word() >> 56U);
  const std::size_t block = ggml_type_size(type);
  for (std::size_t begin = 0; begin < bytes; begin += block) {
    // Half floats between 1/128 and 1/64.
    if (type != GGML_TYPE_IQ1_M) {
      weights[begin + 1] = static_cast<std::uint8_t>(0x20U | (weights[begin + 1] & 3U));
      continue;
    }
    // Its scale is in the upper four bits of the last four 16-bit words, lowest first.
    weights[begin + block - 3] &= 0x3FU;
    weights[begin + block - 1] = static_cast<std::uint8_t>(0x20U | (weights[begin + block - 1] & 0x0FU));
  }
  return weights;
}

/// How a kernel stores the activations that it multiplies.
struct Rounding {
  /// Numbers that share a step of 1/127 of their largest; 0: none do.
  std::int64_t block = 0;
  /// Largest relative error of each number, or of a block's step.
  double relative = 0;
};

Rounding rounding_of(ggml_type type) {
  constexpr double half = 1.0 / (1U << 11U);
  switch (ggml_get_type_traits_cpu(type)->vec_dot_type) {
    case GGML_TYPE_F16: return {0, half};
    case GGML_TYPE_BF16: return {0, 1.0 / (1U << 8U)};
    case GGML_TYPE_Q8_0:
    case GGML_TYPE_Q8_1: return {32, half};
    case GGML_TYPE_Q8_K: return {256, 0};
    default: return {0, 0};
  }
}

/// What additions make of the sum of the squares of all terms: its share that is added to a result's variance.
double additions_of(ggml_type type, std::int64_t length) {
  const auto terms = static_cast<double>(length);
  // One float holds the sum so far, which each addition rounds by up to 2^-24 of it. Kernels have several such sums and are better.
  if (type != GGML_TYPE_F16) return std::ldexp(1.0, -48) * terms / 3;
  // On some CPUs (AVX512-FP16, ARM with 16-bit arithmetic) ggml adds products of 16-bit weights in 16 bits: in at least 32 sums, which are
  // then added in pairs.
  return std::ldexp(1.0, -22) * (8 + terms / 64) / 3;
}

/// Variance of each activation as the kernel sees it.
std::vector<double> variances_of(std::span<const float> column, const Rounding& rounding) {
  std::vector<double> variances(column.size());
  const auto block = static_cast<std::size_t>(rounding.block > 0 ? rounding.block : 1);
  for (std::size_t begin = 0; begin < column.size(); begin += block) {
    const std::size_t end = std::min(begin + block, column.size());
    double largest = 0;
    for (std::size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(static_cast<double>(column[i])));
    const double step = rounding.block > 0 ? largest / 127 : 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double relative = rounding.relative * static_cast<double>(column[i]);
      variances[i] = step * step / 12 + relative * relative / 3;
    }
  }
  return variances;
}

std::vector<float> numbers_of(ggml_type type, const std::vector<std::uint8_t>& weights, std::size_t count) {
  std::vector<float> numbers(count);
  if (type == GGML_TYPE_F32) {
    std::memcpy(numbers.data(), weights.data(), count * sizeof(float));
  } else {
    ggml_get_type_traits(type)->to_float(weights.data(), numbers.data(), static_cast<std::int64_t>(count));
  }
  return numbers;
}

}  // namespace

bool has_known_product(ggml_type type) {
  if (type == GGML_TYPE_F32) return true;
  const ggml_type_traits* traits = ggml_get_type_traits(type);
  // Integers and the types of activations have no product; others were removed from ggml and have a size of 0.
  if (traits->type_size == 0 || traits->to_float == nullptr || ggml_get_type_traits_cpu(type)->vec_dot == nullptr) return false;
  return type != GGML_TYPE_Q8_1 && type != GGML_TYPE_Q8_K && type != GGML_TYPE_F64;
}

KnownProduct make_known_product(ggml_type type, std::int64_t length, std::int64_t rows, std::int64_t columns) {
  KnownProduct product;
  product.type = type;
  product.length = length;
  product.rows = rows;
  product.columns = columns;
  const auto width = static_cast<std::size_t>(length);
  Numbers numbers(static_cast<std::uint64_t>(type) * 1'000'003 + static_cast<std::uint64_t>(length * 1009 + rows));

  const std::size_t count = width * static_cast<std::size_t>(rows);
  product.weights.resize(ggml_row_size(type, length) * static_cast<std::size_t>(rows));
  if (takes_any_bits(type)) {
    product.weights = random_blocks(type, product.weights.size(), numbers);
  } else {
    std::vector<float> wanted(count);
    for (float& each : wanted) each = numbers.next();
    ggml_quantize_chunk(type, wanted.data(), product.weights.data(), 0, rows, length, nullptr);
  }
  const std::vector<float> weights = numbers_of(type, product.weights, count);

  product.activations.resize(width * static_cast<std::size_t>(columns));
  for (float& each : product.activations) each = numbers.next();
  // A block without a step.
  if (columns > 1) std::fill_n(product.activations.begin() + length, std::min<std::int64_t>(length / 2, 32), 0.0F);

  const double additions = additions_of(type, length);
  const Rounding rounding = rounding_of(type);
  product.exact.reserve(static_cast<std::size_t>(rows * columns));
  product.spread.reserve(product.exact.capacity());
  for (std::size_t column = 0; column < static_cast<std::size_t>(columns); ++column) {
    const std::span<const float> of_column = std::span(product.activations).subspan(column * width, width);
    const std::vector<double> variances = variances_of(of_column, rounding);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
      double sum = 0;
      double variance = 0;
      for (std::size_t i = 0; i < width; ++i) {
        const double weight = weights[row * width + i];
        const double term = weight * static_cast<double>(of_column[i]);
        sum += term;
        variance += weight * weight * variances[i] + term * term * additions;
      }
      product.exact.push_back(sum);
      product.spread.push_back(std::sqrt(variance));
    }
  }
  return product;
}

bool Deviation::is_explained() const {
  // A tenth more than 1 in every error is allowed, because steps are not the only rounding. The mean of n squares has a variance of 2/n.
  return worst <= 8 && overall * overall <= 1.21 + 6 * std::sqrt(2.0 / static_cast<double>(std::max<std::size_t>(results, 1)));
}

Deviation deviation_of(std::span<const float> results, const KnownProduct& product) {
  Deviation deviation;
  deviation.results = results.size();
  double squares = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double error = std::abs(static_cast<double>(results[i]) - product.exact[i]);
    // A row of zeros has no spread and no error.
    double deviations = error == 0 ? 0 : error / product.spread[i];
    if (std::isnan(deviations)) deviations = std::numeric_limits<double>::infinity();
    deviation.worst = std::max(deviation.worst, deviations);
    squares += deviations * deviations;
  }
  deviation.overall = results.empty() ? 0 : std::sqrt(squares / static_cast<double>(results.size()));
  return deviation;
}

}  // namespace nudging
