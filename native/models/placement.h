#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ggml-backend.h"

namespace nudging {

/// How a model is divided over several GPUs: whole on one, by layers, each weight by its rows, or the work on each weight ("tensor").
enum class SplitMode : std::uint8_t { none, layer, row, tensor };

/// Nothing for other names.
std::optional<SplitMode> split_mode_named(const std::string& name);

constexpr std::uint32_t all_layers = std::numeric_limits<std::uint32_t>::max();

/// Where somebody wants a model's weights. What is missing or empty is for the plan to decide.
struct PlacementWish {
  /// GPUs by ggml's names.
  std::vector<std::string> devices;
  std::optional<SplitMode> split_mode;
  /// Proportions, one for each of the devices.
  std::vector<float> split;
  /// The place among the devices of the one that has all.
  std::optional<std::uint32_t> main_gpu;
  /// So many layers, from the first on, leave their experts on the host.
  std::uint32_t cpu_experts = 0;
  /// Weights in whose names the pattern (of ECMAScript, as std::regex has it) is found are on this device, or on the "CPU". The first
  /// pattern that fits decides. Must be cheap to match: lib/tensor-overrides.ts checks that.
  struct Override {
    std::string pattern;
    std::string device;
    bool operator==(const Override&) const = default;
  };
  std::vector<Override> overrides;
  bool operator==(const PlacementWish&) const = default;
};

/// The same for the devices of this machine.
struct LanePlacement {
  /// Those that the model may use; none: the host alone.
  std::vector<ggml_backend_dev_t> devices;
  /// Not `none`: that is one device, or `whole`.
  SplitMode mode = SplitMode::layer;
  /// Must be whole on one of them.
  bool whole = false;
  /// Was asked to be divided over all of them.
  bool divided = false;
  /// Proportions that were asked for.
  std::vector<float> split;
  struct Override {
    std::string pattern;
    ggml_backend_buffer_type_t buffer;
    /// No matter if no weight has such a name.
    bool is_optional = false;
    auto operator<=>(const Override&) const = default;
  };
  std::vector<Override> overrides;
};

/// What llama.cpp is told: where the layers of a loaded model are.
struct Placement {
  std::vector<ggml_backend_dev_t> devices;
  SplitMode mode = SplitMode::layer;
  /// In proportion to these, one for each device; empty: as llama.cpp does it.
  std::vector<float> split;
  std::vector<LanePlacement::Override> overrides;
  auto operator<=>(const Placement&) const = default;
};

/// Checks a wish for a lane against the GPUs that there are. Throws Failure(device_unsuitable), which names what was asked for, what there
/// is and what to change. Without any GPU, wishes that name none have no effect.
///
/// `unasked`: those that a lane may use which names none; missing: all.
LanePlacement resolve(const PlacementWish& wish, const std::string& lane, const std::vector<ggml_backend_dev_t>& gpus,
                      const std::optional<std::vector<ggml_backend_dev_t>>& unasked = std::nullopt);

/// Where the model is with so many layers on each of the lane's devices. Devices with nothing on them are left out, unless all are, and
/// those that an override names.
Placement placement_of(const LanePlacement& lane, const std::vector<std::uint32_t>& layers);

/// So many layers in these proportions, as llama.cpp divides them: the last is the output layer. Their sum is `layers`.
std::vector<std::uint32_t> share_layers(std::uint32_t layers, const std::vector<float>& proportions);

/// Proportions as parts of one; all alike if they are empty.
std::vector<double> parts_of(const std::vector<float>& proportions, std::size_t count);

}  // namespace nudging
