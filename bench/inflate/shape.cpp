#include "shape.h"

#include <algorithm>

namespace {

/// Query heads that share a head of keys and values.
std::uint32_t group_size(const Sizes& sizes) { return sizes.heads / sizes.kv_heads; }

/// Groups of the big model that one group of the small one takes. It is not torn apart: its query heads need its keys and values. A group
/// of the big model may have room for more than one copy of it.
std::uint32_t groups_for(const Sizes& small, const Sizes& big, std::uint32_t copies) {
  const std::uint32_t copies_in_one = group_size(big) / group_size(small);
  return (copies + copies_in_one - 1) / copies_in_one;
}

/// Heads keep their size, and with it the rotary embedding and the scale of the scores.
void put_head(Axis& axis, std::uint32_t to, std::uint32_t from, std::uint32_t copy, std::uint32_t head_size) {
  for (std::uint32_t i = 0; i < head_size; ++i) axis[to * head_size + i] = {static_cast<std::int32_t>(from * head_size + i), copy};
}

}  // namespace

std::uint32_t copies_that_fit(const Sizes& small, const Sizes& big, std::uint32_t wanted) {
  if (group_size(big) < group_size(small) || big.layers < small.layers) return 0;
  std::uint32_t copies = std::min({wanted, big.embedding / small.embedding, big.feed_forward / small.feed_forward});
  while (copies > 0 && small.kv_heads * groups_for(small, big, copies) > big.kv_heads) --copies;
  return copies;
}

Axis one_after_another(std::uint32_t small, std::uint32_t big, std::uint32_t copies) {
  Axis axis(big);
  for (std::uint32_t i = 0; i < small * copies; ++i) axis[i] = {static_cast<std::int32_t>(i % small), i / small};
  return axis;
}

Shape lay_out(const Sizes& small, const Sizes& big, std::uint32_t copies) {
  Shape shape{
      .stream = one_after_another(small.embedding, big.embedding, copies),
      .feed_forward = one_after_another(small.feed_forward, big.feed_forward, copies),
      .queries = Axis(std::size_t{big.heads} * big.head_size),
      .keys = Axis(std::size_t{big.kv_heads} * big.head_size),
  };
  const std::uint32_t queries = group_size(small);
  const std::uint32_t copies_in_one = group_size(big) / queries;
  const std::uint32_t groups = groups_for(small, big, copies);
  for (std::uint32_t from = 0; from < small.kv_heads; ++from) {
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
      const std::uint32_t to = from * groups + copy / copies_in_one;
      put_head(shape.keys, to, from, 0, big.head_size);
      const std::uint32_t first = to * group_size(big) + copy % copies_in_one * queries;
      for (std::uint32_t i = 0; i < queries; ++i) put_head(shape.queries, first + i, from * queries + i, copy, big.head_size);
    }
  }
  return shape;
}
