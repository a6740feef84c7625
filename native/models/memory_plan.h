#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "basics/lane_name.h"

namespace nudging {

/// Where memory is taken from. A plan's first place is the host; the others are GPUs.
struct MemoryPlace {
  /// For messages, such as "memory" or "memory of CUDA0".
  std::string name;
  /// Bytes that can still be taken there.
  std::uint64_t available = 0;
};

/// Bytes at each place, in the order of the places.
using Bytes = std::vector<std::uint64_t>;

/// What a model takes, in bytes, over all places.
struct MemoryUse {
  /// Weights, and those among them that are pages of the file: shared between processes, and the first that a system short of memory drops
  /// and reads again.
  std::uint64_t weights = 0;
  std::uint64_t mapped = 0;
  /// The weights again, by ggml's name of the kind of memory they are in, such as "CPU", "CPU_REPACK", "AMX" or "CUDA0".
  std::map<std::string, std::uint64_t> buffers;
  /// KV cache or recurrent state of all sequences.
  std::uint64_t cache = 0;
  /// Buffers of the forward pass.
  std::uint64_t compute = 0;
};

/// The numbers that decide how much one model takes.
struct LaneNumbers {
  std::uint32_t gpu_layers = 0;
  /// Tokens per sequence.
  std::uint32_t length = 0;
  std::uint32_t sequences = 1;
  /// The layers on each of the lane's GPUs; their sum is `gpu_layers`. Empty where it has none.
  std::vector<std::uint32_t> split = {};
  auto operator<=>(const LaneNumbers&) const = default;
};

struct LaneDemand {
  Bytes weights;
  /// Caches and buffers.
  Bytes context;
  MemoryUse use;
};

/// What one lane would take. Throws Failure if it cannot be had with these numbers at all.
using MeasureLane = std::function<LaneDemand(std::size_t lane, const LaneNumbers& numbers)>;

/// What is wanted. Empty numbers are to be found.
struct MemoryRequest {
  struct Lane {
    /// Path, for messages.
    std::string model;
    /// Lanes with equal numbers run the same file: its weights are taken once, if the same layers of it are on each GPU.
    std::size_t file = 0;
    std::optional<std::uint32_t> gpu_layers;
    /// All layers and the output layer; 0 without a GPU.
    std::uint32_t most_gpu_layers = 0;
    std::optional<std::uint32_t> length;
    /// What the model was trained for.
    std::uint32_t longest = 0;
    /// Whether a type of KV cache can be chosen that takes less.
    bool cache_can_shrink = true;
    /// The places of the GPUs that it may use; nothing: all.
    std::optional<std::vector<std::size_t>> gpus = {};
    enum class Spread : std::uint8_t { automatic, whole, divided };
    Spread spread = Spread::automatic;
    /// Proportions that were asked for, one for each of its GPUs.
    std::vector<float> split = {};
  };
  /// The base's, the aligned model's, and any further ones.
  std::vector<Lane> lanes;
  std::optional<std::uint32_t> parallel;
  /// Upper bound of a `parallel` that is to be found.
  std::uint32_t most_parallel = 1;
  std::vector<MemoryPlace> places;
};

struct MemoryPlan {
  std::vector<LaneNumbers> lanes;
  std::vector<MemoryUse> use;
};

/// Finds the numbers that were left open, so that all models fit together, before anything is allocated:
/// - GPU layers: first those of the models beside the base, which are small and called most often, then the base's; each as many as fit on
///   the GPUs with contexts of at most `default_context` tokens;
/// - with several GPUs: the base's layers over all, in proportion to the room that is left there, and each other model whole where most is
///   left; over all where it fits on none;
/// - contexts: the longest, at most what each model was trained for. All hold the same text, so what does not fit is cut to the same length
///   for all;
/// - parallel: as many as fit into half of what one sequence leaves free.
/// What is found leaves a tenth of every place alone, for other programs and for what is not measured; given numbers may use all of it.
///
/// Throws Failure(out_of_memory), with both numbers and what to change, if what was given does not fit, or not even `smallest_context`
/// tokens do.
MemoryPlan plan_memory(const MemoryRequest& request, const MeasureLane& measure);

/// Tokens that a model is given without being asked for a length.
constexpr std::uint32_t default_context = 4096;
/// The least that `auto` settles for, in tokens. llama.cpp's caches grow in steps of as many.
constexpr std::uint32_t smallest_context = 256;

/// Such as "12.3 GB".
std::string readable(std::uint64_t bytes);

}  // namespace nudging
