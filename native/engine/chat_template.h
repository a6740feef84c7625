#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/prompt.h"

namespace nudging {

/// A chat message. `role` is one of "system", "user", "assistant": checked before it gets here.
struct Message {
  std::string role;
  std::string content;
};

/// A parsed Jinja chat template.
class ChatTemplate {
 public:
  /// Parses `source`. Throws Failure(template_failed) with the parser's reason.
  explicit ChatTemplate(std::string source);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// Renders `messages` up to where the assistant speaks. What came from a message's content is user text in the result, also
  /// where the template trimmed or edited it. A template without a system role gets the system text in front of the first
  /// user message. Throws Failure(template_failed) if the template raises or yields nothing.
  std::vector<Segment> render(const std::vector<Message>& messages, std::string_view bos, std::string_view eos) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace nudging
