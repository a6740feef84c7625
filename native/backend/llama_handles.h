#pragma once

#include <memory>

#include "backend/device.h"
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

/// What may be on a GPU. After an error of the GPU it is left where it is: freeing it would end the process.
template <auto release>
struct ReleasedByUnlessLost {
  template <typename T>
  void operator()(T* handle) const {
    if (!device_failed()) release(handle);
  }
};

using ModelHandle = std::unique_ptr<llama_model, ReleasedByUnlessLost<llama_model_free>>;
using ContextHandle = std::unique_ptr<llama_context, ReleasedByUnlessLost<llama_free>>;
using ThreadpoolHandle = std::unique_ptr<ggml_threadpool, ReleasedBy<ggml_threadpool_free>>;
using GgufHandle = std::unique_ptr<gguf_context, ReleasedBy<gguf_free>>;

}  // namespace nudging
