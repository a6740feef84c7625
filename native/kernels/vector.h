#pragma once

// The few vector operations that the kernels are written in, for the instructions that this file is compiled with. Multiplications and
// additions are fused where they say so and nowhere else (the kernels are compiled with -ffp-contract=off): how a result is rounded must
// not depend on what a compiler makes of a loop.

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace nudging::kernels {

#if defined(__AVX512F__)

using Vector = __m512;
inline constexpr int lanes = 16;
inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
inline Vector all(float value) { return _mm512_set1_ps(value); }
inline Vector fused(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector product(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
inline Vector larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }

#elif defined(__AVX2__) && defined(__FMA__)

using Vector = __m256;
inline constexpr int lanes = 8;
inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
inline Vector all(float value) { return _mm256_set1_ps(value); }
inline Vector fused(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector product(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }

#elif defined(__ARM_NEON) && defined(__aarch64__)

using Vector = float32x4_t;
inline constexpr int lanes = 4;
inline Vector load(const float* from) { return vld1q_f32(from); }
inline void store(float* to, Vector value) { vst1q_f32(to, value); }
inline Vector all(float value) { return vdupq_n_f32(value); }
inline Vector fused(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
inline Vector product(Vector a, Vector b) { return vmulq_f32(a, b); }
inline Vector larger(Vector a, Vector b) { return vmaxq_f32(a, b); }

#else

using Vector = float;
inline constexpr int lanes = 1;
inline Vector load(const float* from) { return *from; }
inline void store(float* to, Vector value) { *to = value; }
inline Vector all(float value) { return value; }
/// Not fused: a fused multiplication would be a call of a library here.
inline Vector fused(Vector a, Vector b, Vector c) { return a * b + c; }
inline Vector product(Vector a, Vector b) { return a * b; }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

#endif

/// Writes the 16 × 16 block at `from` (rows `from_stride` floats apart) transposed to `to`.
inline void transpose_16(const float* from, int from_stride, float* to, int to_stride) {
#if defined(__AVX512F__)
  __m512 rows[16];
  __m512 pairs[16];
  for (int i = 0; i < 16; ++i) rows[i] = _mm512_loadu_ps(from + i * from_stride);
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    const auto low = [&](int a, int b) {
      return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(pairs[a]), _mm512_castps_pd(pairs[b])));
    };
    const auto high = [&](int a, int b) {
      return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(pairs[a]), _mm512_castps_pd(pairs[b])));
    };
    rows[i] = low(i, i + 2);
    rows[i + 1] = high(i, i + 2);
    rows[i + 2] = low(i + 1, i + 3);
    rows[i + 3] = high(i + 1, i + 3);
  }
  // Of each 128-bit part p, rows[4 g + c] holds column 4 p + c of the rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512 low_01 = _mm512_shuffle_f32x4(rows[c], rows[4 + c], 0x88);
    const __m512 high_01 = _mm512_shuffle_f32x4(rows[c], rows[4 + c], 0xdd);
    const __m512 low_23 = _mm512_shuffle_f32x4(rows[8 + c], rows[12 + c], 0x88);
    const __m512 high_23 = _mm512_shuffle_f32x4(rows[8 + c], rows[12 + c], 0xdd);
    _mm512_storeu_ps(to + c * to_stride, _mm512_shuffle_f32x4(low_01, low_23, 0x88));
    _mm512_storeu_ps(to + (4 + c) * to_stride, _mm512_shuffle_f32x4(high_01, high_23, 0x88));
    _mm512_storeu_ps(to + (8 + c) * to_stride, _mm512_shuffle_f32x4(low_01, low_23, 0xdd));
    _mm512_storeu_ps(to + (12 + c) * to_stride, _mm512_shuffle_f32x4(high_01, high_23, 0xdd));
  }
#else
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) to[j * to_stride + i] = from[i * from_stride + j];
  }
#endif
}

}  // namespace nudging::kernels
