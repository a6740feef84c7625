#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "nudge/answer.h"
#include "nudge/lane.h"
#include "nudge/refusal.h"
#include "nudge/task.h"

namespace nudging {

/// When the guard looks, and what it takes for a refusal. The numbers are those of ADA-RK (arXiv 2510.18081), of its two intervals the
/// shorter one.
struct GuardRules {
  /// A check is due when so many tokens were added since the last one (R60).
  std::size_t every = 25;
  /// How many tokens the aligned model says in a check (R61).
  std::size_t tokens = 20;
  std::vector<std::string> phrases;
};

/// R60 to R63: asks the aligned model again and again, aside from the answer, what it would say if it had the word anew. Where that is a
/// refusal, the answer ends as `refused`. Nothing is shown that was not checked. The lane and the answer must outlive it.
class Guard {
 public:
  Guard(Lane& aligned, GuardRules rules, Answer& answer);
  ~Guard() { answer_.guard(nullptr); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Whether enough was added for another check.
  bool is_due() const { return !answer_.ended() && answer_.used() - looked_at_ >= rules_.every; }
  /// Looks now. Whether the answer has to end.
  Task<bool> look();

  std::size_t checks() const { return checks_; }
  /// What the aligned model said in place of the answer, if it refused.
  const std::optional<std::string>& refusal() const { return refusal_; }

 private:
  Lane& aligned_;
  GuardRules rules_;
  RefusalPhrases phrases_;
  Answer& answer_;
  /// Tokens of the answer at the last check.
  std::size_t looked_at_ = 0;
  std::size_t checks_ = 0;
  std::optional<std::string> refusal_;
};

/// `co_await checked(answer)`, wherever tokens were added: the answer's guard looks, if it has one and a check is due. Where that ends the
/// answer, `answer.ended()` says so. No lane's context is changed by it.
inline auto checked(Answer& answer) {
  struct Check {
    Answer& answer;
    std::optional<Task<bool>> looking = std::nullopt;
    bool await_ready() const { return answer.guard() == nullptr || !answer.guard()->is_due(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> asker) {
      return looking.emplace(answer.guard()->look()).await_suspend(asker);
    }
    void await_resume() {
      if (looking) looking->take();
    }
  };
  return Check{answer};
}

/// Writes an answer under its guard: a check in front of the first token, those that `checked` makes, and one of what is left at the end.
Task<StopReason> guarded(Task<StopReason> writing, Guard& guard, Answer& answer);

}  // namespace nudging
