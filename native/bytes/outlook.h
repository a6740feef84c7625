#pragma once

#include <vector>

#include "bytes/cover_tree.h"
#include "bytes/symbols.h"
#include "bytes/token_order.h"

namespace nudging {

/// How a text probably goes on, by what one model has said already: only up to the end of the tokens that may be under way.
class Outlook {
 public:
  /// What the tree knows. It must not grow or learn meanwhile.
  Outlook(const TokenOrder& order, const CoverTree& tree);

  /// The weight of each byte that may come next, and of the end of the tokens under way in place of the end symbol: what follows them is
  /// not known.
  const Masses& masses() const { return masses_; }
  void go_on(unsigned char byte);

 private:
  void tally();

  const TokenOrder& order_;
  std::vector<CoverTree::Strand> strands_;
  /// Of what has come to its end with the last byte.
  double ended_;
  Masses masses_{};
};

}  // namespace nudging
