#include "nudge/mixture.h"

#include <algorithm>
#include <string>

namespace nudging {

namespace {

struct Done {};

Task<Done> ask(Lane& lane) {
  co_await lane.distribution();
  co_return Done{};
}

/// One question to each lane, under way at the same time.
class Questions {
 public:
  explicit Questions(const std::vector<Lane*>& lanes) : lanes_(lanes) {
    tasks_.reserve(lanes.size());
    for (Lane* lane : lanes) {
      tasks_.push_back(ask(*lane));
      tasks_.back().start();
    }
  }
  /// What has no answer is taken back: who asks would be gone when it comes.
  ~Questions() {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (!tasks_[i].done()) lanes_[i]->withdraw();
    }
  }
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

  std::vector<Task<Done>>& tasks() { return tasks_; }

 private:
  const std::vector<Lane*>& lanes_;
  std::vector<Task<Done>> tasks_;
};

/// Until every lane has its logits at hand.
Task<Done> ask_all(const std::vector<Lane*>& lanes) {
  const auto has_logits = [](Lane* lane) { return !lane->last_logits().empty(); };
  do {
    Questions questions(lanes);
    for (Task<Done>& question : questions.tasks()) co_await question.joined();
    // A lane that had answered may have lost its logits while another one was waited for.
  } while (!std::all_of(lanes.begin(), lanes.end(), has_logits));
  co_return Done{};
}

}  // namespace

Task<StopReason> decode_together(std::vector<Lane*> lanes, Mixer& mixer, Answer& answer, Record& record) {
  Utf8Stream characters;
  answer.open_round(By::none);
  for (Lane* lane : lanes) lane->set_text({});
  while (true) {
    co_await ask_all(lanes);
    const auto [next, tolerance] = mixer.mix();
    record.mixed(next, tolerance);
    if (next.ends) co_return StopReason::end;
    std::string shown;
    characters.feed(next.bytes, shown);
    answer.add_token(shown, Source::mix, next.probability);
    answer.spend(1, Source::mix);
    if (answer.ended()) co_return *answer.ended();
    for (Lane* lane : lanes) lane->push(next.token);
  }
}

}  // namespace nudging
