#include "text/prompt.h"

#include <algorithm>
#include <list>

#include "text/give_up.h"

namespace nudging {

namespace {

/// A control token, or text in which none is left to find.
struct Part {
  Token token = -1;
  std::string text;
  bool is_template = false;
  bool strip_left = false;
  bool strip_right = false;
};

std::list<Part> find_specials(const Vocabulary& vocabulary, const std::vector<Segment>& segments) {
  std::list<Part> parts;
  for (const Segment& segment : segments) {
    if (!segment.text.empty()) parts.push_back({-1, segment.text, segment.is_template});
  }
  for (const Vocabulary::Special& special : vocabulary.specials()) {
    for (auto part = parts.begin(); part != parts.end();) {
      GiveUpScope::check();
      const std::size_t at = part->token < 0 && part->is_template ? part->text.find(special.text) : std::string::npos;
      if (at == std::string::npos) {
        ++part;
        continue;
      }
      std::string after = part->text.substr(at + special.text.size());
      part->text.resize(at);
      const bool nothing_before = part->text.empty();
      auto next = parts.insert(std::next(part), {special.token, {}, true, special.strips_left, special.strips_right});
      ++next;
      if (!after.empty()) next = parts.insert(next, {-1, std::move(after), true});
      if (nothing_before) parts.erase(part);
      part = next;
    }
  }
  return parts;
}

constexpr const char* white_space = " \t\n\v\f\r";

/// Plain text, and the control token behind it; none behind the last one.
struct Stretch {
  std::string text;
  Token control = -1;
};

/// At least one.
std::vector<Stretch> stretches(const Vocabulary& vocabulary, const std::vector<Segment>& segments) {
  std::vector<Stretch> found(1);
  bool strip_right = false;
  for (const Part& part : find_specials(vocabulary, segments)) {
    std::string& plain = found.back().text;
    if (part.token < 0) {
      std::string_view text = part.text;
      if (strip_right) text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
      plain += text;
      strip_right = strip_right && text.empty();
      continue;
    }
    if (part.strip_left) plain.resize(plain.find_last_not_of(white_space) + 1);
    found.back().control = part.token;
    found.emplace_back();
    strip_right = part.strip_right;
  }
  return found;
}

void append(std::vector<Token>& tokens, const std::vector<Token>& more) { tokens.insert(tokens.end(), more.begin(), more.end()); }

}  // namespace

Prompt compile_prompt(const Vocabulary& vocabulary, const std::vector<Segment>& segments) {
  Prompt prompt{{}, {}, TextTokens(vocabulary), {}, {}, {}, {}, {}};
  for (Stretch& stretch : stretches(vocabulary, segments)) {
    if (stretch.control < 0) {
      prompt.tail = std::move(stretch.text);
      break;
    }
    append(prompt.head, vocabulary.tokenize(stretch.text));
    prompt.head.push_back(stretch.control);
  }
  // A template that writes BOS itself must not get a second one.
  if (vocabulary.leading() >= 0 && (prompt.head.empty() || prompt.head.front() != vocabulary.leading())) {
    prompt.head.insert(prompt.head.begin(), vocabulary.leading());
  }
  prompt.followed.follow(prompt.tail);
  return prompt;
}

Turn compile_turn(const Vocabulary& vocabulary, const std::vector<Segment>& segments) {
  std::vector<Stretch> found = stretches(vocabulary, segments);
  Turn turn{std::move(found.front().text), {}};
  for (std::size_t i = 1; i < found.size(); ++i) {
    turn.tokens.push_back(found[i - 1].control);
    append(turn.tokens, vocabulary.tokenize(found[i].text));
  }
  return turn;
}

}  // namespace nudging
