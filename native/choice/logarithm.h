#pragma once

#include <bit>
#include <cstdint>

namespace nudging {

/// log(1 + x) for x in [0, 1], as in Cephes' logf: a polynomial on [√½, √2]; absolute error below 2e-7. No branches.
inline float log_of_one_and(float x) {
  const float sum = 1.0F + x;
  // Compared as integers, which order positive numbers likewise: a compiler turns that into arithmetic more readily.
  const bool is_high = std::bit_cast<std::int32_t>(sum) > std::bit_cast<std::int32_t>(1.41421356F);
  const auto high = static_cast<float>(static_cast<std::int32_t>(is_high));
  const float f = sum * (1.0F - 0.5F * high) - 1.0F;
  float p = 7.0376836292e-2F;
  p = p * f - 1.1514610310e-1F;
  p = p * f + 1.1676998740e-1F;
  p = p * f - 1.2420140846e-1F;
  p = p * f + 1.4249322787e-1F;
  p = p * f - 1.6668057665e-1F;
  p = p * f + 2.0000714765e-1F;
  p = p * f - 2.4999993993e-1F;
  p = p * f + 3.3333331174e-1F;
  const float squared = f * f;
  return f + (p * f * squared - 0.5F * squared) + high * 0.69314718F;
}

}  // namespace nudging
