#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lanes/loaded_lane.h"
#include "llama.h"
#include "nudge/top1.h"

namespace nudging {

/// Contexts that a lane asks about together with its own, so that one pass says what follows each. Each is decoded in a sequence beside the
/// lane's, which begins with the lane's own cells and has no others but for what branches off. Owned by the scheduler's thread.
class Branches {
 public:
  explicit Branches(LoadedLane& lane) : lane_(lane) {}

  /// What the next pass is to answer too, from the first one on.
  void ask(std::vector<std::vector<Token>> contexts);
  std::size_t asked() const { return questions_.size(); }
  /// The logits behind each context that was asked about; none where there was no room. Nothing is asked then.
  std::vector<std::vector<float>> take();

  /// The sequence, of those beside `sequence`, that begins with most of `wanted`, and how much that is. Null if all of them are empty.
  struct Stem {
    llama_seq_id sequence;
    std::size_t length;
  };
  std::optional<Stem> longest(llama_seq_id sequence, std::span<const Token> wanted) const;
  /// Keeps what they have in common with `wanted`: no cells but those that the lane has.
  void cut(llama_seq_id sequence, std::span<const Token> wanted);

  /// A context in a pass: all behind its first `from` tokens is to be decoded.
  struct Planned {
    llama_seq_id sequence;
    std::size_t from;
    std::span<const Token> context;
  };
  /// Puts one into a pass whose sequence has the first `kept` of `cached` in its cells before it. Null if more than `room` tokens are
  /// missing, or if there are more contexts than sequences.
  std::optional<Planned> plan(std::size_t which, llama_seq_id sequence, std::span<const Token> cached, std::size_t kept, std::size_t room);
  void resolve(std::size_t which, std::vector<float> logits) { questions_[which].logits = std::move(logits); }
  std::span<const Token> context(std::size_t which) const { return questions_[which].context; }

 private:
  struct Question {
    std::vector<Token> context;
    std::vector<float> logits;
  };
  LoadedLane& lane_;
  std::vector<Question> questions_;
  /// What each sequence holds.
  std::vector<std::vector<Token>> held_;
};

}  // namespace nudging
