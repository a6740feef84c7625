#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gguf.h"

/// The tokenizer of a vocabulary-only GGUF file.
class VocabularyFile {
 public:
  /// Throws std::runtime_error.
  explicit VocabularyFile(const std::string& path);

  std::uint32_t size() const { return size_; }
  /// Copies all that is said about the tokenizer; adds a chat template if there is none.
  void copy_to(gguf_context* model) const;
  /// Factor for each token's row of the output matrix: what makes a model awkward should happen, but not all the time.
  std::vector<float> emphasis(float end_of_text) const;

 private:
  struct Free {
    void operator()(gguf_context* context) const { gguf_free(context); }
  };

  std::unique_ptr<gguf_context, Free> header_;
  std::uint32_t size_ = 0;
};
