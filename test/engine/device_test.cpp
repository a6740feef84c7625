#include "backend/device.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <chrono>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "check.h"
#include "engine/engine.h"
#include "basics/failure.h"
#include "llama.h"

using namespace nudging;

namespace {

/// Set to make the next wait for the device fail as CUDA's would: the linker puts `__wrap_llama_synchronize` in the place of llama.cpp's
/// function.
std::atomic<bool> device_fails = false;
std::atomic<int> freed = 0;

}  // namespace

extern "C" {
void __real_llama_synchronize(llama_context* context);
void __wrap_llama_synchronize(llama_context* context) {
  if (device_fails) on_device_error("an illegal instruction was encountered");
  __real_llama_synchronize(context);
}
void __real_llama_free(llama_context* context);
void __wrap_llama_free(llama_context* context) {
  ++freed;
  __real_llama_free(context);
}
}

namespace {

/// Runs something in a process of its own, since a failed device is failed for good; what it returns, or 100 and the signal that ended it.
int in_a_process(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct Told {
  std::vector<Event> events;
  template <typename T>
  const T* find() const {
    for (const Event& event : events) {
      if (const T* found = std::get_if<T>(&event)) return found;
    }
    return nullptr;
  }
};

/// What an engine says until there is a `T`, or its place is taken by another end.
template <typename T>
Told until(Engine& engine) {
  Told told;
  const auto ended = [&told] {
    return told.find<T>() != nullptr || told.find<LoadFailed>() != nullptr || told.find<RequestFailed>() != nullptr ||
           told.find<std::unique_ptr<Finished>>() != nullptr;
  };
  while (!ended()) {
    for (Event& event : engine.drain()) told.events.push_back(std::move(event));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return told;
}

EngineOptions demo() {
  EngineOptions options;
  const std::string folder = NUDGING_DEMO_MODELS;
  options.lanes.resize(2);
  options.lanes[0].name = "base";
  options.lanes[1].name = "aligned";
  options.lanes[0].path = folder + "/base.gguf";
  options.lanes[1].path = folder + "/aligned.gguf";
  options.lanes[0].context = options.lanes[1].context = 64;
  options.parallel = 1;
  options.host_memory = 1ULL << 32;
  return options;
}

/// Another one for each id: what is asked again is known without a pass.
Request question(RequestId id) {
  Generation generation;
  generation.mode = Mode::base;
  generation.prompts[0].text = std::vector<Segment>{{"Question: What is a harbor, " + std::to_string(id) + "?\nAnswer:\n", true}};
  generation.limits.max_tokens = 4;
  return {id, std::move(generation)};
}

}  // namespace

TEST("device: an error is thrown where exceptions may pass, and left to llama.cpp elsewhere") {
  const int code = in_a_process([] {
    if (device_failed()) return 1;
    on_device_error("first");
    // Nobody was ready for it.
    if (!device_failed()) return 2;
    const DeviceErrorsThrown outer;
    for (int i = 0; i < 2; ++i) {
      const DeviceErrorsThrown inner;
      try {
        on_device_error("second");
        return 3;
      } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::device_failed || std::string(failure.what()).find("(second)") == std::string::npos) return 4;
      }
    }
    bool other_thread_returned = false;
    std::thread([&] {
      on_device_error("third");
      other_thread_returned = true;
    }).join();
    if (!other_thread_returned) return 5;
    struct FreesWhatIsLost {
      ~FreesWhatIsLost() { on_device_error("fourth"); }
    };
    try {
      const FreesWhatIsLost guard;
      on_device_error("fifth");
    } catch (const Failure&) {
      return 0;
    }
    return 6;
  });
  CHECK_EQUAL(code, 0);
}

TEST(
    "device: one that fails while it decodes fails that request and the next; what is on it is not freed, closing ends, and nothing can be "
    "loaded after it") {
  const int code = in_a_process([] {
    {
      Engine engine(demo(), [] {});
      if (until<std::unique_ptr<Loaded>>(engine).find<std::unique_ptr<Loaded>>() == nullptr) return 1;
      engine.submit(question(1));
      if (until<std::unique_ptr<Finished>>(engine).find<std::unique_ptr<Finished>>() == nullptr) return 2;
      freed = 0;
      device_fails = true;
      for (const RequestId id : {2U, 3U}) {
        engine.submit(question(id));
        const Told told = until<RequestFailed>(engine);
        const RequestFailed* failed = told.find<RequestFailed>();
        if (failed == nullptr || failed->id != id || failed->kind != FailureKind::device_failed) return 3;
        const std::string wanted = id == 2 ? "illegal instruction" : "earlier";
        if (failed->message.find(wanted) == std::string::npos) return 4;
      }
      engine.close(false);
      until<Closed>(engine);
    }
    if (freed != 0) return 5;
    device_fails = false;
    Engine engine(demo(), [] {});
    const Told told = until<std::unique_ptr<Loaded>>(engine);
    return told.find<LoadFailed>() != nullptr && told.find<LoadFailed>()->kind == FailureKind::device_failed ? 0 : 6;
  });
  CHECK_EQUAL(code, 0);
}

TEST("device: CUDA graphs are for those who ask for them") {
  for (const char* no : {static_cast<const char*>(nullptr), "", "0", "OFF"}) CHECK(!wants_cuda_graphs(no));
  for (const char* yes : {"1", "ON", "yes"}) CHECK(wants_cuda_graphs(yes));
}
