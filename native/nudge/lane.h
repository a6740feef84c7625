#pragma once

#include <coroutine>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>

#include "nudge/guess.h"
#include "nudge/top1.h"

namespace nudging {

/// One model as one request sees it: a prompt that never changes, a context behind it, and the question what comes next.
///
/// The contract is stateless (R2): after `set_text(text)` the context is tok(prompt + text), as if tokenised for the first
/// time, whatever the lane has in its KV cache. How much of the cache can be kept is the lane's affair.
class Lane {
 public:
  virtual ~Lane() = default;

  /// R2: the context becomes the tokens of prompt + text.
  virtual void set_text(std::string_view text) = 0;

  /// Appends one of the model's own tokens as it is, without tokenising again (R3 inside a draft, R9 inside a run).
  virtual void push(Token token) = 0;

  /// Takes the last `tokens` back that were pushed: somebody has only looked ahead. Nothing of what was answered is forgotten by that.
  virtual void pop(std::size_t tokens) = 0;

  /// Says which text probably comes next. It may be wrong, and it must not change any answer. A lane that decodes it together with the
  /// question has the following answers at hand if the guess was right (speculation).
  virtual void expect(const Guess& guess) { static_cast<void>(guess); }

  /// How many tokens beyond the present guess the lane would like to have guessed, by what guesses cost and how good they were; 0 for none.
  virtual std::size_t guesses_wanted() { return 0; }

  /// Whether a guess that its author finds so probable comes true often enough to guess on behind it.
  virtual bool trusts(float probability) const {
    static_cast<void>(probability);
    return true;
  }

  /// How many tokens still fit behind the present context.
  virtual std::size_t room() { return std::numeric_limits<std::size_t>::max(); }

  /// True if this model answers while others do, so that it can be asked ahead of time without keeping anybody waiting.
  virtual bool apart() const { return false; }

  /// Whether what is asked from now on is asked ahead: it decides nothing yet, and gives way to questions that somebody waits for.
  virtual void ask_ahead(bool ahead) { static_cast<void>(ahead); }

  /// R61: until `step_back` the context is tok(prompt + text) and behind it, unless both the text and the prefill are empty, the end of the
  /// assistant's turn and the beginning of another one. What is asked there is greedy and from unchanged logits, whatever the request says.
  virtual void step_aside(std::string_view text) {
    static_cast<void>(text);
    throw std::logic_error("this lane cannot be asked aside from its answer");
  }
  /// The context is again what it was before `step_aside`.
  virtual void step_back() {}

  /// Takes a question back. What is decoded for it already is remembered.
  virtual void withdraw() {}

  /// `co_await lane.top1()`: what the model says after its context. Suspends the request until the scheduler has decoded.
  auto top1() {
    struct Question {
      Lane& lane;
      bool await_ready() { return lane.answered(Wanted::top1); }
      void await_suspend(std::coroutine_handle<> asker) { lane.ask(Wanted::top1, asker); }
      Top1 await_resume() { return lane.answer(); }
    };
    return Question{*this};
  }

  /// `co_await lane.distribution()`: the logits after the context (as R16 leaves them), one for each token of the vocabulary. The lane owns
  /// them, until it is told to decode something else. Costs what `top1` does, and a copy of them; only the latest are remembered.
  auto distribution() {
    struct Question {
      Lane& lane;
      bool await_ready() { return lane.answered(Wanted::distribution); }
      void await_suspend(std::coroutine_handle<> asker) { lane.ask(Wanted::distribution, asker); }
      std::span<const float> await_resume() { return lane.logits(); }
    };
    return Question{*this};
  }

  /// What the last `distribution()` brought, and the top-1 that goes with it. Empty where the lane has lost it since then, as it does when
  /// its request leaves its place to another one: it is to be asked again.
  std::span<const float> last_logits() { return logits(); }
  Top1 last_top1() { return answer(); }

 protected:
  /// True if the answer for the present context is known without a decode.
  virtual bool answered(Wanted wanted) = 0;
  /// Notes who is to be resumed when the answer is there.
  virtual void ask(Wanted wanted, std::coroutine_handle<> asker) = 0;
  /// The answer; called only after `answered()` or after the asker was resumed.
  virtual Top1 answer() = 0;
  /// The logits; likewise, where they were wanted.
  virtual std::span<const float> logits() = 0;
};

}  // namespace nudging
