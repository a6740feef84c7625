#include "engine/auto_context.h"

#include <algorithm>
#include <map>
#include <string>

#include "engine/failure.h"
#include "src/llama-ext.h"

namespace nudging {

namespace {

/// Where memory is taken from: a device, or null for the host.
using Place = ggml_backend_dev_t;
using Bytes = std::map<Place, double>;

Place place_of(ggml_backend_buffer_type_t type) {
  const Place device = ggml_backend_buft_is_host(type) ? nullptr : ggml_backend_buft_get_device(type);
  return device != nullptr && ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU ? nullptr : device;
}

Bytes cost_of(const std::shared_ptr<const Model>& model, ModelContext::Options options, std::uint32_t length) {
  options.length = length;
  const std::atomic<bool> never = false;
  const ModelContext context(model, options, nullptr, never);
  Bytes bytes;
  for (const auto& [type, data] : llama_get_memory_breakdown(context.handle())) bytes[place_of(type)] += static_cast<double>(data.context + data.compute);
  return bytes;
}

/// Part of the free memory that is left alone: other programs, fragmentation, what a longer batch may need.
constexpr double reserve = 0.1;

}  // namespace

std::array<std::uint32_t, lane_count> fit_contexts(const std::array<std::shared_ptr<const Model>, lane_count>& models, const std::array<std::uint32_t, lane_count>& fixed,
                                                   const ModelContext::Options& options, std::uint64_t host_memory) {
  std::array<std::uint32_t, lane_count> lengths = fixed;
  Bytes constant;
  Bytes growing;
  for (std::size_t i = 0; i < lane_count; ++i) {
    const std::uint32_t longest = models[i]->trained_context();
    const std::uint32_t probe = std::min(smallest_context, longest / 2);
    if (probe == 0) throw Failure(FailureKind::model_invalid, "\"" + models[i]->path() + "\" does not say how long a context it was trained with: set `context`");
    const Bytes small = cost_of(models[i], options, probe);
    // Weights are mapped: they count as free until they are read.
    constant[nullptr] += static_cast<double>(models[i]->bytes());
    for (auto [place, large] : cost_of(models[i], options, 2 * probe)) {
      const double per_token = (large - small.at(place)) / probe;
      const double fixed_part = small.at(place) - per_token * probe;
      constant[place] += fixed_part + per_token * fixed[i];
      if (fixed[i] == 0) growing[place] += per_token * longest;
    }
  }

  double share = 1;
  for (const auto& [place, needed] : growing) {
    std::size_t free = host_memory;
    std::size_t total = 0;
    if (place != nullptr) ggml_backend_dev_memory(place, &free, &total);
    if (needed > 0) share = std::min(share, (static_cast<double>(free) * (1 - reserve) - constant[place]) / needed);
  }
  for (std::size_t i = 0; i < lane_count; ++i) {
    if (fixed[i] != 0) continue;
    const double longest = models[i]->trained_context();
    const double length = std::max(0.0, longest * share);
    if (length < std::min<double>(smallest_context, longest)) {
      throw Failure(FailureKind::out_of_memory, "no room for a context of " + std::to_string(smallest_context) + " tokens beside \"" + models[i]->path() + "\" (" +
                                                    std::to_string(host_memory) + " bytes of memory are free): use smaller models, lower `parallel`, or fewer GPU layers");
    }
    lengths[i] = static_cast<std::uint32_t>(length);
  }
  return lengths;
}

}  // namespace nudging
