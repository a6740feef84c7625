#include "lanes/logit_changes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "basics/failure.h"

namespace nudging {

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

/// A text as a message of one line shows it.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::size_t end = std::min(text.size(), most);
  // Not in the middle of a character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string shown = "\"";
  for (const char c : text.substr(0, end)) shown += c == '\n' ? std::string("\\n") : std::string(1, c);
  return shown + (end < text.size() ? "…\"" : "\"");
}

[[noreturn]] void refuse(const std::string& what) { throw Failure(FailureKind::token_unknown, what); }

/// For a text that no token shows: says how many it is, where that can be told.
[[noreturn]] void refuse_text(std::string_view text, const Vocabulary& vocabulary, const std::string& lane) {
  std::string message =
      "`logitBias` names the text " + in_quotes(text) + ", and the " + lane + " model's vocabulary has no token for exactly that";
  // The tokenizer would put a space in front: what begins in the middle of a word cannot be tokenised alone.
  const bool prefixed = vocabulary.prefixes_space();
  if (!prefixed || text.starts_with(' ')) {
    const std::size_t tokens = vocabulary.tokenize(prefixed ? text.substr(1) : text).size();
    message += ": it is " + std::to_string(tokens) + " tokens there";
  }
  refuse(message + ". Name a text that is one token (with the space in front of a word), or the id of a token under `" + lane + "`");
}

/// The tokens that show each of the texts, in one pass over the vocabulary. Several tokens may show the same.
std::unordered_map<std::string_view, std::vector<Token>> tokens_that_show(std::span<const NamedBias> biases, const Vocabulary& vocabulary) {
  std::unordered_map<std::string_view, std::vector<Token>> found;
  std::size_t longest = 0;
  for (const NamedBias& named : biases) {
    const auto* text = std::get_if<std::string>(&named.token);
    if (text == nullptr) continue;
    found.try_emplace(*text);
    longest = std::max(longest, text->size());
  }
  if (found.empty()) return found;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string_view shown = vocabulary.bytes(static_cast<Token>(i));
    if (shown.empty() || shown.size() > longest) continue;
    if (const auto text = found.find(shown); text != found.end()) text->second.push_back(static_cast<Token>(i));
  }
  return found;
}

}  // namespace

LogitChanges logit_changes(std::span<const NamedBias> biases, const RepeatPenalty& repeat, const Vocabulary& vocabulary,
                           const std::string& lane) {
  LogitChanges changes;
  // Without a penalty the window means nothing, and must not make equal settings unequal.
  if (repeat.factor != 1) changes.repeat = repeat;
  if (biases.empty()) return changes;

  std::map<Token, float> sums;
  const auto add = [&sums](Token token, float bias) { sums[token] += bias == banning ? never : bias; };
  const auto texts = tokens_that_show(biases, vocabulary);
  for (const NamedBias& named : biases) {
    if (const auto* id = std::get_if<Token>(&named.token)) {
      if (*id < 0 || static_cast<std::size_t>(*id) >= vocabulary.size()) {
        refuse("`logitBias` names token " + std::to_string(*id) + ", and the " + lane + " model's vocabulary has " +
               std::to_string(vocabulary.size()) + " tokens, from 0 on");
      }
      add(*id, named.bias);
      continue;
    }
    const auto& text = std::get<std::string>(named.token);
    const std::vector<Token>& tokens = texts.at(text);
    if (tokens.empty()) refuse_text(text, vocabulary, lane);
    for (const Token token : tokens) add(token, named.bias);
  }
  std::size_t banned = 0;
  for (const auto& [token, bias] : sums) {
    if (bias == 0) continue;
    changes.biases.push_back({token, bias});
    if (bias == never) ++banned;
  }
  if (banned == vocabulary.size()) {
    refuse("`logitBias` bans all " + std::to_string(banned) + " tokens of the " + lane + " model: leave it one to say");
  }
  return changes;
}

void LogitChanger::apply(const LogitChanges& changes, std::span<const Token> context, const Vocabulary& vocabulary,
                         std::span<float> logits) {
  for (const auto& [token, bias] : changes.biases) logits[static_cast<std::size_t>(token)] += bias;
  if (changes.repeat.factor == 1) return;

  const std::span<const Token> window = context.last(std::min<std::size_t>(context.size(), changes.repeat.window));
  seen_.resize(logits.size());
  for (const Token token : window) {
    const auto index = static_cast<std::size_t>(token);
    if (seen_[index] || vocabulary.ends(token)) continue;
    seen_[index] = true;
    float& logit = logits[index];
    logit = logit > 0 ? logit / changes.repeat.factor : logit * changes.repeat.factor;
  }
  for (const Token token : window) seen_[static_cast<std::size_t>(token)] = false;
}

}  // namespace nudging
