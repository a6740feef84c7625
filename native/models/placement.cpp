#include "models/placement.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "backend/gpus.h"
#include "basics/failure.h"
#include "ggml-cpu.h"

namespace nudging {

namespace {

bool is_same_name(const std::string& one, const std::string& other) {
  return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// The weights of experts; llama.cpp's own pattern (common/common.h, LLM_FFN_EXPS_REGEX).
std::string experts_of(std::uint32_t layers) {
  constexpr const char* experts = "ffn_(up|down|gate|gate_up)_(ch|)exps";
  if (layers == all_layers) return std::string("\\.") + experts;
  std::string numbers;
  for (std::uint32_t layer = 0; layer < layers; ++layer) numbers += (layer == 0 ? "" : "|") + std::to_string(layer);
  return "^blk\\.(" + numbers + ")\\." + experts;
}

class Resolver {
 public:
  Resolver(const PlacementWish& wish, const std::string& lane, const std::vector<ggml_backend_dev_t>& gpus,
           const std::vector<ggml_backend_dev_t>& unasked)
      : wish_(wish), lane_(lane), gpus_(gpus), unasked_(unasked) {}

  LanePlacement resolve() {
    choose_devices();
    choose_mode();
    choose_overrides();
    return std::move(placement_);
  }

 private:
  [[noreturn]] void refuse(const std::string& option, const std::string& reason, const std::string& remedy) const {
    throw Failure(FailureKind::device_unsuitable, "`" + option + "` of the " + lane_ + " model " + reason + ": " + remedy);
  }

  std::string there() const {
    return gpus_.empty() ? "this machine has no GPU that this binary can use" : "the GPUs here are " + names_of(gpus_);
  }
  std::string its_devices() const { return "its GPUs are " + names_of(placement_.devices); }

  void choose_devices() {
    if (wish_.devices.empty()) placement_.devices = unasked_;
    for (const std::string& name : wish_.devices) {
      const auto device =
          std::ranges::find_if(gpus_, [&](ggml_backend_dev_t gpu) { return is_same_name(ggml_backend_dev_name(gpu), name); });
      if (device == gpus_.end())
        refuse("devices", "names \"" + name + "\", and " + there(), gpus_.empty() ? "leave it out" : "name some of these");
      if (std::ranges::find(placement_.devices, *device) != placement_.devices.end())
        refuse("devices", "names \"" + name + "\" twice", "name each GPU once");
      placement_.devices.push_back(*device);
    }
  }

  void choose_mode() {
    const std::size_t count = placement_.devices.size();
    if (count == 0) return;
    if (!wish_.split.empty() && wish_.split.size() != count) {
      refuse("tensorSplit", "has " + std::to_string(wish_.split.size()) + " numbers, and " + its_devices(), "give one number for each");
    }
    if (wish_.main_gpu) {
      if (*wish_.main_gpu >= count)
        refuse("mainGpu", "is " + std::to_string(*wish_.main_gpu) + ", and " + its_devices(), "count them from 0");
      placement_.devices = {placement_.devices[*wish_.main_gpu]};
      return;
    }
    // Over one device all ways are the same.
    if (count == 1) return;
    placement_.split = wish_.split;
    placement_.whole = wish_.split_mode == SplitMode::none;
    placement_.divided = (wish_.split_mode && !placement_.whole) || !wish_.split.empty();
    if (wish_.split_mode == SplitMode::row) check_rows();
    if (wish_.split_mode && !placement_.whole) placement_.mode = *wish_.split_mode;
  }

  void check_rows() const {
    for (const ggml_backend_dev_t device : placement_.devices) {
      if (!can_split_rows(device))
        refuse("splitMode", std::string("is \"row\", which ") + ggml_backend_dev_name(device) + " cannot do with this version of llama.cpp",
               "use \"layer\" or \"tensor\"");
    }
    if (!is_whole_backend(placement_.devices))
      refuse("splitMode", "is \"row\" for some of the GPUs, and rows are divided over all of a backend's", "leave out `devices`");
  }

  void choose_overrides() {
    for (const auto& [pattern, name] : wish_.overrides) placement_.overrides.push_back({pattern, buffer_of(pattern, name)});
    if (wish_.cpu_experts > 0) placement_.overrides.push_back({experts_of(wish_.cpu_experts), ggml_backend_cpu_buffer_type(), true});
  }

  ggml_backend_buffer_type_t buffer_of(const std::string& pattern, const std::string& name) const {
    if (is_same_name(name, "CPU")) return ggml_backend_cpu_buffer_type();
    const std::string reason = "puts \"" + pattern + "\" on \"" + name + "\"";
    const auto device =
        std::ranges::find_if(placement_.devices, [&](ggml_backend_dev_t one) { return is_same_name(ggml_backend_dev_name(one), name); });
    if (device == placement_.devices.end()) {
      const bool any = !placement_.devices.empty();
      refuse("overrideTensors", reason + ", and " + (any ? its_devices() : there()), any ? "name one of these, or CPU" : "name CPU");
    }
    if (placement_.mode != SplitMode::layer)
      refuse("overrideTensors", reason + ", and each weight is divided over all", R"(name CPU, or set `splitMode` to "layer")");
    return ggml_backend_dev_buffer_type(*device);
  }

  const PlacementWish& wish_;
  const std::string& lane_;
  const std::vector<ggml_backend_dev_t>& gpus_;
  const std::vector<ggml_backend_dev_t>& unasked_;
  LanePlacement placement_;
};

}  // namespace

std::optional<SplitMode> split_mode_named(const std::string& name) {
  if (name == "none") return SplitMode::none;
  if (name == "layer") return SplitMode::layer;
  if (name == "row") return SplitMode::row;
  if (name == "tensor") return SplitMode::tensor;
  return std::nullopt;
}

LanePlacement resolve(const PlacementWish& wish, const std::string& lane, const std::vector<ggml_backend_dev_t>& gpus,
                      const std::optional<std::vector<ggml_backend_dev_t>>& unasked) {
  return Resolver(wish, lane, gpus, unasked ? *unasked : gpus).resolve();
}

Placement placement_of(const LanePlacement& lane, const std::vector<std::uint32_t>& layers) {
  Placement placement{{}, lane.mode, {}, lane.overrides};
  const bool none = std::ranges::all_of(layers, [](std::uint32_t count) { return count == 0; });
  if (none || lane.mode == SplitMode::tensor) {
    placement.devices = lane.devices;
    if (lane.mode == SplitMode::tensor) placement.split = lane.split;
    return placement;
  }
  const auto is_named = [&](ggml_backend_dev_t device) {
    return std::ranges::any_of(lane.overrides, [&](const auto& one) { return one.buffer == ggml_backend_dev_buffer_type(device); });
  };
  for (std::size_t i = 0; i < lane.devices.size(); ++i) {
    if (layers[i] == 0 && lane.mode == SplitMode::layer && !is_named(lane.devices[i])) continue;
    placement.devices.push_back(lane.devices[i]);
    placement.split.push_back(static_cast<float>(layers[i]));
  }
  return placement;
}

std::vector<std::uint32_t> share_layers(std::uint32_t layers, const std::vector<float>& proportions) {
  std::vector<float> ends(proportions.size());
  std::partial_sum(proportions.begin(), proportions.end(), ends.begin());
  std::vector<std::uint32_t> shares(proportions.size(), 0);
  if (proportions.empty() || !(ends.back() > 0)) return shares;
  const float sum = ends.back();
  for (float& end : ends) end /= sum;
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const auto end = std::ranges::upper_bound(ends, static_cast<float>(layer) / static_cast<float>(layers));
    ++shares[std::min<std::size_t>(static_cast<std::size_t>(end - ends.begin()), shares.size() - 1)];
  }
  return shares;
}

std::vector<double> parts_of(const std::vector<float>& proportions, std::size_t count) {
  const double sum = std::accumulate(proportions.begin(), proportions.end(), 0.0);
  if (!(sum > 0)) return std::vector<double>(count, 1.0 / static_cast<double>(count));
  std::vector<double> parts;
  for (const float one : proportions) parts.push_back(one / sum);
  return parts;
}

}  // namespace nudging
