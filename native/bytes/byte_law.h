#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "bytes/cover_tree.h"
#include "bytes/outlook.h"
#include "bytes/spelling.h"
#include "bytes/symbols.h"
#include "nudge/lane.h"
#include "nudge/task.h"
#include "nudge/utf8.h"

namespace nudging {

/// What one model says about the next byte of an answer, whatever tokens it would say it in (semantics.md, R41 to R43): exact as soon as
/// `open()` is 0, and within bounds before. Between two bytes the model is asked only as often as somebody wants to know more.
///
/// Phan et al.: "Exact Byte-Level Probabilities from Tokenized Language Models for FIM-Tasks and Model Ensembles" (arXiv 2410.09303);
/// Hayase, Liu, Smith, Oh: "Sampling from Your Language Model One Byte at a Time" (arXiv 2506.14123).
class ByteLaw {
 public:
  /// Behind the prompt, with no answer. Lane and spelling are two sides of one model in one request, and must outlive it.
  ByteLaw(Lane& lane, Spelling& spelling);

  /// The answer grows by a byte.
  void append(unsigned char byte);

  /// Bounds of P(symbol | text): at least `known / (total + open)`, at most `(known + open) / (total + open)`.
  struct Bounds {
    Masses known{};
    /// The sum of `known`.
    double total = 0;
    double open = 0;
    /// False inside a character that the vocabulary cannot spell: then nothing is known, and nothing open.
    bool speaks() const { return total + open > 0; }
  };
  const Bounds& bounds() const { return bounds_; }

  /// Asks the model about the node that leaves most open, and, in the same pass where there is room, about the places that open if the text
  /// goes on with `ahead`, which is a guess, unless they are known to have less than `negligible` of the weight. Only if something is open.
  Task<bool> learn(const ProbableText& ahead, double negligible) { return ask(places_along(ahead, negligible)); }
  Task<bool> learn() { return learn(ProbableText{}, 0); }
  /// How the text goes on by what is known. Until more is.
  Outlook outlook() const { return Outlook(spelling_.order(), tree_); }
  /// Whether the model answers while others do.
  bool apart() const { return lane_.apart(); }
  /// Takes a question back that has no answer yet.
  void withdraw() { lane_.withdraw(); }
  /// Asks until nothing is open, and returns P(symbol | text); all zeros where the model does not speak.
  Task<Masses> exact();

  /// Tokens of prompt text and answer in the canonical spelling, at the last whole character.
  std::size_t tokens() const { return tokens_; }
  /// How often the model was asked, and how often a text had no valid cover left, so that its spelling was taken for the only one.
  std::size_t asked() const { return asked_; }
  std::size_t restarts() const { return restarts_; }

 private:
  using Spellings = std::vector<std::vector<Token>>;

  void feed(unsigned char byte);
  Spellings valid_spellings(const std::string& text);
  const Spellings& spellings_ahead(const std::string& text);
  /// A place to which the tokens lead, `length` bytes behind the text's beginning.
  struct Place {
    std::vector<Token> tokens;
    std::size_t length;
  };
  std::vector<Place> places_along(const ProbableText& ahead, double negligible);
  Task<bool> ask(std::vector<Place> places);
  void recall();
  void update();

  Lane& lane_;
  Spelling& spelling_;
  CoverTree tree_;
  std::string text_;
  Utf8Stream characters_;
  Bounds bounds_;
  std::size_t tokens_ = 0;
  /// What the model has said of places that the text may come to.
  struct Foretold {
    Place place;
    std::vector<float> logits;
  };
  std::vector<Foretold> foretold_;
  /// What texts that may come are spelled like.
  std::map<std::string, Spellings> spelled_;
  std::size_t asked_ = 0;
  std::size_t restarts_ = 0;
};

}  // namespace nudging
