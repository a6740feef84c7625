#include "trust/kernel_trust.h"

#include <atomic>
#include <string>
#include <vector>

#include "backend/log.h"
#include "check.h"
#include "engine/loading.h"
#include "models/memory_meter.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;

/// As a broken kernel would: every product in one kind of buffer has a wrong last number.
Multiply wrong_in(std::string buffer, int* asked = nullptr) {
  return [buffer = std::move(buffer), asked](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    if (asked != nullptr) ++*asked;
    std::optional<std::vector<float>> results = multiply(kernel, product, columns, threads);
    if (results && ggml_backend_buft_name(kernel.buffer) == buffer) results->back() += 3;
    return results;
  };
}

std::vector<Kernel> kernels_of(const std::string& model, const CpuBuffers& allowed) {
  return MemoryMeter(demo + model, {}, allowed).extra_kernels();
}

/// The first extra buffer that the demo models use on this machine; empty where there is none.
std::string used_buffer() {
  const std::vector<Kernel> kernels = kernels_of("/base.gguf", all_cpu_buffers());
  return kernels.empty() ? std::string() : ggml_backend_buft_name(kernels.front().buffer);
}

EngineOptions demo_options() {
  EngineOptions options;
  options.lanes.resize(2);
  options.lanes[0].path = demo + "/base.gguf";
  options.lanes[1].path = demo + "/aligned.gguf";
  options.parallel = 1;
  options.host_memory = 8'000'000'000;
  return options;
}

}  // namespace

TEST("kernel trust: a kernel is asked once") {
  capture_log();
  int asked = 0;
  KernelTrust trust(wrong_in("CPU", &asked));
  const Kernel plain{ggml_backend_cpu_buffer_type(), GGML_TYPE_Q8_0};
  CHECK(!trust.is_right(plain));
  const int once = asked;
  CHECK(once > 0);
  CHECK(!trust.is_right(plain));
  CHECK_EQUAL(asked, once);
}

TEST("kernel trust: what is wrong is left out, and what takes its place is checked as well") {
  // Two buffers, both wrong; the second is used only when the first is not.
  const std::vector<ggml_backend_buffer_type_t>& extra = extra_cpu_buffers();
  if (extra.empty()) return;
  const std::string first = ggml_backend_buft_name(extra.front());
  const std::string last = ggml_backend_buft_name(extra.back());
  const Kernel of_first{extra.front(), GGML_TYPE_Q4_0};
  const Kernel of_last{extra.back(), GGML_TYPE_Q4_0};
  std::vector<std::string> warnings;
  KernelTrust trust([](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    return wrong_in(ggml_backend_buft_name(kernel.buffer))(kernel, product, columns, threads);
  });
  const auto kernels_with = [&](const CpuBuffers& allowed) {
    if (allowed.contains(first)) return std::vector{of_first};
    if (allowed.contains(last)) return std::vector{of_last};
    return std::vector<Kernel>();
  };
  const auto warn = [&](const std::string& warning) { warnings.push_back(warning); };
  const CpuBuffers left = trusted_buffers({first, last}, trust, kernels_with, warn);
  CHECK(left.empty());
  CHECK_EQUAL(warnings.size(), CpuBuffers({first, last}).size());
  CHECK(warnings.front().find("q4_0 weights in " + first) != std::string::npos);

  KernelTrust right;
  warnings.clear();
  CHECK(trusted_buffers({first, last}, right, kernels_with, warn) == CpuBuffers({first, last}));
  CHECK(warnings.empty());
}

TEST("kernel trust: a load without the buffers that are wrong, unwanted or harmful; others keep theirs") {
  const std::string used = used_buffer();
  if (used.empty()) return;
  const std::atomic<bool> never = false;
  std::vector<Warning> warnings;
  const auto load = [&](const EngineOptions& options, KernelTrust& trust) {
    warnings.clear();
    return load_lanes(options, never, [](LoadProgress) {}, [&](Warning warning) { warnings.push_back(std::move(warning)); }, trust);
  };
  const auto bytes_in = [](const LoadedLanes& loaded, const std::string& buffer) {
    const auto& buffers = loaded.report.models[0].memory.buffers;
    const auto found = buffers.find(buffer);
    return found == buffers.end() ? 0 : found->second;
  };
  KernelTrust right;
  const LoadedLanes with = load(demo_options(), right);
  CHECK(bytes_in(with, used) > 0);
  CHECK(warnings.empty());

  KernelTrust wrong(wrong_in(used));
  const LoadedLanes without = load(demo_options(), wrong);
  CHECK_EQUAL(bytes_in(without, used), std::uint64_t{0});
  CHECK_EQUAL(warnings.size(), std::size_t{1});
  CHECK_EQUAL(std::string(warnings.front().code), std::string("WARN_KERNEL_DISABLED"));
  CHECK(warnings.front().message.find(" weights in " + used + " multiplies wrongly") != std::string::npos);
  // What is loaded is what was planned, and the first one's weights were not shared.
  CHECK(&without.lanes[0]->model() != &with.lanes[0]->model());

  EngineOptions plain = demo_options();
  plain.cpu_buffers = CpuBuffers{};
  CHECK_EQUAL(bytes_in(load(plain, right), used), std::uint64_t{0});
  CHECK(warnings.empty());
  EngineOptions careful = demo_options();
  careful.harmful_cpu_buffers = {used};
  CHECK_EQUAL(bytes_in(load(careful, right), used), std::uint64_t{0});
  CHECK(bytes_in(load(demo_options(), right), used) > 0);
}
