// Loads wrong copies of a model, each in a process of its own, and counts how they end. Not for Windows, which has no fork.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "../tools/command_line.h"
#include "engine/engine.h"
#include "gguf_mutant.h"
#include "gguf_sweep.h"

namespace {

constexpr const char* usage = "usage: hostile_models --model FILE [--first 1] [--count 100] [--seconds 20] [--show 0] [--sweep 0]";

constexpr int answered = 0;
constexpr int refused = 3;
constexpr int failed_later = 4;
constexpr int refused_as_internal = 5;

/// Runs on the only thread of the child; the engine starts its own.
class Trial {
 public:
  /// Loads `path` as both models and generates a few words. Returns how that ended.
  int run(const std::string& path) {
    nudging::EngineOptions options;
    for (const std::string name : {"base", "aligned"}) {
      nudging::EngineOptions::Lane lane;
      lane.name = name;
      lane.path = path;
      lane.gpu_layers = 0;
      options.lanes.push_back(std::move(lane));
    }
    options.threads = 1;
    options.batch = 64;
    options.parallel = 1;
    options.host_memory = std::uint64_t{4} << 30;
    nudging::Engine engine(options, [this] { wake(); });
    int outcome = refused;
    for (bool closed = false; !closed;) {
      wait();
      for (const nudging::Event& event : engine.drain()) {
        if (const auto* failure = std::get_if<nudging::LoadFailed>(&event)) outcome = say(failure->kind, failure->message, refused);
        if (const auto* failure = std::get_if<nudging::RequestFailed>(&event)) outcome = say(failure->kind, failure->message, failed_later);
        if (std::holds_alternative<std::unique_ptr<nudging::Finished>>(event)) outcome = answered;
        if (std::holds_alternative<std::unique_ptr<nudging::Loaded>>(event)) {
          engine.submit(request());
          engine.close(false);
        }
        closed = closed || std::holds_alternative<nudging::Closed>(event);
      }
    }
    return outcome;
  }

 private:
  static nudging::Request request() {
    nudging::Generation generation;
    generation.mode = nudging::Mode::nudge;
    const std::string text = "What is a  harbor?\n\tDon't ask 12345 \xC3\xA9\xE6\xB8\xAF \xF0\x9F\x99\x82\n\n  ";
    generation.prompts[0].text = std::vector<nudging::Segment>{{text, false}};
    generation.prompts[1].text =
        nudging::Chat{{{"user", text}}, "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% endfor %}", {}};
    generation.rules.gamma = 0.4F;
    generation.rules.lookahead = 4;
    generation.limits.max_tokens = 8;
    return {1, generation};
  }

  static int say(nudging::FailureKind kind, const std::string& message, int outcome) {
    std::cout << nudging::failure_code(kind) << " " << message << "\n";
    return kind == nudging::FailureKind::internal ? refused_as_internal : outcome;
  }

  void wake() {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return woken_; });
    woken_ = false;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

/// The status that waitpid gives. A child that takes longer than `seconds` ends by SIGALRM.
int in_child(const std::string& path, unsigned seconds, bool print) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    if (!print) std::cout.setstate(std::ios::failbit);
    // llama.cpp prints its assertions, and a stack by starting a debugger.
    setenv("GGML_NO_BACKTRACE", "1", 1);
    if (!print && std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // A header that asks for all memory gets an error, and not all memory.
    const rlimit memory{4ULL << 30U, 4ULL << 30U};
    setrlimit(RLIMIT_AS, &memory);
#endif
    alarm(seconds);
    const int outcome = Trial().run(path);
    std::cout.flush();
#if defined(__SANITIZE_ADDRESS__)
    // Leaks are looked for on the way out.
    std::exit(outcome);
#else
    _exit(outcome);
#endif
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

std::string outcome_of(int status) {
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? "hung" : "crashed";
  switch (WEXITSTATUS(status)) {
    case answered: return "answered";
    case refused: return "refused";
    case failed_later: return "failed";
    case refused_as_internal: return "internal";
    default: return "crashed";
  }
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::invalid_argument("cannot read " + path);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

Mutant with(GgufFile file, const Change& change) {
  change.make(file);
  return {file.write(), change.story};
}

}  // namespace

/// Prints one line a bad end, and one JSON object of counts. Exit code 1 if something crashed or hung.
int main(int count, char** arguments) {
  try {
    const CommandLine line(count, arguments, usage, {{"first", "1"}, {"count", "100"}, {"seconds", "20"}, {"show", "0"}, {"sweep", "0"}},
                           {"model"});
    const std::string original = read(line.text("model"));
    const GgufFile sound = GgufFile::parse(original);
    const std::uint64_t first = line.number("first");
    const std::uint64_t wanted = line.number("count");
    const auto seconds = static_cast<unsigned>(line.number("seconds"));
    const bool show = line.number("show") != 0;
    const std::string place = (std::filesystem::temp_directory_path() / ("nudging-hostile-" + std::to_string(getpid()) + ".gguf")).string();
    const bool sweep = line.number("sweep") != 0;
    const std::vector<Change> changes = sweep ? every_change(sound) : std::vector<Change>{};
    std::map<std::string, std::uint64_t> outcomes;
    for (std::uint64_t seed = first; seed < first + wanted && (!sweep || seed <= changes.size()); ++seed) {
      const Mutant mutant = sweep ? with(sound, changes[seed - 1]) : mutate(sound, original, seed);
      std::ofstream(place, std::ios::binary) << mutant.bytes;
      const int status = in_child(place, seconds, show);
      const std::string outcome = outcome_of(status);
      ++outcomes[outcome];
      if (show || outcome == "crashed" || outcome == "hung" || outcome == "internal")
        std::cout << outcome << " seed " << seed << ": " << mutant.story << std::endl;
    }
    std::filesystem::remove(place);
    std::string json;
    for (const auto& [outcome, times] : outcomes) json += (json.empty() ? "{\"" : ",\"") + outcome + "\":" + std::to_string(times);
    std::cout << json << "}\n";
    return outcomes.contains("crashed") || outcomes.contains("hung") ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << "hostile_models: " << error.what() << "\n";
    return 2;
  }
}
