#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace nudging {

/// e^x for x <= 0, as in Cephes' expf: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2]; relative error below 2e-7. Below e^-87 it is 0, and
/// so it is, almost, where x is not a number. No branches, so that loops over it become vector instructions.
inline float exp_of_nonpositive(float x) {
  constexpr float shift = 12582912.0F;        // 1.5 * 2^23: adding it rounds to an integer
  const float clamped = std::max(-87.0F, x);  // in this order: not a number becomes -87, and the cast below stays defined
  const float n = (clamped * 1.44269504F + shift) - shift;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const float scale = std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
  return x < -87.0F ? 0.0F : p * scale;
}

/// log(1 + x) for x in [0, 1], as in Cephes' logf: a polynomial on [√½, √2]; absolute error below 2e-7. No branches.
inline float log_of_one_and(float x) {
  const float sum = 1.0F + x;
  const bool high = sum > 1.41421356F;
  const float f = (high ? 0.5F * sum : sum) - 1.0F;
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
  const float log = f + (p * f * squared - 0.5F * squared);
  return log + (high ? 0.69314718F : 0.0F);
}

}  // namespace nudging
