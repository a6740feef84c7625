#pragma once

#include <cstddef>
#include <cstdint>

namespace nudging {

/// The models that every engine has, as their places in whatever is indexed by lane. Further ones, which have names of their own, stand
/// behind them.
enum class LaneName : std::uint8_t { base, aligned };
constexpr std::size_t base_lane = static_cast<std::size_t>(LaneName::base);
constexpr std::size_t aligned_lane = static_cast<std::size_t>(LaneName::aligned);

}  // namespace nudging
