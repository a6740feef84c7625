#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "trust/known_product.h"

namespace nudging {

/// What multiplies weights of a type that lie in a kind of buffer.
struct Kernel {
  ggml_backend_buffer_type_t buffer = nullptr;
  ggml_type type = GGML_TYPE_F32;
  auto operator<=>(const Kernel&) const = default;
};

/// Such as "q4_0 weights in AMX".
std::string name_of(const Kernel& kernel);

/// Multiplies the weights of a product with its first `columns` columns. Nothing: weights of this type or shape do not go into that buffer.
using Multiply =
    std::function<std::optional<std::vector<float>>(const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads)>;

/// The kernels of llama.cpp.
std::optional<std::vector<float>> multiply(const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads);

/// The same as deterministic contexts multiply.
std::optional<std::vector<float>> multiply_batch_invariantly(const Kernel& kernel, const KnownProduct& product, std::int64_t columns,
                                                             int threads);

/// Whether a deterministic context gets the same bits for a column alone and beside others, and a right product. Takes some milliseconds.
/// True as well where the type does not go into the buffer.
bool treats_columns_alike(const Kernel& kernel, const Multiply& product = multiply_batch_invariantly);

/// One small known product: with one column and with so many that tiles are full and left over. Takes some milliseconds. True as well where
/// the type does not go into the buffer.
bool gives_known_answer(const Kernel& kernel, int threads, const Multiply& product = multiply);

/// Every kernel that an extra CPU buffer of this machine has, whatever model it may be for.
std::vector<Kernel> extra_kernels();

}  // namespace nudging
