#include "models/memory_meter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>
#include <set>
#include <string_view>
#include <utility>

#include "backend/log.h"
#include "basics/failure.h"
#include "models/model.h"
#include "src/llama-ext.h"
#include "src/llama-model.h"

namespace nudging {

namespace {

/// llama.cpp's notes on a cell of a cache (src/llama-kv-cells.h): position, sequences, and two tree nodes once it is used. Its own
/// breakdown leaves them out.
constexpr std::uint64_t cell_bytes = 160;

using TensorsHandle = std::unique_ptr<ggml_context, ReleasedBy<ggml_free>>;

struct DeviceMemory {
  std::size_t free = 0;
  std::size_t total = 0;
};

DeviceMemory memory_of(ggml_backend_dev_t device) {
  DeviceMemory memory;
  ggml_backend_dev_memory(device, &memory.free, &memory.total);
  return memory;
}

/// The place of what is in such a buffer; nothing if it is divided over all of the model's devices.
std::optional<std::size_t> place_of_buffer(ggml_backend_buffer_type_t type, const std::vector<ggml_backend_dev_t>& gpus) {
  if (ggml_backend_buft_is_host(type)) return 0;
  const ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
  if (device == nullptr || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU) return 0;
  const bool by_rows = std::string_view(ggml_backend_buft_name(type)).ends_with("_Split");
  if (by_rows || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_META) return std::nullopt;
  return place_of(device, gpus);
}

bool maps_files(const llama_model* model) {
  if (!llama_supports_mmap()) return false;
  for (int i = 0; i < llama_model_n_devices(model); ++i) {
    ggml_backend_dev_props properties{};
    ggml_backend_dev_get_props(llama_model_get_device(model, i), &properties);
    if (!properties.caps.mmap_support) return false;
  }
  return true;
}

/// llama.cpp has chosen a buffer for each tensor, though there is nothing in it.
std::vector<Kernel> kernels_of(const llama_model* model) {
  std::set<Kernel> kernels;
  for (const auto& [name, tensor] : llama_internal_get_tensor_map(model)) {
    if (tensor->buffer == nullptr) continue;
    kernels.insert({ggml_backend_buffer_get_type(tensor->buffer), tensor->type});
  }
  return {kernels.begin(), kernels.end()};
}

/// Whether the device can compute with a weight that an override puts there. llama.cpp would abort.
bool can_compute(ggml_backend_dev_t device, const std::string& name, ggml_tensor* weight) {
  if (ggml_n_dims(weight) < 2) return true;
  const TensorsHandle tensors_of_operations(ggml_init({8 * ggml_tensor_overhead(), nullptr, true}));
  ggml_context* tensors = tensors_of_operations.get();
  const auto takes = [&](ggml_tensor* operation) { return ggml_backend_dev_supports_op(device, operation); };
  const bool is_embedding = name.find("_embd") != std::string::npos || name.starts_with("token_types");
  ggml_tensor* token = ggml_new_tensor_2d(tensors, GGML_TYPE_I32, 1, 1);
  if (is_embedding && !takes(ggml_get_rows(tensors, weight, ggml_view_1d(tensors, token, 1, 0)))) return false;
  ggml_tensor* column = ggml_new_tensor_3d(tensors, GGML_TYPE_F32, weight->ne[0], 1, 1);
  const bool is_factor = ggml_is_quantized(weight->type) || weight->type == GGML_TYPE_F16 || weight->type == GGML_TYPE_BF16;
  if (!is_factor) return true;
  return takes(weight->ne[2] > 1 ? ggml_mul_mat_id(tensors, weight, column, token) : ggml_mul_mat(tensors, weight, column));
}

std::uint64_t cells_of(const LaneNumbers& numbers) {
  const std::uint64_t padded = (std::uint64_t{numbers.length} + smallest_context - 1) / smallest_context * smallest_context;
  return padded * numbers.sequences;
}

}  // namespace

MemoryMeter::MemoryMeter(std::string path, ContextOptions context, std::optional<CpuBuffers> cpu_buffers, bool mapped,
                         std::vector<ggml_backend_dev_t> gpus, LanePlacement placement)
    : path_(std::move(path)),
      context_(context),
      cpu_buffers_(std::move(cpu_buffers)),
      mapped_(mapped),
      gpus_(std::move(gpus)),
      placement_(std::move(placement)) {
  open(std::vector<std::uint32_t>(placement_.devices.size(), 0));
  check_overrides();
  kernels_ = kernels_of(skeleton_.get());
}

std::vector<Kernel> MemoryMeter::extra_kernels() const {
  const std::vector<ggml_backend_buffer_type_t>& extra = extra_cpu_buffers();
  std::vector<Kernel> kernels = kernels_;
  std::erase_if(kernels, [&](const Kernel& kernel) { return std::ranges::find(extra, kernel.buffer) == extra.end(); });
  return kernels;
}

void MemoryMeter::set_context(const ContextOptions& context) {
  context_ = context;
  least_.reset();
}

void MemoryMeter::open(const std::vector<std::uint32_t>& split) {
  skeleton_.reset();
  const std::uint32_t layers = std::accumulate(split.begin(), split.end(), 0U);
  skeleton_ =
      open_model({path_, layers, Model::Weights::none, cpu_buffers_, true, placement_of(placement_, split)}, [](float) { return true; });
  split_ = split;
  least_.reset();
}

void MemoryMeter::check_overrides() const {
  const auto& weights = llama_internal_get_tensor_map(skeleton_.get());
  for (const LanePlacement::Override& override : placement_.overrides) {
    const std::regex pattern(override.pattern);
    const ggml_backend_dev_t device = ggml_backend_buft_get_device(override.buffer);
    const bool on_host = ggml_backend_buft_is_host(override.buffer);
    bool any = override.is_optional;
    for (const auto& [name, weight] : weights) {
      if (!std::regex_search(name, pattern)) continue;
      any = true;
      if (on_host || can_compute(device, name, weight)) continue;
      throw Failure(FailureKind::device_unsuitable, "`overrideTensors` puts \"" + name + "\" of \"" + path_ + "\" on " +
                                                        ggml_backend_dev_name(device) + ", which cannot compute with a weight of type " +
                                                        ggml_type_name(weight->type) + " there: leave it out of \"" + override.pattern +
                                                        "\"");
    }
    if (!any) {
      throw Failure(FailureKind::device_unsuitable, "`overrideTensors` has \"" + override.pattern +
                                                        "\", which is found in no weight of \"" + path_ +
                                                        "\": they have names such as \"blk.0.ffn_up.weight\"");
    }
  }
}

std::uint32_t MemoryMeter::trained_context() const {
  return static_cast<std::uint32_t>(std::max(llama_model_n_ctx_train(skeleton_.get()), 0));
}

std::uint32_t MemoryMeter::most_gpu_layers() const {
  if (placement_.devices.empty()) return 0;
  return static_cast<std::uint32_t>(llama_model_n_layer(skeleton_.get()) + llama_model_n_layer_nextn(skeleton_.get()) + 1);
}

ContextHandle MemoryMeter::try_context(const LaneNumbers& numbers, ggml_type cache_type) const {
  ContextOptions options = context_;
  options.length = numbers.length;
  options.sequences = numbers.sequences;
  options.cache_type = cache_type;
  take_log();
  return make_context(skeleton_.get(), context_parameters(skeleton_.get(), options), options).handle;
}

LaneDemand MemoryMeter::lay_out(const LaneNumbers& numbers) const {
  const ContextHandle context = try_context(numbers, context_.cache_type);
  if (!context) {
    const std::string reason = take_log();
    if (context_.cache_type != GGML_TYPE_F16 && try_context(numbers, GGML_TYPE_F16)) {
      throw Failure(FailureKind::kv_cache_unsupported, std::string("\"") + path_ + "\" cannot have a KV cache of type " +
                                                           ggml_type_name(context_.cache_type) + " (" + reason +
                                                           "): set `kvCache` to \"f16\"");
    }
    if (reason.find("allocate") != std::string::npos)
      throw Failure(FailureKind::out_of_memory, "no room for the state of \"" + path_ + "\" (" + reason + "): lower `parallel`");
    throw Failure(FailureKind::model_unsupported,
                  "\"" + path_ + "\" cannot be run by itself (" + reason + "): use a model that generates text");
  }
  LaneDemand demand{Bytes(gpus_.size() + 1), Bytes(gpus_.size() + 1), {}};
  const bool maps = mapped_ && maps_files(skeleton_.get());
  const std::vector<double> parts = parts_of(placement_.split, placement_.devices.size());
  const auto add = [&](Bytes& bytes, ggml_backend_buffer_type_t type, std::uint64_t amount) {
    if (const auto place = place_of_buffer(type, gpus_)) {
      bytes[*place] += amount;
      return;
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      bytes[place_of(placement_.devices[i], gpus_)] += static_cast<std::uint64_t>(std::ceil(parts[i] * static_cast<double>(amount)));
  };
  for (const auto& [type, taken] : llama_get_memory_breakdown(context.get())) {
    add(demand.weights, type, taken.model);
    add(demand.context, type, taken.context + taken.compute);
    demand.use.weights += taken.model;
    if (taken.model > 0) demand.use.buffers[ggml_backend_buft_name(type)] += taken.model;
    // Other kinds of host memory hold copies, such as weights in an order of their own for the CPU's vector instructions.
    if (maps && type == ggml_backend_cpu_buffer_type()) demand.use.mapped += taken.model;
    demand.use.cache += taken.context;
    demand.use.compute += taken.compute;
  }
  demand.context[0] += cells_of(numbers) * cell_bytes;
  return demand;
}

LaneDemand MemoryMeter::measure(const LaneNumbers& numbers, std::uint64_t limit) {
  if (numbers.split != split_) open(numbers.split);
  if (!least_) {
    // Caches grow with their cells, recurrent states with the sequences.
    least_ = lay_out({numbers.gpu_layers, smallest_context, 1, split_});
    const LaneDemand twice = lay_out({numbers.gpu_layers, 2 * smallest_context, 1, split_});
    per_cell_ = (static_cast<double>(twice.use.cache) - static_cast<double>(least_->use.cache)) / smallest_context;
    per_sequence_ = static_cast<double>(least_->use.cache) - per_cell_ * smallest_context;
  }
  const auto cells = static_cast<double>(cells_of(numbers));
  const double cache = per_cell_ * cells + per_sequence_ * numbers.sequences;
  const double estimate = cache + cell_bytes * cells;
  if (estimate <= static_cast<double>(limit)) return lay_out(numbers);

  LaneDemand demand = *least_;
  const double more = estimate - static_cast<double>(least_->use.cache + cell_bytes * smallest_context);
  const auto least_context = static_cast<double>(std::accumulate(demand.context.begin(), demand.context.end(), std::uint64_t{0}));
  for (std::uint64_t& bytes : demand.context) bytes += static_cast<std::uint64_t>(more * static_cast<double>(bytes) / least_context);
  demand.use.cache = static_cast<std::uint64_t>(cache);
  return demand;
}

std::vector<MemoryPlace> memory_places(const std::vector<ggml_backend_dev_t>& gpus, std::uint64_t host_memory) {
  std::vector<MemoryPlace> places = {{"memory", host_memory}};
  for (const ggml_backend_dev_t gpu : gpus) places.push_back({std::string("memory of ") + ggml_backend_dev_name(gpu), memory_of(gpu).free});
  return places;
}

std::size_t place_of(ggml_backend_dev_t gpu, const std::vector<ggml_backend_dev_t>& gpus) {
  const auto found = std::ranges::find(gpus, gpu);
  if (found == gpus.end() || memory_of(gpu).total == 0) return 0;
  return static_cast<std::size_t>(found - gpus.begin()) + 1;
}

}  // namespace nudging
