#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "check.h"
#include "engine/engine.h"
#include "basics/failure.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;

/// A lane that is far away: it takes so many milliseconds longer, and may fail some of its passes.
class SlowDecoder final : public Decoder {
 public:
  /// `busy`: how many lanes work on the device that they share, where they do; one that begins beside another takes three times as long.
  SlowDecoder(std::unique_ptr<Decoder> inner, OnDone on_done, std::chrono::microseconds delay, std::size_t fails_at,
              std::size_t fails_until, std::shared_ptr<std::atomic<int>> busy = nullptr)
      : inner_(std::move(inner)),
        on_done_(std::move(on_done)),
        delay_(delay),
        fails_at_(fails_at),
        fails_until_(fails_until),
        busy_(std::move(busy)) {}
  ~SlowDecoder() override {
    if (thread_.joinable()) thread_.join();
  }

  void start(Pass pass) override {
    if (thread_.joinable()) thread_.join();
    done_ = false;
    thread_ = std::thread([this, moved = std::move(pass)]() mutable {
      const Clock::time_point begin = Clock::now();
      const Clock::duration took = wait();
      if (++passes_ >= fails_at_ && passes_ < fails_until_) {
        result_ = PassResult{};
        result_.failure = std::make_exception_ptr(Failure(FailureKind::decode_failed, "the line is down"));
      } else {
        inner_->start(std::move(moved));
        // Whoever is behind it works on this thread, or tells when it is done.
        while (!inner_->done()) std::this_thread::yield();
        result_ = inner_->collect();
        // Stated, not measured: what is decoded ahead depends on it, and the machine that runs this may be busy.
        result_.begin = begin;
        if (took.count() > 0) result_.end = begin + took;
      }
      done_.store(true, std::memory_order_release);
      on_done_();
    });
  }
  bool done() const override { return done_.load(std::memory_order_acquire); }
  PassResult collect() override {
    done_ = false;
    return std::move(result_);
  }
  bool apart() const override { return true; }

 private:
  /// Returns what the device would have taken.
  Clock::duration wait() {
    const bool slowed = busy_ && ++*busy_ > 1;
    const auto took = slowed ? 3 * delay_ : delay_;
    std::this_thread::sleep_for(took);
    if (busy_) --*busy_;
    return took;
  }

  std::unique_ptr<Decoder> inner_;
  OnDone on_done_;
  std::chrono::microseconds delay_;
  /// Passes that fail, counted from 1: from the first number on, up to the second.
  std::size_t fails_at_;
  std::size_t fails_until_;
  std::shared_ptr<std::atomic<int>> busy_;
  std::size_t passes_ = 0;
  PassResult result_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

/// Collects what an engine says, until all requests have ended.
class Listener {
 public:
  void attach(Engine& engine) { engine_ = &engine; }
  void notify() {
    const std::scoped_lock lock(mutex_);
    told_ = true;
    changed_.notify_one();
  }
  /// Returns when `count` requests have ended.
  void wait_for(std::size_t count) {
    while (finished.size() + failed.size() < count && !closed) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return told_; });
        told_ = false;
      }
      for (Event& event : engine_->drain()) {
        if (auto* one = std::get_if<std::unique_ptr<Finished>>(&event)) finished.emplace((*one)->id, std::move(*one));
        if (auto* one = std::get_if<RequestFailed>(&event)) failed.emplace(one->id, one->message);
        if (auto* one = std::get_if<LoadFailed>(&event)) load_failure = one->message;
        if (std::holds_alternative<Closed>(event)) closed = true;
      }
    }
  }
  std::map<RequestId, std::unique_ptr<Finished>> finished;
  std::map<RequestId, std::string> failed;
  std::string load_failure;
  bool closed = false;

 private:
  Engine* engine_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

EngineOptions demo_options() {
  EngineOptions options;
  options.lanes.resize(2);
  options.lanes[base_lane].name = "base";
  options.lanes[base_lane].path = demo + "/base.gguf";
  options.lanes[aligned_lane].name = "aligned";
  options.lanes[aligned_lane].path = demo + "/aligned.gguf";
  options.threads = 1;
  options.parallel = 4;
  options.host_memory = 4'000'000'000;
  return options;
}

Request question(RequestId id, const std::string& text) {
  Generation generation;
  generation.prompts[base_lane].text = std::vector<Segment>{{"Question: " + text + "\nAnswer:\n", false}};
  generation.prompts[aligned_lane].text = Chat{{{"user", text}}, std::nullopt, {}};
  generation.rules.gamma = 0.4F;
  generation.rules.lookahead = 16;
  generation.limits.max_tokens = 60;
  generation.trace = true;
  return {id, std::move(generation)};
}

/// Both models together, token by token.
Request mixed_question(RequestId id, const std::string& text) {
  Request request = question(id, text);
  auto& generation = std::get<Generation>(request.work);
  generation.mode = Mode::ensemble;
  generation.weights = {1, 1};
  generation.limits.max_tokens = 24;
  return request;
}

const std::vector<std::string> questions = {"What is a harbor?", "What is a violin?",  "What is a lantern?",
                                            "What is bread?",    "What is a glacier?", "What is a harbor good for?"};

struct Told {
  std::string text;
  std::vector<float> probabilities;
  std::vector<Token> tokens;
  bool operator==(const Told&) const = default;
};

Told told(const Finished& finished) {
  Told all{finished.text, {}, {}};
  for (const Decision& decision : finished.decisions) {
    all.probabilities.push_back(decision.top1.probability);
    all.tokens.push_back(decision.top1.token);
  }
  return all;
}

struct Run {
  std::map<RequestId, Told> answers;
  std::map<RequestId, std::string> failed;
  std::vector<LaneStats> stats;
};

/// All questions at once, so many times.
Run ask_all(EngineOptions options, RequestId times = 1, Request (*ask)(RequestId, const std::string&) = question) {
  Listener listener;
  Engine engine(std::move(options), [&listener] { listener.notify(); });
  listener.attach(engine);
  const RequestId count = times * static_cast<RequestId>(questions.size());
  for (RequestId id = 0; id < count; ++id) engine.submit(ask(id, questions[id % questions.size()]));
  listener.wait_for(count);
  CHECK_EQUAL(listener.load_failure, "");
  Run run;
  run.failed = listener.failed;
  for (const auto& [id, finished] : listener.finished) {
    run.answers[id] = told(*finished);
    run.stats.push_back(finished->stats.lanes[base_lane]);
  }
  return run;
}

EngineOptions with_latency(std::chrono::microseconds base, std::chrono::microseconds aligned, std::size_t fails_at = 0,
                           std::size_t fails_until = 0) {
  EngineOptions options = demo_options();
  options.overlap = true;
  options.wrap_decoder = [=](std::size_t lane, std::unique_ptr<Decoder> decoder, Decoder::OnDone on_done) -> std::unique_ptr<Decoder> {
    return std::make_unique<SlowDecoder>(std::move(decoder), std::move(on_done), lane == base_lane ? base : aligned,
                                         lane == base_lane ? fails_at : 0, lane == base_lane ? fails_until : 0);
  };
  return options;
}

}  // namespace

TEST("lanes at work: answers are the same whether lanes take turns, have threads of their own, or are far away") {
  const Run turns = ask_all(demo_options());
  CHECK_EQUAL(turns.answers.size(), questions.size());
  EngineOptions threads = demo_options();
  threads.overlap = true;
  CHECK(ask_all(threads).answers == turns.answers);
  using std::chrono::microseconds;
  for (const auto& [base, aligned] : {std::pair(microseconds(3000), microseconds(300)), std::pair(microseconds(300), microseconds(3000)),
                                      std::pair(microseconds(0), microseconds(0))}) {
    const Run run = ask_all(with_latency(base, aligned));
    CHECK(run.failed.empty());
    CHECK(run.answers == turns.answers);
  }
}

TEST("lanes at work: the base reads along while the aligned model drafts, and has its answers at hand then") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::chrono::milliseconds far(60);  // a pass of the base takes some milliseconds more
#else
  constexpr std::chrono::milliseconds far(8);
#endif
  const Run run = ask_all(with_latency(std::chrono::microseconds(200), far));
  std::uint64_t remembered = 0;
  std::uint64_t asked = 0;
  for (const LaneStats& stats : run.stats) {
    remembered += stats.remembered;
    asked += stats.questions;
  }
  const Run turns = ask_all(demo_options());
  std::uint64_t remembered_in_turns = 0;
  for (const LaneStats& stats : turns.stats) remembered_in_turns += stats.remembered;
  CHECK(asked > 0);
  // If it stopped at the first answer, it would be a few more.
  CHECK(remembered > 2 * remembered_in_turns);
}

TEST("lanes at work: on a device that both lanes share, the base does not read along at the draft's expense") {
  // Passes of a millisecond, and of three beside another one.
  const Run good = ask_all(demo_options(), 5);
  const auto passes_of = [&good](bool shared) {
    EngineOptions options = demo_options();
    options.overlap = true;
    options.parallel = 1;
    const auto busy = std::make_shared<std::atomic<int>>(0);
    options.wrap_decoder = [=](std::size_t, std::unique_ptr<Decoder> decoder, Decoder::OnDone on_done) -> std::unique_ptr<Decoder> {
      return std::make_unique<SlowDecoder>(std::move(decoder), std::move(on_done), std::chrono::microseconds(1000), 0, 0,
                                           shared ? busy : nullptr);
    };
    const Run run = ask_all(std::move(options), 5);
    CHECK(run.answers == good.answers);
    std::uint64_t decodes = 0;
    for (const LaneStats& stats : run.stats) decodes += stats.decodes;
    return decodes;
  };
  const std::uint64_t apart = passes_of(false);
  const std::uint64_t shared = passes_of(true);
  std::uint64_t turns = 0;
  for (const LaneStats& stats : good.stats) turns += stats.decodes;
  // The first drafts are read along with, to find out. Lanes that take turns have the fewest passes.
  CHECK(shared < (turns + 3 * apart) / 4);
}

TEST("lanes at work: a pass that fails ends the requests that waited for it, and no others") {
  const Run good = ask_all(demo_options());
  const auto run_with = [&](std::size_t fails_at, std::size_t fails_until) {
    Run run = ask_all(with_latency(std::chrono::microseconds(300), std::chrono::microseconds(300), fails_at, fails_until));
    CHECK_EQUAL(run.failed.size() + run.answers.size(), questions.size());
    for (const auto& [id, message] : run.failed) CHECK_EQUAL(message, "the line is down");
    for (const auto& [id, answer] : run.answers) CHECK(answer == good.answers.at(id));
    return run;
  };
  // What nobody waits for yet, as a prompt that is read while the draft is made, is decoded again.
  for (const std::size_t at : {2, 5, 20}) CHECK(!run_with(at, at + 1).answers.empty());
  // The base's first pass is for those whose drafts have begun, all of which read along.
  CHECK(run_with(1, 2).failed.empty());
  CHECK_EQUAL(run_with(1, 100'000).failed.size(), questions.size());
  CHECK(!run_with(30, 100'000).failed.empty());
}

TEST("lanes at work: requests end, are cancelled and parked while passes for them are under way") {
  const Run good = ask_all(demo_options());
  for (int turn = 0; turn < 6; ++turn) {
    Listener listener;
    Engine engine(with_latency(std::chrono::microseconds(turn * 200), std::chrono::microseconds(1000)), [&listener] { listener.notify(); });
    listener.attach(engine);
    for (RequestId id = 0; id < questions.size(); ++id) engine.submit(question(id, questions[id]));
    for (int step = 0; step < 20; ++step) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      // Parked requests leave their places to those that wait.
      for (const RequestId id : {0U, 1U, 2U}) engine.park(id, step % 2 == 0);
      if (step == 10 + turn) engine.cancel(3);
    }
    for (const RequestId id : {0U, 1U, 2U}) engine.park(id, false);
    listener.wait_for(questions.size());
    CHECK_EQUAL(listener.finished.size(), questions.size());
    for (const auto& [id, finished] : listener.finished) {
      if (finished->reason == StopReason::aborted) {
        CHECK(good.answers.at(id).text.starts_with(finished->text));
      } else {
        CHECK(told(*finished) == good.answers.at(id));
      }
    }
  }
}

TEST("lanes at work: what a pass under way says to a request that has ended is not believed by the next in its place") {
  const auto by_base = [](RequestId id, const std::string& text, float temperature = 0) {
    Request request = question(id, text);
    auto& generation = std::get<Generation>(request.work);
    generation.mode = Mode::base;
    generation.limits.max_tokens = 5;
    generation.sampling.temperature = temperature;
    return request;
  };
  const auto alone = [&by_base](EngineOptions options, std::vector<Request> requests, std::optional<RequestId> cancelled) {
    options.parallel = 1;
    Listener listener;
    Engine engine(std::move(options), [&listener] { listener.notify(); });
    listener.attach(engine);
    // Once this has ended, all is loaded.
    engine.submit(by_base(0, "1 2 3"));
    listener.wait_for(1);
    for (Request& request : requests) {
      const RequestId id = request.id;
      engine.submit(std::move(request));
      // Its prompt is being decoded.
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      if (id == cancelled) engine.cancel(id);
    }
    listener.wait_for(1 + requests.size());
    std::map<RequestId, std::string> texts;
    for (const auto& [id, finished] : listener.finished) texts[id] = finished->text;
    return texts;
  };
  auto likeliest = alone(demo_options(), {by_base(1, questions[0])}, {});
  auto drawn = alone(demo_options(), {by_base(2, questions[0], 3)}, {});
  CHECK(likeliest[1].substr(0, 2) != drawn[2].substr(0, 2));
  auto after = alone(with_latency(std::chrono::milliseconds(100), std::chrono::microseconds(0)),
                     {by_base(1, questions[0]), by_base(2, questions[0], 3)}, 1);
  CHECK_EQUAL(after[1], "");
  CHECK_EQUAL(after[2], drawn[2]);
}

TEST("lanes at work: an engine that is abandoned ends while passes are under way") {
  for (int turn = 0; turn < 5; ++turn) {
    Listener listener;
    Engine engine(with_latency(std::chrono::microseconds(1000), std::chrono::microseconds(1000)), [&listener] { listener.notify(); });
    listener.attach(engine);
    for (RequestId id = 0; id < questions.size(); ++id) engine.submit(question(id, questions[id]));
    std::this_thread::sleep_for(std::chrono::milliseconds(300 * turn));
  }
}

TEST("lanes at work: a further model is loaded beside the pair, and answers for its own place") {
  EngineOptions options = demo_options();
  options.lanes.push_back(options.lanes[aligned_lane]);
  options.lanes.back().name = "other";
  Listener listener;
  Engine engine(std::move(options), [&listener] { listener.notify(); });
  listener.attach(engine);
  engine.submit(question(1, questions[0]));
  listener.wait_for(1);
  CHECK(told(*listener.finished.at(1)) == ask_all(demo_options()).answers.at(0));
  CHECK_EQUAL(listener.finished.at(1)->stats.lanes.size(), 3U);
  Inspection inspection;
  inspection.lane = 7;
  inspection.prompt.text = std::vector<Segment>{{"Hello", false}};
  engine.submit({2, inspection});
  listener.wait_for(2);
  CHECK(listener.failed.at(2).find("lane 7") != std::string::npos);
}

TEST("lanes at work: models that are mixed decode the same token side by side, and say what they say in turns") {
  const Run turns = ask_all(demo_options(), 1, mixed_question);
  CHECK_EQUAL(turns.answers.size(), questions.size());
  EngineOptions threads = demo_options();
  threads.overlap = true;
  CHECK(ask_all(threads, 1, mixed_question).answers == turns.answers);

  // Of each token, the passes of both models lie in the same ten milliseconds.
  EngineOptions far = with_latency(std::chrono::milliseconds(10), std::chrono::milliseconds(10));
  far.parallel = 1;
  Listener listener;
  Engine engine(std::move(far), [&listener] { listener.notify(); });
  listener.attach(engine);
  engine.submit(mixed_question(0, questions[0]));
  listener.wait_for(1);
  const Finished& finished = *listener.finished.at(0);
  CHECK(told(finished) == turns.answers.at(0));
  std::size_t beside = 0;
  std::size_t passes = 0;
  for (const DecodeSpan& base : finished.spans) {
    if (base.lane != "base") continue;
    ++passes;
    for (const DecodeSpan& other : finished.spans) {
      if (other.lane == "aligned" && other.begin_ms < base.end_ms && base.begin_ms < other.end_ms) {
        ++beside;
        break;
      }
    }
  }
  CHECK(passes > 10);
  CHECK(beside >= passes - 1);
}

TEST("lanes at work: mixed requests end, are cancelled and parked, and fail alone where a pass fails") {
  const Run good = ask_all(demo_options(), 1, mixed_question);
  for (int turn = 0; turn < 4; ++turn) {
    Listener listener;
    Engine engine(with_latency(std::chrono::microseconds(turn * 300), std::chrono::microseconds(1000)), [&listener] { listener.notify(); });
    listener.attach(engine);
    for (RequestId id = 0; id < questions.size(); ++id) engine.submit(mixed_question(id, questions[id]));
    for (int step = 0; step < 20; ++step) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      // Lanes that have answered lose their logits with their places.
      for (const RequestId id : {0U, 1U, 2U}) engine.park(id, step % 2 == 0);
      if (step == 10 + turn) engine.cancel(3);
    }
    for (const RequestId id : {0U, 1U, 2U}) engine.park(id, false);
    listener.wait_for(questions.size());
    CHECK_EQUAL(listener.finished.size(), questions.size());
    for (const auto& [id, finished] : listener.finished) {
      if (finished->reason == StopReason::aborted) {
        CHECK(good.answers.at(id).text.starts_with(finished->text));
      } else {
        CHECK(told(*finished) == good.answers.at(id));
      }
    }
  }
  const Run failing = ask_all(with_latency(std::chrono::microseconds(300), std::chrono::microseconds(900), 8, 9), 1, mixed_question);
  CHECK_EQUAL(failing.failed.size() + failing.answers.size(), questions.size());
  CHECK(!failing.failed.empty() && !failing.answers.empty());
  for (const auto& [id, answer] : failing.answers) CHECK(answer == good.answers.at(id));
}
