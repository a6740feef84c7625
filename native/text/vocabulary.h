#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bytes/token_order.h"
#include "llama.h"
#include "nudge/top1.h"

namespace nudging {

/// A model's vocabulary as the engine needs it: bytes of every token at hand, tokenising, and the tokens that templates may
/// name. Immutable after construction, so any thread may read it.
class Vocabulary {
 public:
  /// `tokenizer_model` is the GGUF's `tokenizer.ggml.model`.
  Vocabulary(const llama_vocab* vocab, std::string_view tokenizer_model);

  std::size_t size() const { return bytes_.size(); }

  /// The bytes a token shows (R4): empty for control and unknown tokens.
  std::string_view bytes(Token token) const { return bytes_[static_cast<std::size_t>(token)]; }
  bool ends(Token token) const { return ends_[static_cast<std::size_t>(token)]; }

  /// Tokenises plain text: nothing in it becomes a control token, and no BOS or EOS is added. Throws Failure: prompt_too_long (2 MiB
  /// without a place to cut), model_invalid (a vocabulary that cannot express the text), out_of_memory; internal where it is given up
  /// (GiveUpScope).
  std::vector<Token> tokenize(std::string_view text) const;

  /// The fewest tokens that a text of so many bytes can have, control tokens included; 0 where the vocabulary may drop parts of a text.
  std::size_t least_tokens(std::size_t bytes) const { return longest_token_ == 0 ? 0 : bytes / longest_token_; }

  /// True if text can be cut between `before` and a space that `after` follows, the parts tokenised each on its own, and the tokens of the
  /// parts joined are those of the whole. See `find_splits` for the proof.
  bool splits(char before, char after) const;
  /// The last such place in `text` behind `after`; 0 if there is none.
  std::size_t last_split(std::string_view text, std::size_t after = 0) const;
  /// True if the tokens of a text show that text, and the tokens of its beginnings are known to be alike (`find_splits`): without that,
  /// there is no law of the next byte.
  bool spells() const { return spells_; }
  /// Its tokens in the order of their bytes. Made when it is first asked for.
  const TokenOrder& order() const;
  /// True if the vocabulary puts a space in front of every text (SentencePiece's dummy prefix).
  bool prefixes_space() const { return prefixes_space_; }

  /// The BOS token if the vocabulary wants one in front of every text, else -1.
  Token leading() const { return leading_; }

  /// The text of BOS and EOS for chat templates; empty if the vocabulary has none.
  std::string_view bos_text() const { return bos_text_; }
  std::string_view eos_text() const { return eos_text_; }

  /// A token that template text may spell out.
  struct Special {
    Token token;
    std::string text;
    /// White space next to the token belongs to it (Hugging Face's lstrip and rstrip).
    bool strips_left;
    bool strips_right;
  };
  /// Control tokens, longest text first: the order in which llama.cpp looks for them.
  const std::vector<Special>& specials() const { return specials_; }

 private:
  void find_splits(std::string_view tokenizer_model);
  void find_longest();
  std::size_t next_split(std::string_view text, std::size_t from) const;
  void append_tokens(std::string_view text, std::vector<Token>& tokens) const;
  void append_tokens_here(std::string_view text, std::vector<Token>& tokens) const;
  [[noreturn]] static void refuse_text();

  const llama_vocab* vocab_;
  std::vector<std::string> bytes_;
  std::vector<bool> ends_;
  std::vector<Special> specials_;
  Token leading_ = -1;
  bool prefixes_space_ = false;
  bool spells_ = false;
  mutable std::mutex order_mutex_;
  mutable std::unique_ptr<const TokenOrder> order_;  // guarded by order_mutex_ until it is there; immutable then
  /// In bytes; 0 if a token may stand for any length of text.
  std::size_t longest_token_ = 0;
  /// For each ASCII letter: whether no token holds it in front of a space.
  std::array<bool, 128> splits_after_{};
  std::string bos_text_;
  std::string eos_text_;
};

}  // namespace nudging
