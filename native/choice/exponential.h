#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nudging {

/// Loops over this many independent lanes become vector instructions without any compiler flag that would weaken floating-point rules
/// elsewhere.
constexpr std::size_t vector_width = 16;
/// Terms summed in float before they go into a double: 1024 per lane keep the rounding far below the 8e-3 at which decisions count as ties
/// (tie_tolerance.cpp).
constexpr std::size_t summed_block = vector_width * 1024;

/// e^x for x <= 0, as in Cephes' expf: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2]; relative error below 2e-7. Below e^-87 it is 0. No
/// branches.
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

}  // namespace nudging
