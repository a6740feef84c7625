#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/chat_template.h"
#include "engine/costs.h"
#include "engine/logit_changes.h"
#include "engine/prompt.h"
#include "engine/sampling.h"
#include "nudge/answer.h"
#include "nudge/nudge.h"

namespace nudging {

using RequestId = std::uint32_t;

/// Which models take part.
enum class Mode : std::uint8_t { nudge, base, aligned };

/// The two models, in the order of every array that is indexed by lane.
enum class LaneName : std::uint8_t { base, aligned };
constexpr std::size_t lane_count = 2;

/// Chat messages to be rendered with the model's own template, or with `chat_template` if it is given.
struct Chat {
  std::vector<Message> messages;
  std::optional<std::string> chat_template;
};

/// Where a lane's prompt comes from.
using PromptSource = std::variant<std::vector<Segment>, Chat>;

/// One generation. Prompts of lanes that the mode does not use are ignored.
struct Generation {
  Mode mode = Mode::nudge;
  PromptSource prompts[lane_count];
  Rules rules;
  Limits limits;
  bool trace = false;
  /// Whether somebody reads the pieces as they come. Otherwise many are reported at once, which spares the event loop.
  bool streams = true;
  Speculation speculation;
  /// From the moment of submission; nothing: as long as it takes.
  std::optional<std::chrono::milliseconds> timeout;
  /// Of both lanes.
  Sampling sampling;
  /// Of each lane, because token ids are a vocabulary's own.
  std::vector<NamedBias> biases[lane_count];
  /// Of both lanes.
  RepeatPenalty repeat;
};

/// One question to one model, answered from nothing: no cache is used. For replaying a trace, and for tests.
struct Inspection {
  LaneName lane = LaneName::base;
  PromptSource prompt;
  /// Text after the prompt, tokenised together with it.
  std::string text;
  /// Tokens after the text, taken as they are.
  std::vector<Token> tokens;
  Sampling sampling;
  std::vector<NamedBias> biases;
  RepeatPenalty repeat;
};

struct Request {
  RequestId id = 0;
  std::variant<Generation, Inspection> work;
};

}  // namespace nudging
