#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "ggml.h"

namespace nudging {

/// Types that a KV cache can have: those that ggml's attention reads on every backend.
constexpr std::array<ggml_type, 8> kv_cache_types = {GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_F32,  GGML_TYPE_Q8_0,
                                                     GGML_TYPE_Q5_1, GGML_TYPE_Q5_0, GGML_TYPE_Q4_1, GGML_TYPE_Q4_0};

/// The type with ggml's name `name`, such as "q8_0".
inline std::optional<ggml_type> kv_cache_type(std::string_view name) {
  for (const ggml_type type : kv_cache_types) {
    if (name == ggml_type_name(type)) return type;
  }
  return std::nullopt;
}

}  // namespace nudging
