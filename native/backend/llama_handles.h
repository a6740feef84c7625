#pragma once

#include <memory>

#include "ggml-cpu.h"
#include "gguf.h"
#include "llama.h"

namespace nudging {

template <auto release>
struct ReleasedBy {
  template <typename T>
  void operator()(T* handle) const {
    release(handle);
  }
};

using ModelHandle = std::unique_ptr<llama_model, ReleasedBy<llama_model_free>>;
using ContextHandle = std::unique_ptr<llama_context, ReleasedBy<llama_free>>;
using ThreadpoolHandle = std::unique_ptr<ggml_threadpool, ReleasedBy<ggml_threadpool_free>>;
using GgufHandle = std::unique_ptr<gguf_context, ReleasedBy<gguf_free>>;

}  // namespace nudging
