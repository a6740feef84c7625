#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "basics/stopwatch.h"
#include "choice/sampling.h"
#include "lanes/logit_changes.h"
#include "llama.h"
#include "nudge/top1.h"

namespace nudging {

/// How a model is likely to go on by itself: what one that is asked far away may say in the same call.
struct OwnRun {
  /// Tokens, at most.
  std::size_t tokens = 0;
  /// As long as each is at least as probable.
  float certainty = 0;
};

/// What becomes of a sequence before a pass.
struct MemoryEdit {
  enum class Kind : std::uint8_t {
    /// Empties it.
    clear,
    /// Keeps its first `length` tokens.
    cut,
    /// Replaces it by the first `length` tokens of `from`, whose cells they share from then on.
    copy,
    /// Goes on behind its first `kept` tokens, all that it has, with those of `from` up to `length`, whose cells they share from then on.
    graft,
  };
  Kind kind;
  llama_seq_id sequence;
  std::size_t length = 0;
  llama_seq_id from = -1;
  std::size_t kept = 0;
};

/// One forward pass of one model, as plain data: whoever decodes it needs nothing else, on whatever thread it lives.
struct Pass {
  struct Entry {
    Token token;
    /// In its sequence, from 0.
    std::size_t position;
    llama_seq_id sequence;
    Wanted wanted;
    /// Sequences beside it that go on from this token too: in all of them it stands behind the same ones.
    std::vector<llama_seq_id> shared_with = {};
  };
  /// Done first, in this order.
  std::vector<MemoryEdit> edits;
  /// At most as many as a batch holds. A sequence's tokens stand in the order of their positions, but not necessarily side by side.
  std::vector<Entry> tokens;
  /// How an answer is read from logits.
  struct Reading {
    Draw draw;
    /// Done to the logits first; null: nothing.
    std::shared_ptr<const LogitChanges> changes;
    /// The last tokens of the context, as many as `changes` looks at.
    std::vector<Token> recent;
    Measures measures = {};
  };
  /// One for each entry that wants something, in the order of the entries.
  std::vector<Reading> readings;
  /// Of the sequence, where a model far away has only one in a pass; and the number of the request whose it is.
  OwnRun run = {};
  std::uint32_t request = 0;
};

/// What came of a pass.
struct PassResult {
  struct Said {
    Top1 top1;
    /// One for each entry of the vocabulary, if they were wanted.
    std::vector<float> logits;
    /// What reading it took.
    double ms = 0;
    /// A guess that was not asked about after all.
    bool unsaid = false;
  };
  /// Failure(decode_failed), if it failed. What was in the sequences of its tokens is gone then.
  std::exception_ptr failure;
  /// Sequences that could not be cut where they had to be. If there are any, nothing was decoded.
  std::vector<llama_seq_id> uncut;
  /// One for each entry that wanted something, in the order of the entries.
  std::vector<Said> said;
  /// Whether its time says what passes cost: not where all was known.
  bool measured = true;
  Clock::time_point begin;
  Clock::time_point end;
};

}  // namespace nudging
