#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nudging {

/// Text that probably comes next, and how sure its author was of it. It may be wrong, and decides nothing.
class Guess {
 public:
  /// A stretch that the author said in one go.
  struct Part {
    /// Where it ends in the text, in bytes.
    std::size_t end;
    /// Softmax probability that the author gave it, in [0, 1].
    float probability;
  };

  Guess() = default;
  /// `parts` in order, together as long as `text`.
  Guess(std::string_view text, std::vector<Part> parts) : text_(text), parts_(std::move(parts)) {}

  /// What is left of it.
  std::string_view text() const { return std::string_view(text_).substr(from_); }

  /// Somebody else has said `bytes`: the guess goes on behind them, or is over.
  void said(std::string_view bytes) {
    if (text().starts_with(bytes)) {
      from_ += bytes.size();
    } else {
      *this = {};
    }
  }

  /// How probable its author finds the stretch of `text()` from `begin` to `end`, given what is in front of it: the product of the parts
  /// that begin there. What goes on with a part that has begun before is taken for certain.
  float probability(std::size_t begin, std::size_t end) const {
    float product = 1;
    std::size_t start = 0;
    for (const Part& part : parts_) {
      if (start >= from_ + end) break;
      if (start >= from_ + begin) product *= part.probability;
      start = part.end;
    }
    return product;
  }

 private:
  std::string text_;
  std::vector<Part> parts_;
  std::size_t from_ = 0;
};

}  // namespace nudging
