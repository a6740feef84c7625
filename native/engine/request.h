#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "basics/lane_name.h"
#include "choice/sampling.h"
#include "lanes/costs.h"
#include "lanes/logit_changes.h"
#include "nudge/answer.h"
#include "nudge/guard.h"
#include "nudge/nudge.h"
#include "templates/chat_template.h"
#include "text/prompt.h"

namespace nudging {

using RequestId = std::uint32_t;

/// Which models take part, and which of them decodes by default.
enum class Mode : std::uint8_t { nudge, reverse, base, aligned, ensemble, proxy_tuning };

/// What several models write an answer together in; `fitting`: tokens if they have one vocabulary, else bytes.
enum class Unit : std::uint8_t { fitting, token, byte };

/// Chat messages to be rendered with the model's own template, or with `chat_template` if it is given.
struct Chat {
  std::vector<Message> messages;
  std::optional<std::string> chat_template;
  /// More variables for the template, as the text of a JSON object; empty: none.
  std::string variables;
};

/// Where a lane's prompt comes from.
struct PromptSource {
  std::variant<std::vector<Segment>, Chat> text;
  /// What the answer begins with: plain text at the end of the prompt.
  std::string prefill;
};

/// What watches over a generation (R60): the aligned lane, which needs a prompt for it in any mode.
struct Guarding {
  GuardRules rules;
  /// A turn of the user's in front of what the aligned model is asked; empty: none.
  std::string ask;
  /// For the template of that turn, as the text of a JSON object.
  std::string variables;
};

/// One generation. Prompts of lanes that the mode does not use are ignored.
struct Generation {
  Mode mode = Mode::nudge;
  /// By lane, as far as they are needed.
  std::vector<PromptSource> prompts = std::vector<PromptSource>(2);
  /// Of `ensemble`: how much each lane counts, by lane, beside the others'; 0: it takes no part. At least one is over 0.
  std::vector<double> weights;
  /// Of `proxy_tuning`: how much what alignment has changed counts, and the lane that says what it was before.
  double alpha = 1;
  /// Either as the code of the nudging paper has it (R38).
  bool as_in_paper = false;
  std::size_t reference = aligned_lane + 1;
  /// Of both.
  Unit unit = Unit::fitting;
  Rules rules;
  std::optional<Guarding> guard;
  Limits limits;
  /// Refused if a prompt and `limits.max_tokens` together do not fit into a lane's context.
  bool whole = false;
  bool trace = false;
  /// Whether somebody reads the pieces as they come. Otherwise many are reported at once, which spares the event loop.
  bool streams = true;
  Speculation speculation;
  /// From the moment of submission; nothing: as long as it takes.
  std::optional<std::chrono::milliseconds> timeout;
  /// Of all lanes.
  Sampling sampling;
  /// Of each lane, because token ids are a vocabulary's own, as far as there are any.
  std::vector<std::vector<NamedBias>> biases = std::vector<std::vector<NamedBias>>(2);
  /// Of all lanes.
  RepeatPenalty repeat;
};

/// One question to one model, answered from nothing: no cache is used. For replaying a trace, and for tests.
struct Inspection {
  /// By its place; checked when it is admitted.
  std::size_t lane = base_lane;
  PromptSource prompt;
  /// Text after the prompt, tokenised together with it.
  std::string text;
  /// Tokens after the text, taken as they are.
  std::vector<Token> tokens;
  Sampling sampling;
  /// How many of the likeliest tokens to list.
  std::size_t candidates = 0;
  std::vector<NamedBias> biases;
  RepeatPenalty repeat;
  /// Whether each token of the context is to be judged by what was said before it. That takes a pass for each.
  bool scores = false;
};

/// How many tokens are these? Nothing is decoded.
struct Counting {
  /// Of the lanes that are asked, by lane.
  std::vector<std::optional<PromptSource>> prompts;
  /// The tokens of the texts alone, without what makes a prompt of them (BOS).
  bool plain = false;
  /// Whether the tokens are to be listed, of plain texts.
  bool listed = false;
  /// With it the aligned model's tokens include those that a check needs behind an answer (R61).
  std::optional<Guarding> guard = {};
  /// Further tokens to be listed behind them, by each lane that is asked. Unknown ones are refused.
  std::vector<Token> tokens = {};
};

struct Request {
  RequestId id = 0;
  std::variant<Generation, Inspection, Counting> work;
};

}  // namespace nudging
