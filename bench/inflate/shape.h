#pragma once

#include <cstdint>
#include <vector>

/// The sizes of a Llama model.
struct Sizes {
  std::uint32_t embedding = 0;
  std::uint32_t layers = 0;
  std::uint32_t feed_forward = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_size = 0;
};

/// Where a row or a column of an inflated matrix comes from.
struct Place {
  /// Row or column of the original; -1: there is none.
  std::int32_t from = -1;
  /// The original's places may be there several times over, all with the same value when the model runs.
  std::uint32_t copy = 0;
};
using Axis = std::vector<Place>;

/// How each kind of channel of the small model lies in the big one.
struct Shape {
  Axis stream;
  Axis feed_forward;
  Axis queries;
  Axis keys;
};

/// Most copies, up to `wanted`, of the small model that the big one has room for; 0 if it is too small.
std::uint32_t copies_that_fit(const Sizes& small, const Sizes& big, std::uint32_t wanted);
Shape lay_out(const Sizes& small, const Sizes& big, std::uint32_t copies);

/// `copies` times the original's places, then new ones.
Axis one_after_another(std::uint32_t small, std::uint32_t big, std::uint32_t copies);
