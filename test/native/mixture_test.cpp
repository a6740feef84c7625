#include "nudge/mixture.h"

#include <deque>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check.h"

using namespace nudging;

namespace {

/// A model that answers when the test says so.
class PatientLane final : public Lane {
 public:
  void set_text(std::string_view text) override { context = text; }
  void push(Token token) override { context += static_cast<char>('a' + token); }
  void pop(std::size_t tokens) override { context.resize(context.size() - tokens); }
  void withdraw() override {
    asker_ = nullptr;
    ++withdrawn;
  }

  bool waits() const { return asker_ != nullptr; }
  void say(std::vector<float> said) {
    if (asker_ == nullptr) throw std::logic_error("nobody has asked");
    logits_ = std::move(said);
    std::exchange(asker_, nullptr).resume();
  }
  /// As a lane does whose request leaves its place.
  void lose() { logits_.clear(); }

  std::string context;
  std::size_t asked = 0;
  std::size_t withdrawn = 0;

 protected:
  bool answered(Wanted) override {
    ++asked;
    return !logits_.empty() && known_ == context;
  }
  void ask(Wanted, std::coroutine_handle<> asker) override {
    asker_ = asker;
    known_ = context;
    logits_.clear();
  }
  Top1 answer() override { return {}; }
  std::span<const float> logits() override { return logits_; }

 private:
  std::coroutine_handle<> asker_;
  std::string known_ = "?";
  std::vector<float> logits_;
};

/// The token that the lanes' first logits add up to; 25 ends.
class Sum final : public Mixer {
 public:
  explicit Sum(std::vector<Lane*> lanes) : lanes_(std::move(lanes)) {}
  /// The second lane is asked only where the first says more than 10.
  bool lazy = false;
  std::size_t first() const override { return lazy ? 1 : 2; }
  bool needs_others() override { return said_by(0) > 10; }
  Mixed mix() override {
    float sum = said_by(0);
    const bool both = !lazy || needs_others();
    if (both) sum += said_by(1);
    Top1 top1;
    top1.token = static_cast<Token>(sum);
    top1.probability = 0.5F;
    top1.margin = 1;
    top1.ends = top1.token == 25;
    top1.bytes = said_.emplace_back(1, static_cast<char>('a' + top1.token));
    return {top1, !lazy ? Source::mix : both ? Source::nudge : Source::base, 0.5F, sum == 3};
  }

 private:
  float said_by(std::size_t place) {
    const std::span<const float> logits = lanes_[place]->last_logits();
    if (logits.empty()) throw std::logic_error("mixed without its logits");
    return logits[0];
  }

  std::vector<Lane*> lanes_;
  std::deque<std::string> said_;
};

struct Run {
  PatientLane first;
  PatientLane second;
  std::vector<Lane*> lanes{&first, &second};
  Sum mixer{lanes};
  Answer answer;
  Record record;
  std::optional<Task<StopReason>> task;

  explicit Run(Limits limits = {}, bool lazy = false) : answer(std::move(limits)) {
    mixer.lazy = lazy;
    task.emplace(decode_together(lanes, mixer, answer, record));
    task->start();
  }
};

}  // namespace

TEST("R33: all models are asked before any has answered, and each goes on with the token of all") {
  Run run;
  CHECK(run.first.waits() && run.second.waits());
  run.second.say({2});
  CHECK(!run.second.waits() && run.answer.text().empty());
  run.first.say({1});
  CHECK_EQUAL(run.answer.text(), "d");
  CHECK_EQUAL(run.first.context, "d");
  CHECK_EQUAL(run.second.context, "d");
  CHECK(run.first.waits() && run.second.waits());
  run.first.say({20});
  run.second.say({5});
  CHECK(run.task->done());
  CHECK_EQUAL(run.task->take(), StopReason::end);
  CHECK_EQUAL(run.answer.text(), "d");
  CHECK_EQUAL(run.answer.mixed_tokens(), 1U);
  CHECK_EQUAL(run.answer.base_tokens(), 0U);
  CHECK_EQUAL(run.answer.pieces()[0].source, Source::mix);
  CHECK_EQUAL(run.answer.rounds()[0].base, "d");
  // The first of the two was closer than what other company may move.
  CHECK_EQUAL(run.record.ties(), 1U);
}

TEST("R33: a model that has lost what it said while another one was waited for is asked again") {
  Run run;
  run.first.say({1});
  run.first.lose();
  run.second.say({2});
  CHECK(run.answer.text().empty());
  CHECK(run.first.waits() && !run.second.waits());
  run.first.say({3});
  CHECK_EQUAL(run.answer.text(), "f");
}

TEST("R33: the budget and stop strings end it") {
  Limits limits;
  limits.max_tokens = 2;
  Run run(limits);
  for (int i = 0; i < 2; ++i) {
    run.first.say({1});
    run.second.say({1});
  }
  CHECK_EQUAL(run.task->take(), StopReason::length);
  CHECK_EQUAL(run.answer.text(), "cc");

  limits = {};
  limits.stop = {"cd"};
  Run stopped(limits);
  stopped.first.say({1});
  stopped.second.say({1});
  stopped.first.say({1});
  stopped.second.say({2});
  CHECK_EQUAL(stopped.task->take(), StopReason::stop);
  CHECK_EQUAL(stopped.answer.text(), "");
}

TEST("R33: what is not answered is taken back when the request ends, and nothing else") {
  Run run;
  run.first.say({1});
  run.task.reset();
  CHECK_EQUAL(run.first.withdrawn, 0U);
  CHECK_EQUAL(run.second.withdrawn, 1U);
}

TEST("R35: the second model is asked only where it is needed, and rounds tell whose the tokens are") {
  Run run({}, true);
  CHECK(run.first.waits() && !run.second.waits());
  run.first.say({1});
  run.first.say({12});
  CHECK(!run.first.waits() && run.second.waits());
  CHECK_EQUAL(run.second.context, "b");
  // What the first has said is lost meanwhile.
  run.first.lose();
  run.second.say({-9});
  CHECK_EQUAL(run.answer.text(), "b");
  run.first.say({12});
  CHECK_EQUAL(run.answer.text(), "bd");
  run.first.say({11});
  run.second.say({-9});
  run.first.say({4});
  run.first.say({11});
  run.second.say({-6});
  run.first.say({25});
  run.second.say({0});
  CHECK_EQUAL(run.task->take(), StopReason::end);
  std::string rounds;
  for (const Round& round : run.answer.rounds()) rounds += "[" + round.words + "|" + round.base + (round.by == By::confident ? "!]" : "]");
  CHECK_EQUAL(rounds, "[|b][dc|e!][f|]");
  CHECK_EQUAL(run.second.asked, 4U);
  CHECK_EQUAL(run.answer.base_tokens(), 2U);
  CHECK_EQUAL(run.answer.mixed_tokens(), 0U);
}
