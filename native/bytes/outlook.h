#pragma once

#include <string>
#include <vector>

#include "bytes/cover_tree.h"
#include "bytes/symbols.h"
#include "bytes/token_order.h"

namespace nudging {

/// How a text probably goes on, up to the end of the tokens that are under way.
struct ProbableText {
  std::string bytes;
  /// Of each byte: how probable it is, at most, for any of the models that a token ends with it.
  std::vector<double> ends;
};

/// How a text may go on by what one model has said already: only up to the end of the tokens that may be under way.
class Outlook {
 public:
  /// What the tree knows. It must not grow or learn meanwhile.
  Outlook(const TokenOrder& order, const CoverTree& tree);

  /// The weight of each byte that may come next, and of the end of the tokens under way in place of the end symbol: what follows them is
  /// not known.
  const Masses& masses() const { return masses_; }
  /// The part of what is known that has come to its end here; 0 if nothing is known.
  double ended() const;
  /// The same of all that the text may come to, if what is open at its end comes to an end here with the probability `others`.
  double ended(double others) const;
  void go_on(unsigned char byte);

 private:
  void tally();

  const TokenOrder& order_;
  std::vector<CoverTree::Strand> strands_;
  /// Of what has come to its end with the last byte.
  double ended_;
  /// What is open at the end of the text, wherever it leads.
  double open_;
  Masses masses_{};
};

}  // namespace nudging
