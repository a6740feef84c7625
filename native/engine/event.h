#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "basics/failure.h"
#include "engine/request.h"
#include "lanes/lane_stats.h"
#include "lanes/remote_question.h"
#include "models/memory_plan.h"
#include "nudge/answer.h"

namespace nudging {

struct LoadProgress {
  /// Its name.
  std::string lane;
  float fraction;
};

struct ModelInfo {
  /// Of its lane.
  std::string name;
  std::string path;
  std::string description;
  std::uint64_t parameters;
  std::uint64_t bytes;
  std::uint32_t context;
  std::uint32_t trained_context;
  std::uint32_t vocabulary;
  bool has_chat_template;
  /// 0 without a GPU.
  std::uint32_t gpu_layers;
  /// How many of them are on which GPU; where they are split by rows or work ("row", "tensor"), the shares.
  std::vector<std::pair<std::string, std::uint32_t>> devices;
  /// The likeliest tokens are found where the output layer is.
  bool device_top1;
  /// Name of the KV cache's type.
  std::string kv_cache;
  MemoryUse memory;
};

/// Something that a user should know while loading goes on. `code` is stable and for programs.
struct Warning {
  const char* code;
  std::string message;
};

struct Loaded {
  /// In the order of the lanes.
  std::vector<ModelInfo> models;
  /// Whether passes give the same bits whatever is decoded beside them; and if not though it was not declined, why.
  bool deterministic;
  std::string why_not;
  /// Requests that decode together.
  std::uint32_t parallel;
};

struct LoadFailed {
  FailureKind kind;
  std::string message;
  std::optional<Shortage> shortage;
};

/// Text that a tick has committed, of all requests. Flat: what is made for each of many requests costs the scheduler more than the text
/// itself.
struct PiecesReady {
  struct Part {
    RequestId id;
    /// Behind its last piece; its first one is where the part before it ends.
    std::size_t end;
  };
  std::vector<Part> parts;
  std::vector<Piece> pieces;
};

/// What the guard of a generation has done.
struct GuardReport {
  std::uint64_t checks;
  AsideStats work;
  /// What the aligned model said in place of the answer, if it refused.
  std::optional<std::string> refusal;
};

struct GenerationStats {
  /// In the order of the lanes.
  std::vector<LaneStats> lanes;
  std::uint64_t tokens;
  std::uint64_t base_tokens;
  std::uint64_t mixed_tokens;
  /// Decisions that other company might have turned.
  std::uint64_t ties;
  double queued_ms;
  /// From leaving the queue to the first committed piece; 0 if there was none.
  double first_piece_ms;
  double total_ms;
};

/// One decode call of a traced request, in milliseconds since it left the queue.
struct DecodeSpan {
  std::string lane;
  double begin_ms;
  double end_ms;
  /// Tokens in the batch, of all requests.
  std::size_t tokens;
};

struct Finished {
  RequestId id;
  StopReason reason;
  /// Whose end of text it was, if the reason is `end`.
  std::optional<Source> ended_by;
  std::string text;
  std::vector<Round> rounds;
  std::vector<Decision> decisions;
  std::vector<DecodeSpan> spans;
  GenerationStats stats;
  std::optional<GuardReport> guard;
};

/// A token that may come next, and its softmax probability.
struct Candidate {
  Token token;
  std::string_view bytes;
  float probability;
};

/// How probable a token was where it stands, and what was likeliest there. Natural logarithms of softmax probabilities.
struct Score {
  std::string_view bytes;
  double logprob;
  Token top;
  std::string_view top_bytes;
  double top_logprob;
};

struct Inspected {
  RequestId id;
  Top1 top1;
  std::vector<Candidate> candidates;
  std::vector<Token> context;
  /// Of each token of the context but the first, if they were wanted.
  std::vector<Score> scores;
};

/// Comes before the first piece of a generation that has marks of thinking, or has to fit whole: its prompts do.
struct Begun {
  RequestId id;
  /// How far the prompt has brought the thinking part.
  ThinkingPart::State thinking;
};

struct ListedToken {
  Token token;
  std::string_view bytes;
};

struct Counted {
  RequestId id;
  /// Of the lanes that were asked, by lane.
  std::vector<std::optional<std::size_t>> tokens;
  /// Of the last lane that was asked, if they were to be listed.
  std::vector<ListedToken> listed = {};
};

struct RequestFailed {
  RequestId id;
  FailureKind kind;
  std::string message;
};

/// A question for a model on another machine. Whoever carries it there says what comes of it (`Engine::answer`).
struct RemoteAsked {
  /// The lane's place.
  std::size_t lane;
  RemoteQuestion question;
};

/// Nobody wants the answers of a call any more.
struct RemoteGivenUp {
  RemoteCall call;
};

/// The engine's thread has ended; nothing follows.
struct Closed {};

/// The two that are hundreds of bytes large are boxed: a tick may bring a small event for every sequence, and none should be larger than it
/// must.
using Event = std::variant<LoadProgress, Warning, std::unique_ptr<Loaded>, LoadFailed, PiecesReady, std::unique_ptr<Finished>, Inspected,
                           Begun, Counted, RequestFailed, RemoteAsked, RemoteGivenUp, Closed>;

}  // namespace nudging
