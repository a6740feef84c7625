#include "nudge/paper.h"

#include <coroutine>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"

using namespace nudging;

namespace {

constexpr std::string_view end_of_text = "<end>";

/// A model with a table of what it finds likely after each context, the likeliest first; it is asked about nothing else.
class TableLane final : public Lane {
 public:
  TableLane& after(const std::string& text, std::vector<LikelyText> likely) {
    tables_[text] = std::move(likely);
    return *this;
  }
  const std::vector<LikelyText>& likely() const {
    const auto found = tables_.find(context_);
    if (found == tables_.end()) throw std::runtime_error("not in the tables: \"" + context_ + "\"");
    return found->second;
  }

  void set_text(std::string_view text) override { context_ = text; }
  /// Its only token that can be pushed is the one that it has just said.
  void push(Token) override { context_ += likely().front().bytes; }
  void pop(std::size_t) override { throw std::logic_error("windows only grow"); }

  /// Every context that it was asked about.
  std::vector<std::string> questions;

 protected:
  bool answered(Wanted) override {
    questions.push_back(context_);
    return true;
  }
  void ask(Wanted, std::coroutine_handle<>) override { throw std::logic_error("tables answer at once"); }
  std::span<const float> logits() override { return {}; }
  Top1 answer() override {
    const LikelyText& first = likely().front();
    Top1 top1;
    top1.probability = first.probability;
    top1.margin = 10;
    top1.ends = first.bytes == end_of_text;
    if (!top1.ends) top1.bytes = first.bytes;
    return top1;
  }

 private:
  std::map<std::string, std::vector<LikelyText>> tables_;
  std::string context_;
};

class Tables final : public Likeliest {
 public:
  std::vector<LikelyText> of(Lane& lane) override { return dynamic_cast<TableLane&>(lane).likely(); }
};

struct Run {
  TableLane base;
  TableLane aligned;
  TableLane reference;
  Limits limits;
  std::string text;
  std::size_t used = 0;

  StopReason run(std::vector<Lane*> lanes, std::size_t lookahead) {
    Answer answer(limits);
    Record record;
    Tables tables;
    auto task = decode_as_in_paper(std::move(lanes), tables, lookahead, answer, record);
    task.start();
    CHECK(task.done());
    const StopReason reason = task.take();
    text = answer.text();
    used = answer.mixed_tokens();
    return reason;
  }
  StopReason ensemble(std::size_t lookahead) { return run({&base, &aligned}, lookahead); }
  StopReason proxy_tuning(std::size_t lookahead) { return run({&base, &aligned, &reference}, lookahead); }
};

}  // namespace

TEST("R38: a window ends behind the first token that is not what both models say, and the aligned model's end ends all") {
  Run run;
  run.base.after("", {{"a", 0.6F}}).after("a", {{" b", 0.5F}, {" c", 0.4F}}).after("a b", {{" d", 0.9F}}).after("a c", {{" f", 0.99F}});
  run.aligned.after("", {{"a", 0.9F}}).after("a", {{" c", 0.6F}, {" b", 0.2F}});
  run.aligned.after("a c", {{" e", 0.9F}}).after("a c e", {{end_of_text, 1}});
  CHECK_EQUAL(run.ensemble(3), StopReason::end);
  CHECK_EQUAL(run.text, "a c e");
  CHECK_EQUAL(run.used, 3U);
  // Where the aligned model has ended, nobody else is asked.
  CHECK(run.base.questions == std::vector<std::string>({"", "a"}));
  CHECK(run.aligned.questions == std::vector<std::string>({"", "a", "a c", "a c", "a c e"}));
}

TEST("R38: the base's end ends its window, not the answer") {
  Run run;
  run.base.after("", {{"a", 0.6F}}).after("a", {{end_of_text, 0.9F}});
  run.aligned.after("", {{"a", 0.9F}}).after("a", {{"b", 0.9F}}).after("ab", {{end_of_text, 1}});
  CHECK_EQUAL(run.ensemble(2), StopReason::end);
  CHECK_EQUAL(run.text, "ab");
}

TEST("R38: proxy tuning takes what p times q over a is highest of, and what the base says where the three have nothing in common") {
  Run run;
  run.base.after("", {{"x", 0.5F}, {"y", 0.4F}}).after("y", {{"q", 0.9F}, {"r", 0.1F}});
  run.aligned.after("", {{"y", 0.6F}, {"x", 0.3F}}).after("y", {{"r", 0.9F}}).after("yr", {{"z", 0.9F}}).after("yq", {{end_of_text, 1}});
  run.reference.after("", {{"x", 0.6F}, {"y", 0.1F}}).after("y", {{"s", 0.9F}, {"q", 0.1F}});
  CHECK_EQUAL(run.proxy_tuning(1), StopReason::end);
  CHECK_EQUAL(run.text, "yq");
}

TEST("R38: no window is longer than what is left of the budget") {
  Run run;
  for (TableLane* lane : {&run.base, &run.aligned}) lane->after("", {{"a", 0.6F}}).after("a", {{"b", 0.6F}});
  run.limits.max_tokens = 2;
  CHECK_EQUAL(run.ensemble(16), StopReason::length);
  CHECK_EQUAL(run.text, "ab");
  CHECK_EQUAL(run.used, 2U);
}
