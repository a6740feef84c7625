#pragma once

#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "bytes/symbols.h"
#include "toy_model.h"

/// Vocabularies that have what real ones have, and what the law of the next byte is after every spelling has been counted.
namespace nudging {

inline const ToyModel::Vocabulary plain{{"a", "b", "c", "ab", "abc", "ca", "bc", "aa", "aab"},
                                        {{"a", "b"}, {"c", "a"}, {"ab", "c"}, {"b", "c"}, {"a", "a"}, {"a", "ab"}}};
inline const ToyModel::Vocabulary words{{"a", "b", " ", "ab", " a", " ab", "  ", "ba", "b a"},
                                        {{"a", "b"}, {" ", "a"}, {" ", "ab"}, {" a", "b"}, {" ", " "}, {"b", "a"}},
                                        true};
/// The same letters in other tokens.
inline const ToyModel::Vocabulary other_words{
    {"a", "b", " ", "ba", " b", "aa", " ba"}, {{"b", "a"}, {" ", "b"}, {"a", "a"}, {" b", "a"}}, true};
inline const ToyModel::Vocabulary prefixed{{"a", "b", " ", "ab", " a", " ab"}, {{"a", "b"}, {" ", "a"}, {" ", "ab"}}, false, true};
/// é is two tokens and ü one; a token goes from the middle of é on, one begins with a part of it.
inline const ToyModel::Vocabulary characters{{"a", "\xC3", "\xA9", "\xBC", "\xC3\xBC",
                                              "\xA9"
                                              "a",
                                              "a\xC3"},
                                             {{"\xC3", "\xBC"}, {"\xA9", "a"}, {"a", "\xC3"}}};

inline const ToyModel::Vocabulary looking_ahead{
    {"a", "b", "\n", "ab", "\n\n", "\n\n\n", "ba"}, {{"a", "b"}, {"\n", "\n"}, {"\n\n", "\n"}, {"b", "a"}}, false, false, true};

inline bool is_within_character(const std::string& text) { return !text.empty() && text.back() == '\xC3'; }

/// P(symbol | text) by the definition (R41, R42), from all spellings. `shown`: what the tokens of the text show.
class Oracle {
 public:
  explicit Oracle(ToyModel& model) : model_(model) {}

  Masses operator()(const std::string& shown) {
    shown_ = shown;
    masses_.fill(0);
    std::vector<Token> none;
    go_on(none, 0, 1);
    const double total = std::accumulate(masses_.begin(), masses_.end(), 0.0);
    for (double& mass : masses_) mass /= total;
    return masses_;
  }

 private:
  void go_on(std::vector<Token>& tokens, std::size_t at, double weight) {
    const std::vector<float> logits = model_.logits_after(tokens);
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit));
    const std::string_view left = std::string_view(shown_).substr(at);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const auto token = static_cast<Token>(i);
      const double probability = weight * std::exp(static_cast<double>(logits[i])) / total;
      const std::string_view bytes = model_.bytes(token);
      if (model_.ends(token) && left.empty()) masses_[end_symbol] += probability;
      if (bytes.empty()) continue;
      if (bytes.size() > left.size()) {
        if (bytes.starts_with(left)) masses_[static_cast<unsigned char>(bytes[left.size()])] += probability;
        continue;
      }
      if (!left.starts_with(bytes)) continue;
      tokens.push_back(token);
      const std::string spelled = shown_.substr(0, at + bytes.size());
      if (is_within_character(spelled) || is_valid(spelled, tokens)) go_on(tokens, at + bytes.size(), probability);
      tokens.pop_back();
    }
  }

  /// As the text stands, or as it would be with a letter behind its white space.
  bool is_valid(const std::string& text, const std::vector<Token>& tokens) const {
    if (model_.spell_shown(text) == tokens) return true;
    std::vector<Token> longer(tokens);
    longer.push_back(model_.token("a"));
    return (text.ends_with(' ') || text.ends_with('\n')) && model_.spell_shown(text + "a") == longer;
  }

  ToyModel& model_;
  std::string shown_;
  Masses masses_{};
};

}  // namespace nudging
