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

bool is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab, std::string_view tokenizer_model) : vocab_(vocab) {
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
  find_splits(tokenizer_model);
}

/// Where may text be cut? In front of a space that stands between two ASCII letters, if no token holds that first letter followed by a space:
///
/// - No token of the whole text can then reach over the cut, so merges (SentencePiece, BPE) and longest matches (RWKV) go on at both sides
///   without touching each other.
/// - BPE first splits text by regular expressions. None of llama.cpp's looks behind itself, so what follows the cut is split as if it stood
///   alone, provided that a piece begins at the cut or that the rest of a piece is a piece too. In all of them a space opens the piece of
///   the letters behind it, or letters and single spaces (or whole lines) are one piece, whose rest is one piece as well. In front of
///   the cut stands a letter: no expression treats letters before a space and letters at the end of the text in two ways, as they do with
///   white space and digits.
/// - A user-defined token that strips the white space beside it could eat the space, but only if it ends or begins with a letter; a
///   vocabulary with such a token is never cut.
///
/// Tokenizers not covered by this (Unigram normalises whole texts, others keep state) are never cut either.
void Vocabulary::find_splits(std::string_view tokenizer_model) {
  const auto type = llama_vocab_type(vocab_);
  const bool covered = (type == LLAMA_VOCAB_TYPE_SPM && tokenizer_model == "llama") || (type == LLAMA_VOCAB_TYPE_RWKV && tokenizer_model == "rwkv") ||
                       (type == LLAMA_VOCAB_TYPE_BPE && (tokenizer_model == "gpt2" || tokenizer_model == "gemma4"));
  if (!covered) return;
  for (char letter = 'A'; letter <= 'z'; ++letter) splits_after_[static_cast<std::size_t>(letter)] = is_letter(letter);
  for (Token token = 0; token < static_cast<Token>(size()); ++token) {
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab_, token));
    const std::string_view shown = bytes(token);
    const bool eats_behind = (attributes & LLAMA_TOKEN_ATTR_RSTRIP) != 0 && !shown.empty() && is_letter(shown.back());
    const bool eats_before = (attributes & LLAMA_TOKEN_ATTR_LSTRIP) != 0 && !shown.empty() && is_letter(shown.front());
    if ((attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0 && (eats_behind || eats_before)) {
      splits_after_ = {};
      return;
    }
    for (std::size_t i = 1; i < shown.size(); ++i) {
      if (shown[i] == ' ' && is_letter(shown[i - 1])) splits_after_[static_cast<std::size_t>(shown[i - 1])] = false;
    }
  }
  const std::vector<Token> letter = tokenize("a");
  prefixes_space_ = !letter.empty() && bytes(letter.front()).starts_with(' ');
}

bool Vocabulary::splits(char before, char after) const { return is_letter(before) && is_letter(after) && splits_after_[static_cast<std::size_t>(before)]; }

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
