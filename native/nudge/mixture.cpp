#include "nudge/mixture.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "nudge/guard.h"

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
  explicit Questions(std::vector<Lane*> lanes) : lanes_(std::move(lanes)) {
    tasks_.reserve(lanes_.size());
    for (Lane* lane : lanes_) {
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
  std::vector<Lane*> lanes_;
  std::vector<Task<Done>> tasks_;
};

/// Asks the lanes from `from` on; then all of them have their logits at hand.
Task<Done> ask_all(std::span<Lane* const> lanes, std::size_t from = 0) {
  std::vector<Lane*> missing(lanes.begin() + static_cast<std::ptrdiff_t>(from), lanes.end());
  while (!missing.empty()) {
    Questions questions(std::move(missing));
    for (Task<Done>& question : questions.tasks()) co_await question.joined();
    // A lane that had answered may have lost its logits while another one was waited for.
    missing.clear();
    std::copy_if(lanes.begin(), lanes.end(), std::back_inserter(missing), [](Lane* lane) { return lane->last_logits().empty(); });
  }
  co_return Done{};
}

/// Rounds of what was decided token by token: words of the aligned model's, then what the base says. A mixture counts as the base's.
class Rounds {
 public:
  explicit Rounds(Answer& answer) : answer_(answer) { answer.open_round(By::none); }
  void said(Source source) {
    if (source == Source::nudge && base_) answer_.open_round(By::none);
    base_ = source != Source::nudge;
    // In a round that has words of the aligned model's, the base has taken over.
    if (base_ && words_) answer_.end_asking(By::confident);
    words_ = !base_;
  }

 private:
  Answer& answer_;
  bool base_ = false;
  bool words_ = false;
};

}  // namespace

Task<StopReason> decode_together(std::vector<Lane*> lanes, Mixer& mixer, Answer& answer, Record& record) {
  const std::span<Lane* const> all(lanes);
  Utf8Stream characters;
  Rounds rounds(answer);
  for (Lane* lane : lanes) lane->set_text({});
  while (true) {
    co_await ask_all(all.first(mixer.first()));
    if (mixer.first() < all.size() && mixer.needs_others()) co_await ask_all(all, mixer.first());
    const Mixed next = mixer.mix();
    record.mixed(next.is_tie);
    if (next.top1.ends) co_return StopReason::end;
    rounds.said(next.source);
    std::string shown;
    characters.feed(next.top1.bytes, shown);
    answer.add_token(shown, next.source, next.probability);
    answer.spend(1, next.source);
    co_await checked(answer);
    if (answer.ended()) co_return *answer.ended();
    for (Lane* lane : lanes) lane->push(next.top1.token);
  }
}

}  // namespace nudging
