#include "made_up_gpus.h"

#include <atomic>
#include <deque>

#include "ggml-cpu.h"
#include "ggml/src/ggml-backend-impl.h"
#include "ggml/src/ggml-impl.h"

namespace nudging {

namespace {

struct State {
  MadeUpGpu gpu;
  ggml_backend_buffer_type buffer_type;
  ggml_backend_device device;
  std::atomic<std::uint64_t> computed = 0;
};

/// Addresses stay.
std::deque<State>& states() {
  static std::deque<State> all;
  return all;
}

State& of(ggml_backend_dev_t device) { return *static_cast<State*>(device->context); }
State& of(ggml_backend_buffer_type_t type) { return *static_cast<State*>(type->context); }

/// What a backend of it keeps: the CPU's, which computes.
struct Stream {
  State* state;
  ggml_backend_t cpu;
};

ggml_guid_t guid() {
  static ggml_guid one = {0x6d, 0x61, 0x64, 0x65, 0x2d, 0x75, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return &one;
}

const ggml_backend_i stream_interface = [] {
  ggml_backend_i all{};
  all.get_name = [](ggml_backend_t backend) { return static_cast<Stream*>(backend->context)->state->gpu.name.c_str(); };
  all.free = [](ggml_backend_t backend) {
    auto* stream = static_cast<Stream*>(backend->context);
    ggml_backend_free(stream->cpu);
    delete stream;
    delete backend;
  };
  all.graph_compute = [](ggml_backend_t backend, ggml_cgraph* graph) {
    const auto* stream = static_cast<Stream*>(backend->context);
    stream->state->computed += static_cast<std::uint64_t>(graph->n_nodes);
    return ggml_backend_graph_compute(stream->cpu, graph);
  };
  return all;
}();

const ggml_backend_buffer_type_i buffer_type_interface = [] {
  ggml_backend_buffer_type_i all{};
  all.get_name = [](ggml_backend_buffer_type_t type) { return of(type).gpu.name.c_str(); };
  all.alloc_buffer = [](ggml_backend_buffer_type_t type, std::size_t size) {
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    if (buffer != nullptr) buffer->buft = type;
    return buffer;
  };
  all.get_alignment = [](ggml_backend_buffer_type_t) { return ggml_backend_buft_get_alignment(ggml_backend_cpu_buffer_type()); };
  // Its memory is the host's, and nobody may know.
  all.is_host = [](ggml_backend_buffer_type_t) { return false; };
  return all;
}();

/// The backend of them all.
ggml_backend_reg_t backend() {
  static ggml_backend_reg one = [] {
    ggml_backend_reg reg{GGML_BACKEND_API_VERSION, {}, nullptr};
    reg.iface.get_name = [](ggml_backend_reg_t) { return "MADE"; };
    reg.iface.get_device_count = [](ggml_backend_reg_t) { return states().size(); };
    reg.iface.get_device = [](ggml_backend_reg_t, std::size_t index) { return &states()[index].device; };
    reg.iface.get_proc_address = [](ggml_backend_reg_t, const char*) -> void* { return nullptr; };
    return reg;
  }();
  return &one;
}

const ggml_backend_device_i device_interface = [] {
  ggml_backend_device_i all{};
  all.get_name = [](ggml_backend_dev_t device) { return of(device).gpu.name.c_str(); };
  all.get_description = [](ggml_backend_dev_t) { return "made up"; };
  all.get_memory = [](ggml_backend_dev_t device, std::size_t* free, std::size_t* total) { *free = *total = of(device).gpu.memory; };
  all.get_type = [](ggml_backend_dev_t) { return GGML_BACKEND_DEVICE_TYPE_GPU; };
  all.get_props = [](ggml_backend_dev_t device, ggml_backend_dev_props* properties) {
    *properties = {};
    properties->name = of(device).gpu.name.c_str();
    properties->description = "made up";
    properties->type = GGML_BACKEND_DEVICE_TYPE_GPU;
    properties->memory_free = properties->memory_total = of(device).gpu.memory;
  };
  all.init_backend = [](ggml_backend_dev_t device, const char*) -> ggml_backend_t {
    auto* stream = new Stream{&of(device), ggml_backend_cpu_init()};
    ggml_backend_cpu_set_n_threads(stream->cpu, 1);
    return new ggml_backend{guid(), stream_interface, device, stream};
  };
  all.get_buffer_type = [](ggml_backend_dev_t device) { return &of(device).buffer_type; };
  all.supports_op = [](ggml_backend_dev_t device, const ggml_tensor* operation) {
    if (operation->op == GGML_OP_GET_ROWS && !of(device).gpu.gets_rows) return false;
    return ggml_backend_dev_supports_op(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU), operation);
  };
  all.supports_buft = [](ggml_backend_dev_t device, ggml_backend_buffer_type_t type) { return type == &of(device).buffer_type; };
  return all;
}();

}  // namespace

std::vector<ggml_backend_dev_t> made_up_gpus(const std::vector<MadeUpGpu>& gpus) {
  std::vector<ggml_backend_dev_t> devices;
  for (const MadeUpGpu& gpu : gpus) {
    State& state = states().emplace_back();
    state.gpu = gpu;
    state.device = {device_interface, backend(), &state};
    state.buffer_type = {buffer_type_interface, &state.device, &state};
    devices.push_back(&state.device);
  }
  return devices;
}

void set_free(ggml_backend_dev_t gpu, std::size_t bytes) { of(gpu).gpu.memory = bytes; }

std::uint64_t computed_by(ggml_backend_dev_t gpu) { return of(gpu).computed.load(); }

}  // namespace nudging
