#pragma once

#include <array>
#include <cstdint>

namespace nudging {

using PhiloxWords = std::array<std::uint32_t, 4>;

/// Philox4x32-10, a counter-based random generator: the same counter and key always give the same four words, other counters give
/// independent ones, and there is no state. Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011),
/// doi:10.1145/2063384.2063405.
constexpr PhiloxWords philox4x32(PhiloxWords counter, std::uint64_t key) {
  auto low = static_cast<std::uint32_t>(key);
  auto high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ low, static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ high, static_cast<std::uint32_t>(first)};
    low += 0x9E3779B9;
    high += 0xBB67AE85;
  }
  return counter;
}

}  // namespace nudging
