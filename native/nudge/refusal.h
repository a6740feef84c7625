#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nudging {

/// R62: whether a text holds a phrase in which a model refuses. Letters of ASCII in either case, both apostrophes, and white space of any
/// kind and length are alike; a phrase counts where a word begins.
class RefusalPhrases {
 public:
  explicit RefusalPhrases(const std::vector<std::string>& phrases);
  bool in(std::string_view text) const;

 private:
  std::vector<std::string> phrases_;
};

}  // namespace nudging
