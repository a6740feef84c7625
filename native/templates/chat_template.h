#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/prompt.h"

namespace nudging {

/// A chat message. `role` is one of "system", "user", "assistant": checked before it gets here.
struct Message {
  std::string role;
  std::string content;
};

/// A parsed Jinja chat template. It may come out of any downloaded file: `template_limits` keeps it within bounds.
class ChatTemplate {
 public:
  /// Parses `source` and finds out how it wants its messages. Throws Failure(template_failed) with the parser's reason.
  explicit ChatTemplate(const std::string& source);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// Renders `messages` up to where the assistant speaks, for a model with `vocabulary`. No control token begins in text that came from a
  /// message, whatever the template did to it: see `ContentMarks`. A template that rejects or ignores a system message gets the system text
  /// in front of the first user message. `variables`: more variables for the template, as the text of a JSON object; see `set_variables`.
  /// Throws Failure(template_failed) if the template raises, yields nothing, or exceeds its limits.
  std::vector<Segment> render(const std::vector<Message>& messages, const Vocabulary& vocabulary, const std::string& variables = {}) const;

  /// R61: what the template writes between the assistant's words and the next time that the assistant speaks: the end of its turn, then
  /// `ask` as a turn of the user's unless it is empty, and what opens the assistant's turn. Made from words of our own, so it is the same
  /// for every chat. Throws Failure(template_failed): as `render`; or, without `ask`, nothing of it opens a turn (the assistant's words
  /// begin right behind the user's turn in this template).
  std::vector<Segment> turn(const std::string& ask, const Vocabulary& vocabulary, const std::string& variables = {}) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace nudging
