#pragma once

#include <cstddef>
#include <cstdint>

namespace nudging {

/// The two models, in the order of every array that is indexed by lane.
enum class LaneName : std::uint8_t { base, aligned };
constexpr std::size_t lane_count = 2;

}  // namespace nudging
