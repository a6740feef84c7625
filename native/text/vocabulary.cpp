#include "text/vocabulary.h"

#include <algorithm>
#include <exception>
#include <new>

#include "basics/failure.h"
#include "src/unicode.h"
#include "text/deep_stack.h"
#include "text/give_up.h"

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

/// Longer texts are tokenised in pieces of about this many bytes, where they can be cut.
constexpr std::size_t longest_piece = 16 * 1024;
/// Where they cannot: 2 MiB, so that the stack below stays under 4 GiB of address space.
constexpr std::size_t longest_uncut = 2 * 1024 * 1024;
/// libstdc++'s regular expressions were seen to take up to 330 bytes of stack for each byte that one match covers, and more where they are
/// not optimised.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr std::size_t stack_per_byte = 4096;
#else
constexpr std::size_t stack_per_byte = 1024;
#endif
constexpr std::size_t least_stack = 1024 * 1024;
/// So many bytes fit the usual stack of a thread, 8 MiB, with room to spare.
constexpr std::size_t longest_on_any_stack = least_stack / stack_per_byte;

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

/// Where may text be cut? In front of a space that stands between two ASCII letters, if no token holds that first letter followed by a
/// space:
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
  const bool covered = (type == LLAMA_VOCAB_TYPE_SPM && tokenizer_model == "llama") ||
                       (type == LLAMA_VOCAB_TYPE_RWKV && tokenizer_model == "rwkv") ||
                       (type == LLAMA_VOCAB_TYPE_BPE && (tokenizer_model == "gpt2" || tokenizer_model == "gemma4"));
  if (!covered) return;
  spells_ = true;
  const std::vector<Token> letter = tokenize("a");
  prefixes_space_ = !letter.empty() && bytes(letter.front()).starts_with(' ');
  find_longest();
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
}

/// A token that strips white space stands for any amount of it. (Unigram vocabularies, which normalise texts, have not come here.)
void Vocabulary::find_longest() {
  std::size_t longest = 1;
  for (Token token = 0; token < static_cast<Token>(size()); ++token) {
    if ((static_cast<unsigned>(llama_vocab_get_attr(vocab_, token)) & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) != 0) return;
    longest = std::max(longest, bytes(token).size());
  }
  for (const Special& special : specials_) longest = std::max(longest, special.text.size());
  longest_token_ = longest;
}

bool Vocabulary::splits(char before, char after) const {
  return is_letter(before) && is_letter(after) && splits_after_[static_cast<std::size_t>(before)];
}

std::size_t Vocabulary::last_split(std::string_view text, std::size_t after) const {
  if (text.size() < 3) return 0;
  for (std::size_t i = text.size() - 2; i > after && i > 0; --i) {
    if (text[i] == ' ' && splits(text[i - 1], text[i + 1])) return i;
  }
  return 0;
}

const TokenOrder& Vocabulary::order() const {
  const std::lock_guard lock(order_mutex_);
  if (!order_) {
    order_ = std::make_unique<const TokenOrder>(
        size(), [this](Token token) { return bytes(token); }, [this](Token token) { return ends(token); });
  }
  return *order_;
}

std::vector<Token> Vocabulary::tokenize(std::string_view text) const {
  std::vector<Token> tokens;
  std::size_t from = 0;
  while (from < text.size()) {
    GiveUpScope::check();
    const std::size_t to = next_split(text, from + longest_piece);
    std::string_view piece = text.substr(from, to - from);
    // At a cut, the space that the tokenizer puts in front of every text stands for the one that is there.
    if (from > 0 && prefixes_space_) piece.remove_prefix(1);
    append_tokens(piece, tokens);
    from = to;
  }
  return tokens;
}

/// The first place from `from` on where the text may be cut, or its end.
std::size_t Vocabulary::next_split(std::string_view text, std::size_t from) const {
  for (std::size_t i = from; i + 1 < text.size(); ++i) {
    if (text[i] == ' ' && splits(text[i - 1], text[i + 1])) return i;
  }
  return text.size();
}

/// Tokenises a text that cannot be cut.
void Vocabulary::append_tokens(std::string_view text, std::vector<Token>& tokens) const {
  if (text.size() > longest_uncut) {
    throw Failure(FailureKind::prompt_too_long, "the prompt has " + std::to_string(text.size()) +
                                                    " bytes without a place to cut, which is a space between two letters, and at most " +
                                                    std::to_string(longest_uncut) + " can be tokenised at once: shorten it");
  }
  const auto work = [&, given_up = GiveUpScope::current()] {
    // The deep stack is another thread's.
    const GiveUpScope scope(given_up);
    append_tokens_here(text, tokens);
  };
  // Regular expressions take the text of a BPE vocabulary apart first.
  if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_BPE && text.size() > longest_on_any_stack) {
    on_deep_stack(least_stack + text.size() * stack_per_byte, work);
  } else {
    work();
  }
}

void Vocabulary::append_tokens_here(std::string_view text, std::vector<Token>& tokens) const {
  // A token covers at least one byte in every vocabulary type, plus the space that some put in front.
  const std::size_t before = tokens.size();
  tokens.resize(before + text.size() + 2);
  const auto tokenize_into = [&] {
    return llama_tokenize(vocab_, text.data(), static_cast<int32_t>(text.size()), tokens.data() + before,
                          static_cast<int32_t>(tokens.size() - before), false, false);
  };
  int32_t count = 0;
  try {
    count = tokenize_into();
    if (count < 0) {
      tokens.resize(before + static_cast<std::size_t>(-count));
      count = tokenize_into();
    }
  } catch (const unicode_given_up&) {
    GiveUpScope::check();
    throw Failure(FailureKind::internal, "tokenising was given up");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    // Such as a SentencePiece vocabulary without a token for one of the bytes.
    refuse_text();
  }
  tokens.resize(before + static_cast<std::size_t>(std::max(count, 0)));
  for (std::size_t i = before; i < tokens.size(); ++i) {
    // Unigram and RWKV vocabularies without an unknown token say -1.
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= size()) refuse_text();
  }
}

void Vocabulary::refuse_text() {
  throw Failure(FailureKind::model_invalid,
                "the model's vocabulary has no token for a part of the text: convert the model together with its tokenizer");
}

}  // namespace nudging
