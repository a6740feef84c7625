// libFuzzer: bytes as the header of a model. The validator must come back, by a Failure or not, and ggml must accept what it accepts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "backend/llama_handles.h"
#include "basics/failure.h"
#include "gguf/validator.h"

namespace {

bool accepted(std::span<const char> bytes) {
  try {
    nudging::MemoryBytes source(bytes);
    const nudging::GgufHeader header(source, "fuzzed.gguf");
    nudging::check_hyperparameters(header);
    nudging::check_tokenizer(header);
    return true;
  } catch (const nudging::Failure&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!accepted({reinterpret_cast<const char*>(data), size})) return 0;
  const nudging::GgufHandle header(gguf_init_from_buffer(data, size, {.no_alloc = true, .ctx = nullptr}));
  if (!header) {
    std::cerr << "the validator accepts a header that ggml refuses\n";
    std::abort();
  }
  return 0;
}
