#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ggml.h"

namespace nudging {

/// A product of weights of some type with columns of activations whose exact value is known, with what a right kernel may differ from it.
///
/// Right kernels of quantised types round the activations: in blocks, whose largest value becomes 127. Each activation is then off by up to
/// half a step, and that is the only rounding that matters: what they multiply is whole numbers. Roundings of many activations are as good
/// as independent, so the error of a result is close to normal, and its standard deviation follows from the steps: step² / 12 for each
/// activation, times its weight². Errors of wrong kernels (a scale of another block, a column too few, rubbish in a register) are some
/// hundred times as large.
struct KnownProduct {
  ggml_type type = GGML_TYPE_F32;
  /// Numbers in a row of weights and in a column of activations.
  std::int64_t length = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  /// As they stand in a model file.
  std::vector<std::uint8_t> weights;
  std::vector<float> activations;
  /// Sums in double precision over the weights that `weights` stands for; row by row within each column, as ggml has them.
  std::vector<double> exact;
  /// Standard deviation of each result of a right kernel.
  std::vector<double> spread;
};

/// Whether there are known products of a type: it must have a product on the CPU, and weights must be made of numbers without knowledge of
/// activations.
bool has_known_product(ggml_type type);

/// Fixed pseudo-random numbers: the same for the same arguments on every machine. `length` must be a multiple of the type's block.
KnownProduct make_known_product(ggml_type type, std::int64_t length, std::int64_t rows, std::int64_t columns);

/// How far results are from exact ones, in standard deviations.
struct Deviation {
  double worst = 0;
  /// Root of the mean of the squares: about 1 for a right kernel of a quantised type, less where it rounds more finely than it may.
  double overall = 0;
  std::size_t results = 0;
  /// Whether chance explains it: no result is 8 standard deviations off (once in 10^15), and all together are what so many random ones may
  /// be.
  bool is_explained() const;
};

/// `results` holds the first columns of the product, or all of them. NaNs are infinitely far off.
Deviation deviation_of(std::span<const float> results, const KnownProduct& product);

}  // namespace nudging
