#include "models/memory_meter.h"

#include <algorithm>
#include <numeric>
#include <set>
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

struct DeviceMemory {
  std::size_t free = 0;
  std::size_t total = 0;
};

DeviceMemory memory_of(ggml_backend_dev_t device) {
  DeviceMemory memory;
  ggml_backend_dev_memory(device, &memory.free, &memory.total);
  return memory;
}

std::size_t place_of(ggml_backend_buffer_type_t type, const std::vector<ggml_backend_dev_t>& devices) {
  if (ggml_backend_buft_is_host(type)) return 0;
  const auto device = std::find(devices.begin(), devices.end(), ggml_backend_buft_get_device(type));
  return device == devices.end() ? 0 : static_cast<std::size_t>(device - devices.begin()) + 1;
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

std::uint64_t cells_of(const LaneNumbers& numbers) {
  const std::uint64_t padded = (std::uint64_t{numbers.length} + smallest_context - 1) / smallest_context * smallest_context;
  return padded * numbers.sequences;
}

}  // namespace

MemoryMeter::MemoryMeter(std::string path, ContextOptions context, std::optional<CpuBuffers> cpu_buffers, bool mapped)
    : path_(std::move(path)), context_(context), cpu_buffers_(std::move(cpu_buffers)), mapped_(mapped) {
  open(0);
  kernels_ = kernels_of(skeleton_.get());
  for (int i = 0; i < llama_model_n_devices(skeleton_.get()); ++i) {
    const ggml_backend_dev_t device = llama_model_get_device(skeleton_.get(), i);
    if (memory_of(device).total > 0) devices_.push_back(device);
  }
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

void MemoryMeter::open(std::uint32_t gpu_layers) {
  skeleton_.reset();
  skeleton_ = open_model({path_, gpu_layers, Model::Weights::none, cpu_buffers_}, [](float) { return true; });
  gpu_layers_ = gpu_layers;
  least_.reset();
}

std::uint32_t MemoryMeter::trained_context() const {
  return static_cast<std::uint32_t>(std::max(llama_model_n_ctx_train(skeleton_.get()), 0));
}

std::uint32_t MemoryMeter::most_gpu_layers() const {
  if (llama_model_n_devices(skeleton_.get()) == 0) return 0;
  return static_cast<std::uint32_t>(llama_model_n_layer(skeleton_.get()) + llama_model_n_layer_nextn(skeleton_.get()) + 1);
}

std::vector<MemoryPlace> MemoryMeter::places(std::uint64_t host_memory) const {
  std::vector<MemoryPlace> places = {{"memory", host_memory}};
  for (const ggml_backend_dev_t device : devices_)
    places.push_back({std::string("memory of ") + ggml_backend_dev_name(device), memory_of(device).free});
  return places;
}

ContextHandle MemoryMeter::try_context(const LaneNumbers& numbers, ggml_type cache_type) const {
  ContextOptions options = context_;
  options.length = numbers.length;
  options.sequences = numbers.sequences;
  options.cache_type = cache_type;
  take_log();
  return ContextHandle(llama_init_from_model(skeleton_.get(), context_parameters(skeleton_.get(), options)));
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
  LaneDemand demand{Bytes(devices_.size() + 1), Bytes(devices_.size() + 1), {}};
  const bool maps = mapped_ && maps_files(skeleton_.get());
  for (const auto& [type, taken] : llama_get_memory_breakdown(context.get())) {
    const std::size_t place = place_of(type, devices_);
    demand.weights[place] += taken.model;
    demand.context[place] += taken.context + taken.compute;
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
  if (numbers.gpu_layers != gpu_layers_) open(numbers.gpu_layers);
  if (!least_) {
    // Caches grow with their cells, recurrent states with the sequences.
    least_ = lay_out({gpu_layers_, smallest_context, 1});
    const LaneDemand twice = lay_out({gpu_layers_, 2 * smallest_context, 1});
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

}  // namespace nudging
