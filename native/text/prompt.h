#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/text_tokens.h"
#include "text/vocabulary.h"

namespace nudging {

/// A stretch of a prompt. Only template text may spell control tokens; user text never does.
struct Segment {
  std::string text;
  bool is_template = false;
};

/// R61: what comes between an answer and another beginning of one: the end of the assistant's turn, and what opens the next.
struct Turn {
  /// Tokenised together with what it follows.
  std::string text;
  /// From the first control token on.
  std::vector<Token> tokens;
};

/// A prompt in one vocabulary. The plain text after the last control token stays text, because merges may cross from it
/// into the output: prompt + output is tokenised together (R2).
struct Prompt {
  /// BOS if the vocabulary wants it, and everything up to the last control token.
  std::vector<Token> head;
  /// Plain text that is tokenised together with the output.
  std::string tail;
  /// The tokens of `tail`, to be followed from there.
  TextTokens followed;
  /// A text behind the prompt that is tokenised whole, together with `tail`: for inspections.
  std::optional<std::string> text;
  std::vector<Token> whole;
  /// The last bytes of the template text that it ends with, if it does, and what the answer was prefilled with behind that.
  std::string own_end;
  std::string prefill;
  /// For a guard.
  Turn turn = {};

  std::size_t tokens() const { return head.size() + followed.tokens().size(); }
};

/// Finds the control tokens in the template segments, joins what is left between them, and tokenises each stretch as a whole,
/// so that a space from the template and a word from the user still make one token. Gives up as GiveUpScope says.
Prompt compile_prompt(const Vocabulary& vocabulary, const std::vector<Segment>& segments);

/// The same of what stands behind an answer. Without a control token it is text only.
Turn compile_turn(const Vocabulary& vocabulary, const std::vector<Segment>& segments);

}  // namespace nudging
