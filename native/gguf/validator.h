#pragma once

#include <string>

#include "gguf/header.h"

namespace nudging {

/// Refuses a file that would make ggml or llama.cpp abort, read out of bounds, hang or allocate without end, before either has seen it. To
/// be called first of all on a path from outside. Of a model in parts (`split.count`), each part is checked.
///
/// Throws Failure: model_invalid, model_unsupported, model_unreadable. The message names the file, the key or tensor, its value and the
/// remedy.
void validate_gguf(const std::string& path);

/// The rules for a header whose structure is whole; `validate_gguf` applies both to the first file of a model.
///
/// Hyperparameters and tensors: what llama.cpp asserts on (llama-model.cpp, load_hparams), divides by, or gives to operations of ggml
/// that abort. That tensors have the shapes that the hyperparameters imply is left to llama.cpp, which reports it.
void check_hyperparameters(const GgufHeader& header);
/// The tokenizer: what llama-vocab.cpp asserts on, or would loop or recurse on without end. What it replaces by a default of its own, such
/// as the id of a padding token that does not exist, is not refused.
void check_tokenizer(const GgufHeader& header);

}  // namespace nudging
