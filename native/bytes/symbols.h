#pragma once

#include <array>
#include <cstddef>

namespace nudging {

/// What can follow a text: one of 256 bytes, or its end.
constexpr std::size_t symbol_count = 257;
constexpr std::size_t end_symbol = 256;

/// A number for each symbol.
using Masses = std::array<double, symbol_count>;

}  // namespace nudging
