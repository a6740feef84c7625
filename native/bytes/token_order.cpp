#include "bytes/token_order.h"

#include <algorithm>

namespace nudging {

TokenOrder::TokenOrder(std::size_t count, const std::function<std::string_view(Token)>& bytes, const std::function<bool(Token)>& ends)
    : places_(count, nowhere) {
  std::vector<std::string_view> shown(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto token = static_cast<Token>(i);
    if (ends(token)) {
      ending_.push_back(token);
      continue;
    }
    shown[i] = bytes(token);
    if (!shown[i].empty()) tokens_.push_back(token);
  }
  const auto shown_by = [&](Token token) { return shown[static_cast<std::size_t>(token)]; };
  // As unsigned bytes; tokens of equal bytes in the order of their ids.
  std::stable_sort(tokens_.begin(), tokens_.end(), [&](Token a, Token b) { return shown_by(a) < shown_by(b); });
  starts_.reserve(tokens_.size() + 1);
  for (std::size_t place = 0; place < tokens_.size(); ++place) {
    const std::string_view one = shown_by(tokens_[place]);
    places_[static_cast<std::size_t>(tokens_[place])] = place;
    starts_.push_back(static_cast<std::uint32_t>(text_.size()));
    text_ += one;
    longest_ = std::max(longest_, one.size());
  }
  starts_.push_back(static_cast<std::uint32_t>(text_.size()));
}

TokenOrder::Range TokenOrder::narrow(Range range, std::size_t depth, unsigned char byte) const {
  const auto begin = starts_.begin() + static_cast<std::ptrdiff_t>(range.begin);
  const auto end = starts_.begin() + static_cast<std::ptrdiff_t>(range.end);
  const auto at = [&](std::uint32_t start) { return static_cast<unsigned char>(text_[start + depth]); };
  const auto first = std::partition_point(begin, end, [&](std::uint32_t start) { return at(start) < byte; });
  const auto last = std::partition_point(first, end, [&](std::uint32_t start) { return at(start) == byte; });
  return {static_cast<std::size_t>(first - starts_.begin()), static_cast<std::size_t>(last - starts_.begin())};
}

std::size_t TokenOrder::memory() const {
  return text_.capacity() + starts_.capacity() * sizeof(std::uint32_t) + places_.capacity() * sizeof(std::size_t) +
         (tokens_.capacity() + ending_.capacity()) * sizeof(Token);
}

}  // namespace nudging
