#pragma once

#include <cstdint>
#include <string>

#include "gguf_file.h"

/// A wrong copy of a model file, always the same for the same seed: keys and arrays with other values, types and lengths, keys that other
/// architectures have, other tokenizers, tensors of other types and shapes, bits that flipped in the header, files cut short.
struct Mutant {
  std::string bytes;
  /// What was done to it.
  std::string story;
};

/// `sound` is the file taken apart, `original` its bytes.
Mutant mutate(const GgufFile& sound, const std::string& original, std::uint64_t seed);
