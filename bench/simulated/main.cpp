// The engine on a GPU of stated speed: it asks the demo pair, and every pass takes as long as a big pair's takes such a GPU. Prints what
// that makes of the scheduler's choices, as JSON; `node bench/simulated.mjs` makes a table of it.
#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <fstream>
#include <locale>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../../test/tools/command_line.h"
#include "engine/engine.h"
#include "shared_gpu.h"

using namespace nudging;

namespace {

constexpr const char* usage =
    "usage: simulated_gpu --models FOLDER --questions FILE --base-times T --aligned-times T\n"
    "         [--beside 1,1]        how many times as long a pass of the base, and of the aligned model, takes beside the other's\n"
    "         [--streams 1]         requests at once\n"
    "         [--way speculative]   or base, plain\n"
    "         [--lanes apart]       or turns\n"
    "         [--slower 3]          so many times slower than stated, so that this machine's own passes weigh little\n"
    "T: what passes take, as TOKENS:MS,TOKENS:MS and so on with rising tokens; FILE: a question a line\n";

double number(std::string_view text) {
  // Not std::from_chars, which not every standard library has for fractions.
  std::istringstream digits{std::string(text)};
  double value = 0;
  digits.imbue(std::locale::classic());
  digits >> value;
  if (digits.fail() || digits.peek() != std::istringstream::traits_type::eof() || value <= 0) throw std::invalid_argument(usage);
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

PassTimes pass_times(std::string_view text, double slower) {
  PassTimes times;
  for (const std::string_view one : split(text, ',')) {
    const std::vector<std::string_view> parts = split(one, ':');
    if (parts.size() != 2) throw std::invalid_argument(usage);
    times.emplace_back(number(parts[0]), slower * number(parts[1]));
    if (times.size() > 1 && times.back().first <= times[times.size() - 2].first) throw std::invalid_argument(usage);
  }
  if (times.size() < 2) throw std::invalid_argument(usage);
  return times;
}

/// Waits for what the engine has to say.
class Ear {
 public:
  void notify() {
    const std::scoped_lock lock(mutex_);
    told_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return told_; });
    told_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

/// What was asked for and what came of it.
class Measurement {
 public:
  explicit Measurement(const CommandLine& line)
      : way_(line.text("way")), streams_(line.number("streams")), slower_(line.number("slower")), apart_(line.text("lanes") == "apart") {
    const bool known = (way_ == "base" || way_ == "plain" || way_ == "speculative") && (apart_ || line.text("lanes") == "turns");
    const std::vector<std::string_view> beside = split(line.text("beside"), ',');
    if (!known || streams_ == 0 || slower_ == 0 || beside.size() != 2) throw std::invalid_argument(usage);
    gpu_ = std::make_shared<SharedGpu>(std::array{number(beside[0]), number(beside[1])});
    std::ifstream file(line.text("questions"));
    for (std::string question; std::getline(file, question);) questions_.push_back(question);
    if (questions_.empty()) throw std::invalid_argument("no questions in \"" + line.text("questions") + "\"");
    options_.lanes.resize(2);
    for (const std::size_t lane : {base_lane, aligned_lane}) {
      const std::string name = lane == base_lane ? "base" : "aligned";
      options_.lanes[lane].name = name;
      options_.lanes[lane].path = line.text("models") + "/" + name + ".gguf";
      options_.lanes[lane].context = 256;
      times_[lane] = pass_times(line.text(name + "-times"), slower_);
    }
    options_.threads = 1;
    options_.parallel = streams_;
    options_.host_memory = 8'000'000'000;
    options_.overlap = apart_;
    options_.wrap_decoder = [this](std::size_t lane, std::unique_ptr<Decoder> decoder,
                                   Decoder::OnDone on_done) -> std::unique_ptr<Decoder> {
      return std::make_unique<SimulatedDecoder>(std::move(decoder), std::move(on_done), gpu_, lane, times_[lane], passes_[lane], apart_);
    };
  }

  void run() {
    Ear ear;
    Engine engine(options_, [&ear] { ear.notify(); });
    while (ended_ < questions_.size()) {
      ear.wait();
      for (const Event& event : engine.drain()) take(event, engine);
    }
    ms_ = milliseconds(Clock::now() - begin_) / slower_;
  }

  void print() {
    const auto middle = first_.begin() + static_cast<std::ptrdiff_t>(first_.size() / 2);
    std::nth_element(first_.begin(), middle, first_.end());
    const auto tokens = static_cast<double>(tokens_);
    const auto [one, both] = gpu_->busy();
    std::printf("{\"tokensPerSecond\":%g,\"firstMs\":%g,\"busy\":%g,\"both\":%g", 1000 * tokens / ms_, *middle / slower_,
                (one + both) / slower_ / ms_, both / slower_ / ms_);
    for (const std::size_t lane : {base_lane, aligned_lane}) {
      const auto [count, in_all, ms] = *passes_[lane];
      const double passes = std::max(static_cast<double>(count), 1.0);
      std::printf(",\"%s\":{\"passesPerToken\":%g,\"tokensPerPass\":%g,\"msPerPass\":%g}", options_.lanes[lane].name.c_str(),
                  static_cast<double>(decodes_[lane]) / tokens, static_cast<double>(in_all) / passes, ms / passes / slower_);
    }
    std::printf("}\n");
  }

 private:
  void take(const Event& event, Engine& engine) {
    if (std::holds_alternative<std::unique_ptr<Loaded>>(event)) {
      begin_ = Clock::now();
      for (std::uint32_t i = 0; i < streams_; ++i) ask(engine);
    }
    if (const auto* failed = std::get_if<LoadFailed>(&event)) throw std::runtime_error(failed->message);
    if (const auto* failed = std::get_if<RequestFailed>(&event)) throw std::runtime_error(failed->message);
    if (const auto* finished = std::get_if<std::unique_ptr<Finished>>(&event)) {
      const GenerationStats& stats = (*finished)->stats;
      ++ended_;
      tokens_ += stats.tokens;
      first_.push_back(stats.first_piece_ms);
      for (const std::size_t lane : {base_lane, aligned_lane}) decodes_[lane] += stats.lanes[lane].decodes;
      ask(engine);
    }
  }

  void ask(Engine& engine) {
    if (asked_ == questions_.size()) return;
    const std::string& text = questions_[asked_];
    Generation generation;
    generation.prompts[base_lane].text = std::vector<Segment>{{"Question: " + text + "\nAnswer:\n", false}};
    generation.prompts[aligned_lane].text = Chat{{{"user", text}}, std::nullopt, {}};
    generation.rules.gamma = 0.3F;
    generation.limits.max_tokens = 48;
    if (way_ == "base") generation.mode = Mode::base;
    if (way_ != "speculative") generation.speculation.guesses = Speculation::Guesses::none;
    engine.submit({static_cast<RequestId>(asked_++), std::move(generation)});
  }

  std::string way_;
  std::uint32_t streams_;
  double slower_;
  bool apart_;
  EngineOptions options_;
  std::vector<std::string> questions_;
  std::array<PassTimes, 2> times_;
  std::shared_ptr<SharedGpu> gpu_;
  std::array<std::shared_ptr<SimulatedDecoder::Passes>, 2> passes_ = {std::make_shared<SimulatedDecoder::Passes>(),
                                                                      std::make_shared<SimulatedDecoder::Passes>()};
  std::size_t asked_ = 0;
  std::size_t ended_ = 0;
  std::uint64_t tokens_ = 0;
  std::array<std::uint64_t, 2> decodes_{};
  std::vector<double> first_;
  Clock::time_point begin_;
  double ms_ = 0;
};

}  // namespace

int main(int count, char** words) {
  try {
    const CommandLine line(count, words, usage,
                           {{"beside", "1,1"}, {"streams", "1"}, {"way", "speculative"}, {"lanes", "apart"}, {"slower", "3"}},
                           {"models", "questions", "base-times", "aligned-times"});
    Measurement measurement(line);
    measurement.run();
    measurement.print();
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "%s\n", wrong.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
