#include "engine/prompts.h"

#include <algorithm>
#include <string>

#include "basics/failure.h"
#include "engine/mixers.h"
#include "templates/chat_template.h"

namespace nudging {

namespace {

/// More than a mark of thinking has (lib/options.ts), and white space behind it.
constexpr std::size_t most_own_end = 256;

std::vector<Segment> segments_of(const LoadedLane& lane, const PromptSource& source) {
  const auto* chat = std::get_if<Chat>(&source.text);
  if (chat == nullptr) return std::get<std::vector<Segment>>(source.text);
  const Vocabulary& vocabulary = lane.vocabulary();
  if (chat->chat_template) return ChatTemplate(*chat->chat_template).render(chat->messages, vocabulary, chat->variables);
  if (const ChatTemplate* own = lane.model().chat_template()) return own->render(chat->messages, vocabulary, chat->variables);
  throw Failure(
      FailureKind::template_missing,
      "\"" + lane.model().path() + "\" has no chat template: pass one as `alignedPrompt` (--aligned-prompt FILE), or a raw prompt");
}

/// The last bytes of the template text that segments end with.
std::string own_end(const std::vector<Segment>& segments) {
  std::string end;
  for (auto last = segments.rbegin(); last != segments.rend() && last->is_template && end.size() < most_own_end; ++last)
    end.insert(0, last->text);
  return end.substr(end.size() - std::min(end.size(), most_own_end));
}

/// `bounded`: what cannot fit into the context is refused.
Prompt compile(const LoadedLane& lane, const PromptSource& source, bool bounded = true) {
  const Vocabulary& vocabulary = lane.vocabulary();
  std::vector<Segment> segments = segments_of(lane, source);
  segments.push_back({source.prefill, false});
  std::size_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.text.size();
  if (bytes == 0) throw Failure(FailureKind::prompt_empty, "the " + lane.name() + " prompt is empty: pass at least one character");
  // Known before anything is tokenised, which could take seconds.
  if (const std::size_t least = vocabulary.least_tokens(bytes); bounded && least > lane.length()) {
    throw Failure(FailureKind::prompt_too_long, "the " + lane.name() + " prompt has " + std::to_string(bytes) + " bytes, which are " +
                                                    std::to_string(least) + " tokens or more, and the context holds " +
                                                    std::to_string(lane.length()) + ": shorten the prompt or raise `context`");
  }
  Prompt prompt = compile_prompt(vocabulary, segments);
  segments.pop_back();
  prompt.own_end = own_end(segments);
  prompt.prefill = source.prefill;
  return prompt;
}

/// R61: what a guard puts between an answer and its question. A raw prompt is taken to be in the format of the model's own template.
Turn compile_turn(const LoadedLane& lane, const PromptSource& source, const Guarding& guard) {
  const auto* chat = std::get_if<Chat>(&source.text);
  const Vocabulary& vocabulary = lane.vocabulary();
  const auto turn = [&](const ChatTemplate& chat_template) {
    return compile_turn(vocabulary, chat_template.turn(guard.ask, vocabulary, guard.variables));
  };
  if (chat != nullptr && chat->chat_template) return turn(ChatTemplate(*chat->chat_template));
  if (const ChatTemplate* own = lane.model().chat_template()) return turn(*own);
  throw Failure(FailureKind::template_missing, "\"" + lane.model().path() +
                                                   "\" has no chat template, and a guard needs one to ask behind an answer: pass one as "
                                                   "`alignedPrompt` (--aligned-prompt FILE), or leave out `guard`");
}

/// How many tokens a check needs behind an answer (R61): the marks', give or take what merges with the answer, and its own.
std::size_t check_tokens(const Prompt& prompt, const LoadedLane& lane, const std::optional<Guarding>& guard) {
  if (!guard) return 0;
  return lane.vocabulary().tokenize(prompt.turn.text).size() + prompt.turn.tokens.size() + guard->rules.tokens;
}

/// Checks that so many tokens of an answer fit behind the prompt, and those of a guard's check behind them.
void check_whole(const Prompt& prompt, std::size_t answer, std::size_t check, const LoadedLane& lane) {
  if (prompt.tokens() + answer + check <= lane.length()) return;
  throw Failure(FailureKind::prompt_too_long,
                "the " + lane.name() + " prompt has " + std::to_string(prompt.tokens()) + " tokens, `maxTokens` asks for " +
                    std::to_string(answer) + (check > 0 ? ", the guard for " + std::to_string(check) : "") + ", and the context holds " +
                    std::to_string(lane.length()) + ": shorten the prompt, lower `maxTokens` or raise `context`");
}

/// Those of a text that is no prompt: no control token, no BOS.
std::vector<Token> plain_tokens(const Vocabulary& vocabulary, const PromptSource& source) {
  std::string text;
  for (const Segment& segment : std::get<std::vector<Segment>>(source.text)) text += segment.text;
  return vocabulary.tokenize(text);
}

/// The lanes that write a generation.
std::vector<std::size_t> writing_lanes(const Generation& generation) {
  switch (generation.mode) {
    case Mode::nudge:
    case Mode::reverse: return {base_lane, aligned_lane};
    case Mode::base: return {base_lane};
    case Mode::aligned: return {aligned_lane};
    case Mode::ensemble:
    case Mode::proxy_tuning: return mixing_lanes(generation);
  }
  return {};
}

std::vector<ListedToken> listed(const Vocabulary& vocabulary, const std::vector<std::vector<Token>>& parts) {
  std::vector<ListedToken> listed;
  for (const std::vector<Token>& tokens : parts) {
    for (const Token token : tokens) {
      if (token < 0 || static_cast<std::size_t>(token) >= vocabulary.size()) {
        throw Failure(FailureKind::token_unknown, "token " + std::to_string(token) + " is not in the vocabulary: use an id from 0 to " +
                                                      std::to_string(vocabulary.size() - 1));
      }
      listed.push_back({token, vocabulary.bytes(token)});
    }
  }
  return listed;
}

/// The lanes that a generation asks: those that write it, and the one that watches over them.
std::vector<std::size_t> lanes_of(const Generation& generation) {
  std::vector<std::size_t> lanes = writing_lanes(generation);
  if (generation.guard && std::find(lanes.begin(), lanes.end(), aligned_lane) == lanes.end()) lanes.push_back(aligned_lane);
  return lanes;
}

void check_lane(std::size_t lane, std::size_t lanes) {
  if (lane < lanes) return;
  throw Failure(FailureKind::internal, "lane " + std::to_string(lane) + " is not one of this engine's " + std::to_string(lanes));
}

void compile(const Inspection& inspection, std::span<const LoadedLane* const> lanes, Prompts& prompts) {
  check_lane(inspection.lane, lanes.size());
  const LoadedLane& lane = *lanes[inspection.lane];
  Prompt& prompt = prompts[inspection.lane].emplace(compile(lane, inspection.prompt));
  prompt.text = inspection.text;
  prompt.whole = lane.vocabulary().tokenize(prompt.tail + inspection.text);
}

void compile(const Counting& counting, std::span<const LoadedLane* const> lanes, Prompts& prompts) {
  for (std::size_t i = 0; i < counting.prompts.size(); ++i) {
    if (!counting.prompts[i]) continue;
    check_lane(i, lanes.size());
    if (counting.plain) {
      const Vocabulary& vocabulary = lanes[i]->vocabulary();
      prompts[i] = Prompt{plain_tokens(vocabulary, *counting.prompts[i]), {}, TextTokens(vocabulary), {}, {}, {}, {}, {}};
    } else {
      prompts[i] = compile(*lanes[i], *counting.prompts[i], false);
      if (counting.guard && i == aligned_lane) prompts[i]->turn = compile_turn(*lanes[i], *counting.prompts[i], *counting.guard);
    }
  }
}

void compile(const Generation& generation, std::span<const LoadedLane* const> lanes, Prompts& prompts) {
  for (const std::size_t i : lanes_of(generation)) {
    check_lane(i, std::min({lanes.size(), generation.prompts.size(), generation.biases.size()}));
    prompts[i] = compile(*lanes[i], generation.prompts[i]);
    const bool guards = generation.guard && i == aligned_lane;
    if (guards) prompts[i]->turn = compile_turn(*lanes[i], generation.prompts[i], *generation.guard);
    if (!generation.whole) continue;
    check_whole(*prompts[i], generation.limits.max_tokens, guards ? check_tokens(*prompts[i], *lanes[i], generation.guard) : 0, *lanes[i]);
  }
}

}  // namespace

Prompts compile_prompts(const Request& request, std::span<const LoadedLane* const> lanes) {
  Prompts prompts(lanes.size());
  std::visit([&](const auto& work) { compile(work, lanes, prompts); }, request.work);
  return prompts;
}

Counted count(const Request& request, const Prompts& prompts, std::span<const LoadedLane* const> lanes) {
  const Counting& counting = std::get<Counting>(request.work);
  Counted counted{request.id, {}};
  for (const std::optional<Prompt>& prompt : prompts) counted.tokens.push_back(prompt ? std::optional(prompt->tokens()) : std::nullopt);
  if (auto& aligned = counted.tokens[aligned_lane]) *aligned += check_tokens(*prompts[aligned_lane], *lanes[aligned_lane], counting.guard);
  if (!counting.listed) return counted;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    // Plain texts are nothing but a head.
    if (prompts[i]) counted.listed = listed(lanes[i]->vocabulary(), {prompts[i]->head, counting.tokens});
  }
  return counted;
}

}  // namespace nudging
