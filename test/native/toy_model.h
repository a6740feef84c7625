#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bytes/spelling.h"
#include "nudge/lane.h"

namespace nudging {

/// A model with a vocabulary of a few tokens, which spells by merging pairs (BPE), and whose probabilities are made up from the context's
/// tokens: nothing about it is special, and every way to spell a short text can be counted.
class ToyModel final : public Lane, public Spelling {
 public:
  struct Vocabulary {
    /// One for each byte that texts have, and those that the merges make.
    std::vector<std::string> tokens;
    /// First come first.
    std::vector<std::pair<std::string, std::string>> merges;
    /// A word begins at its space, and nothing is merged over that.
    bool words = false;
    bool prefixes_space = false;
    /// Of several new lines with something behind them, the last one stands alone: a tokenizer that looks ahead.
    bool looks_ahead = false;
  };

  explicit ToyModel(Vocabulary vocabulary, std::string beginning = {}, std::uint64_t seed = 1)
      : vocabulary_(std::move(vocabulary)),
        beginning_(std::move(beginning)),
        seed_(seed),
        order_(size(), [this](Token token) { return bytes(token); }, [this](Token token) { return ends(token); }) {}

  // Two of its tokens end a generation, and one shows nothing.
  std::size_t size() const { return vocabulary_.tokens.size() + 3; }
  bool ends(Token token) const { return token == first_end() || token == first_end() + 1; }
  std::string_view bytes(Token token) const {
    return token < first_end() ? std::string_view(vocabulary_.tokens[static_cast<std::size_t>(token)]) : std::string_view();
  }

  /// Says nothing that it would not spell so itself.
  void say_only_canonical() { only_canonical_ = true; }
  /// Never says this token.
  void ban(const std::string& bytes) { banned_.push_back(token(bytes)); }

  /// log softmax after these tokens.
  std::vector<float> logits_after(const std::vector<Token>& context) {
    std::uint64_t state = seed_;
    for (const Token token : context) state = mix(state ^ (static_cast<std::uint64_t>(token) + 1));
    std::vector<float> logits(size());
    for (std::size_t i = 0; i < size(); ++i) {
      state = mix(state);
      logits[i] = static_cast<float>(static_cast<double>(state >> 40) / 16777216.0 * 6 - 3);
    }
    for (const Token token : banned_) logits[static_cast<std::size_t>(token)] = never;
    if (!only_canonical_) return logits;
    logits.back() = never;
    for (Token token = 0; token < first_end(); ++token) {
      std::string text;
      for (const Token one : context) text += bytes(one);
      text += bytes(token);
      std::vector<Token> tokens(context);
      tokens.push_back(token);
      if (spell_shown(text) != tokens) logits[static_cast<std::size_t>(token)] = never;
    }
    return logits;
  }

  /// The canonical spelling of what tokens show, with the space in front that they may have.
  std::vector<Token> spell_shown(std::string_view shown) const {
    std::vector<Token> tokens;
    std::vector<std::string> parts;
    const auto flush = [&] {
      for (const std::string& part : merged(std::move(parts))) {
        // What it cannot spell is a token that shows nothing.
        tokens.push_back(has(part) ? token(part) : static_cast<Token>(size() - 1));
      }
      parts.clear();
    };
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const bool is_last_line = shown[i] == '\n' && i + 1 < shown.size() && shown[i + 1] != '\n';
      const bool is_behind_lines = i > 0 && shown[i - 1] == '\n' && shown[i] != '\n';
      if (vocabulary_.looks_ahead && (is_last_line || is_behind_lines)) flush();
      if (vocabulary_.words && shown[i] == ' ') flush();
      parts.emplace_back(1, shown[i]);
    }
    flush();
    return tokens;
  }

  bool has(const std::string& bytes) const {
    return std::find(vocabulary_.tokens.begin(), vocabulary_.tokens.end(), bytes) != vocabulary_.tokens.end();
  }
  Token token(const std::string& bytes) const {
    for (std::size_t i = 0; i < vocabulary_.tokens.size(); ++i) {
      if (vocabulary_.tokens[i] == bytes) return static_cast<Token>(i);
    }
    throw std::logic_error("no token shows \"" + bytes + "\"");
  }

  // Lane
  void set_text(std::string_view text) override { context_ = spell(beginning_ + std::string(text)); }
  void push(Token token) override { context_.push_back(token); }
  void pop(std::size_t tokens) override { context_.resize(context_.size() - tokens); }

  // Spelling
  const TokenOrder& order() override { return order_; }
  std::string_view beginning() override { return beginning_; }
  std::size_t settled() override { return settled_; }
  bool prefixes_space() override { return vocabulary_.prefixes_space; }
  const std::vector<Token>& spell(std::string_view text) override {
    const bool adds = vocabulary_.prefixes_space && !text.empty();
    return spelled_ = spell_shown((adds ? " " : "") + std::string(text));
  }
  void set_tokens(std::span<const Token> tokens) override { context_.assign(tokens.begin(), tokens.end()); }

  void take_along(std::vector<std::vector<Token>> contexts) override { along_ = std::move(contexts); }
  std::vector<std::vector<float>> taken_along() override {
    std::vector<std::vector<float>> said(along_.size());
    for (std::size_t i = 0; i < along_.size() && i < most_along; ++i) {
      said[i] = logits_after(along_[i]);
      questions.push_back(along_[i]);
    }
    along_.clear();
    return said;
  }

  /// How many contexts a question can take along.
  std::size_t most_along = 4;
  /// What `settled` says.
  std::size_t settled_ = 0;
  /// The contexts that it was asked about.
  std::vector<std::vector<Token>> questions;

 protected:
  bool answered(Wanted) override { return true; }
  void ask(Wanted, std::coroutine_handle<>) override { throw std::logic_error("toy models answer at once"); }
  Top1 answer() override { throw std::logic_error("toy models are asked for distributions"); }
  std::span<const float> logits() override {
    questions.push_back(context_);
    return logits_ = logits_after(context_);
  }

 private:
  static constexpr float never = -std::numeric_limits<float>::infinity();

  static std::uint64_t mix(std::uint64_t z) {
    z += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  Token first_end() const { return static_cast<Token>(vocabulary_.tokens.size()); }

  std::vector<std::string> merged(std::vector<std::string> parts) const {
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& [left, right] : vocabulary_.merges) {
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
          if (parts[i] != left || parts[i + 1] != right) continue;
          parts[i] += right;
          parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          changed = true;
        }
        if (changed) break;
      }
    }
    return parts;
  }

  Vocabulary vocabulary_;
  std::string beginning_;
  std::uint64_t seed_;
  TokenOrder order_;
  bool only_canonical_ = false;
  std::vector<Token> banned_;
  std::vector<Token> context_;
  std::vector<std::vector<Token>> along_;
  std::vector<Token> spelled_;
  std::vector<float> logits_;
};

}  // namespace nudging
