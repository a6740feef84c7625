#include "nudge/stop_strings.h"

#include <algorithm>

namespace nudging {

StopStrings::StopStrings(const std::vector<std::string>& strings) : nodes_{{0, 0, 0}} {
  /// By depth, so that what a node falls back to is complete before the node.
  struct Step {
    std::uint32_t parent;
    std::uint32_t child;
    char byte;
  };
  std::vector<Step> steps;
  for (const std::string& string : strings) {
    std::uint32_t node = 0;
    for (const char byte : string) {
      const auto [place, is_new] = edges_.try_emplace(edge(node, byte), static_cast<std::uint32_t>(nodes_.size()));
      if (is_new) {
        steps.push_back({node, place->second, byte});
        nodes_.push_back({nodes_[node].depth + 1, 0, 0});
      }
      node = place->second;
    }
    nodes_[node].found = nodes_[node].depth;
  }
  std::stable_sort(steps.begin(), steps.end(), [&](const Step& a, const Step& b) { return nodes_[a.child].depth < nodes_[b.child].depth; });
  for (const Step& step : steps) {
    Node& node = nodes_[step.child];
    node.shorter = step.parent == 0 ? 0 : follow(nodes_[step.parent].shorter, step.byte);
    if (node.found == 0) node.found = nodes_[node.shorter].found;
  }
}

std::optional<std::size_t> StopStrings::read(std::string_view text) {
  std::optional<std::size_t> first;
  if (nodes_.size() == 1) return first;
  for (const char byte : text) {
    state_ = follow(state_, byte);
    ++read_;
    if (const std::size_t length = nodes_[state_].found; length > 0) first = std::min(first.value_or(read_ - length), read_ - length);
  }
  return first;
}

std::optional<std::uint32_t> StopStrings::next(std::uint32_t node, char byte) const {
  const auto found = edges_.find(edge(node, byte));
  return found == edges_.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t StopStrings::follow(std::uint32_t node, char byte) const {
  while (true) {
    if (const auto there = next(node, byte)) return *there;
    if (node == 0) return 0;
    node = nodes_[node].shorter;
  }
}

}  // namespace nudging
