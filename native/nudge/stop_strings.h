#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nudging {

/// Looks for any of many strings in a text that grows. Each byte of the text is looked at once, however many strings there are (Aho and
/// Corasick, "Efficient string matching", 1975); memory and the time to begin are linear in the bytes of all strings.
class StopStrings {
 public:
  /// None of `strings` may be empty.
  explicit StopStrings(const std::vector<std::string>& strings);

  /// Reads on. Returns where the first of the strings that end in `text` begins, in bytes from the beginning of everything read.
  std::optional<std::size_t> read(std::string_view text);

  /// Bytes at the end of what was read that one of the strings begins with: the most that could still become one.
  std::size_t begun() const { return nodes_[state_].depth; }

 private:
  /// A beginning of one or more of the strings.
  struct Node {
    std::uint32_t depth;
    /// The longest end of this that is a beginning too.
    std::uint32_t shorter;
    /// The longest of the strings that this ends with; 0 if none.
    std::uint32_t found;
  };
  std::optional<std::uint32_t> next(std::uint32_t node, char byte) const;
  /// Where to go on after a byte.
  std::uint32_t follow(std::uint32_t node, char byte) const;
  static std::uint64_t edge(std::uint32_t node, char byte) { return std::uint64_t{node} << 8U | static_cast<std::uint8_t>(byte); }

  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;
  std::uint32_t state_ = 0;
  std::size_t read_ = 0;
};

}  // namespace nudging
