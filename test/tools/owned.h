#pragma once

#include <memory>

#include "ggml.h"
#include "gguf.h"

struct FreeTensors {
  void operator()(ggml_context* context) const { ggml_free(context); }
};
struct FreeHeader {
  void operator()(gguf_context* context) const { gguf_free(context); }
};
/// A pool of tensors, and the header of a GGUF file.
using OwnedTensors = std::unique_ptr<ggml_context, FreeTensors>;
using OwnedHeader = std::unique_ptr<gguf_context, FreeHeader>;
