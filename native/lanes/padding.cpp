#include "lanes/padding.h"

#include <array>

namespace nudging {

std::size_t Padding::padded(std::size_t tokens, std::size_t used) const {
  constexpr std::array<std::size_t, 6> shapes = {4, 8, 16, 32, 48, most_tokens};
  // A single token has the fastest kernels, and a shape of its own.
  if (sequences == 0 || tokens <= 1) return tokens;
  const std::size_t least = tokens + dummies(used);
  for (const std::size_t shape : shapes) {
    if (shape >= least) return shape <= batch ? shape : tokens;
  }
  return tokens;
}

}  // namespace nudging
