#pragma once

#include <cstdint>
#include <string_view>

/// SplitMix64. The standard library's distributions differ from one platform to the next.
class Random {
 public:
  /// Each tensor has a sequence of its own, so that adding one leaves the others as they were.
  Random(std::uint64_t seed, std::string_view name) : state_(seed) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U + next();
  }

  /// Between -1 and 1.
  float operator()() { return static_cast<float>(static_cast<double>(next() >> 40) / (1 << 23) - 1.0); }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};
