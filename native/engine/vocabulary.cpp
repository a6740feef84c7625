#include "engine/vocabulary.h"

#include <algorithm>
#include <limits>

#include "engine/failure.h"

namespace nudging {

namespace {

std::string text_of(const llama_vocab* vocab, Token token) {
  if (token < 0) return {};
  const char* text = llama_vocab_get_text(vocab, token);
  return text == nullptr ? std::string() : std::string(text);
}

std::string piece_of(const llama_vocab* vocab, Token token) {
  std::string piece(32, '\0');
  int32_t length = llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, false);
  if (length < 0) {
    piece.resize(static_cast<std::size_t>(-length));
    length = llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, false);
  }
  piece.resize(static_cast<std::size_t>(std::max(length, 0)));
  return piece;
}

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab) : vocab_(vocab) {
  const auto count = static_cast<Token>(llama_vocab_n_tokens(vocab));
  bytes_.reserve(static_cast<std::size_t>(count));
  ends_.reserve(static_cast<std::size_t>(count));
  for (Token token = 0; token < count; ++token) {
    bytes_.push_back(piece_of(vocab, token));
    ends_.push_back(llama_vocab_is_eog(vocab, token));

    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab, token));
    if ((attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) == 0) continue;
    std::string text = text_of(vocab, token);
    if (text.empty()) continue;
    specials_.push_back({token, std::move(text), (attributes & LLAMA_TOKEN_ATTR_LSTRIP) != 0, (attributes & LLAMA_TOKEN_ATTR_RSTRIP) != 0});
  }
  std::stable_sort(specials_.begin(), specials_.end(), [](const Special& a, const Special& b) { return a.text.size() > b.text.size(); });

  if (llama_vocab_get_add_bos(vocab)) leading_ = llama_vocab_bos(vocab);
  bos_text_ = text_of(vocab, llama_vocab_bos(vocab));
  eos_text_ = text_of(vocab, llama_vocab_eos(vocab));
}

std::vector<Token> Vocabulary::tokenize(std::string_view text) const {
  if (text.empty()) return {};
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int32_t>::max() / 2)) {
    throw Failure(FailureKind::prompt_too_long, "a text of " + std::to_string(text.size()) + " bytes cannot be tokenised: pass less than 1 GiB");
  }
  // A token covers at least one byte in every vocabulary type, plus the space that some put in front.
  std::vector<Token> tokens(text.size() + 2);
  const auto length = static_cast<int32_t>(text.size());
  int32_t count = llama_tokenize(vocab_, text.data(), length, tokens.data(), static_cast<int32_t>(tokens.size()), false, false);
  if (count < 0) {
    tokens.resize(static_cast<std::size_t>(-count));
    count = llama_tokenize(vocab_, text.data(), length, tokens.data(), static_cast<int32_t>(tokens.size()), false, false);
  }
  tokens.resize(static_cast<std::size_t>(std::max(count, 0)));
  return tokens;
}

}  // namespace nudging
