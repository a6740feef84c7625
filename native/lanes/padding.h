#pragma once

#include <cstddef>

namespace nudging {

/// Passes of few shapes: llama.cpp uses its last graph again for a pass with equally many tokens and sequences. So passes of more than one
/// token are filled up with dummies, which are in sequences of their own and never read, to one of a few numbers of tokens, all with
/// equally many sequences.
struct Padding {
  /// The largest pass that is filled up, in tokens.
  static constexpr std::size_t most_tokens = 64;

  /// Sequences of requests; 0: nothing is filled up.
  std::size_t sequences = 0;
  /// Most tokens in a pass.
  std::size_t batch = 0;

  /// With how many tokens a pass of so many tokens, of so many sequences, is computed.
  std::size_t padded(std::size_t tokens, std::size_t used) const;
  /// The same where it is not known yet whose the tokens are: most requests have one each.
  std::size_t padded(std::size_t tokens) const { return padded(tokens, tokens < sequences ? tokens : sequences); }
  /// Sequences of dummies beside so many others.
  std::size_t dummies(std::size_t used) const { return sequences + 1 - used; }
};

}  // namespace nudging
