#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lanes/decoder.h"
#include "lanes/remote_question.h"
#include "text/vocabulary.h"

namespace nudging {

/// One sequence of a model on another machine. It holds tokens in place of their cells, and asks for what a pass wants to know in one call.
///
/// A call may say more than was asked: how the model goes on. That comes while nobody waits, and is kept: a pass that goes the same way is
/// answered from it at once, or waits for the next token of a call that is still talking. One that goes another way gives such a call up.
///
/// Threads: all of it belongs to the scheduler's. `vocabulary` and `line` must outlive it.
class RemoteDecoder final : public Decoder {
 public:
  RemoteDecoder(const Vocabulary& vocabulary, RemoteLine& line) : vocabulary_(vocabulary), line_(line) {}

  /// All tokens must be of one sequence, and what is wanted must be their last ones' top-1.
  void start(Pass pass) override;
  bool done() const override { return result_.has_value(); }
  PassResult collect() override;
  bool apart() const override { return true; }

  /// Takes in what has come of a call. False if it is not one of this sequence's.
  bool take(const RemoteAnswers& answers);
  /// Nobody waits for this sequence any more. A pass that is under way fails.
  void rest();

 private:
  /// A call that has more to say.
  struct Talk {
    RemoteCall call;
    /// The next answer is what follows so many tokens of `path_`.
    std::size_t next;
  };

  std::size_t in_common() const;
  void ask();
  void hear(const RemoteAnswer& answer);
  void settle();
  void fail(std::exception_ptr failure);
  void hang_up();
  bool knows(std::size_t length) const { return length < said_.size() && said_[length]; }

  const Vocabulary& vocabulary_;
  RemoteLine& line_;
  /// What the sequence holds.
  std::vector<Token> held_;
  /// Tokens that the model was asked about, and went on with; and what it says behind each beginning of them, by its length.
  std::vector<Token> path_;
  std::vector<std::optional<Top1>> said_;
  std::optional<Talk> talk_;
  // Of the pass that is under way.
  bool under_way_ = false;
  bool called_ = false;
  OwnRun run_;
  std::uint32_t request_ = 0;
  /// Lengths of the beginnings of `held_` that are asked about, first and last.
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  Clock::time_point begin_;
  std::optional<PassResult> result_;
};

}  // namespace nudging
