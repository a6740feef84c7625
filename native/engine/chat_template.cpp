#include "engine/chat_template.h"

#include <exception>

#include "engine/failure.h"
#include "jinja/caps.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "jinja/value.h"

namespace nudging {

struct ChatTemplate::Parsed {
  std::string source;
  jinja::program program;
  jinja::caps caps;
};

namespace {

/// Systems in front of the first user message, for templates that know no system role (Gemma's, for one).
std::vector<Message> fold_system(const std::vector<Message>& messages) {
  std::vector<Message> folded;
  std::string system;
  for (const Message& message : messages) {
    if (message.role == "system") {
      system += message.content + "\n\n";
      continue;
    }
    folded.push_back(message);
    if (message.role == "user" && !system.empty()) {
      folded.back().content.insert(0, system);
      system.clear();
    }
  }
  return folded;
}

jinja::value template_text(std::string_view text) { return jinja::mk_val<jinja::value_string>(std::string(text)); }

jinja::value user_text(const std::string& text) {
  auto value = jinja::mk_val<jinja::value_string>(text);
  value->mark_input();
  return value;
}

jinja::value content_of(const Message& message, const jinja::caps& caps) {
  if (caps.supports_string_content || !caps.supports_typed_content) return user_text(message.content);
  auto part = jinja::mk_val<jinja::value_object>();
  part->insert("type", template_text("text"));
  part->insert("text", user_text(message.content));
  auto parts = jinja::mk_val<jinja::value_array>();
  parts->push_back(part);
  return parts;
}

}  // namespace

ChatTemplate::ChatTemplate(std::string source) : parsed_(std::make_unique<Parsed>()) {
  try {
    jinja::lexer lexer;
    auto tokens = lexer.tokenize(source);
    parsed_->program = jinja::parse_from_tokens(tokens);
    parsed_->source = std::move(tokens.source);
    parsed_->caps = jinja::caps_get(parsed_->program);
  } catch (const std::exception& error) {
    throw Failure(FailureKind::template_failed, std::string("the chat template cannot be parsed: ") + error.what());
  }
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::vector<Segment> ChatTemplate::render(const std::vector<Message>& messages, std::string_view bos, std::string_view eos) const {
  const std::vector<Message> spoken = parsed_->caps.supports_system_role ? messages : fold_system(messages);
  std::vector<Segment> segments;
  try {
    auto list = jinja::mk_val<jinja::value_array>();
    for (const Message& message : spoken) {
      auto entry = jinja::mk_val<jinja::value_object>();
      entry->insert("role", template_text(message.role));
      entry->insert("content", content_of(message, parsed_->caps));
      list->push_back(entry);
    }
    jinja::context context(parsed_->source);
    context.set_val("messages", list);
    context.set_val("bos_token", template_text(bos));
    context.set_val("eos_token", template_text(eos));
    context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(true));
    // Reasoning models would otherwise begin with a hidden chain of thought, which is no answer to show.
    context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(false));

    jinja::runtime runtime(context);
    const auto rendered = jinja::runtime::gather_string_parts(runtime.execute(parsed_->program));
    for (const jinja::string_part& part : rendered->as_string().parts) {
      if (!part.val.empty()) segments.push_back({part.val, !part.is_input});
    }
  } catch (const std::exception& error) {
    throw Failure(FailureKind::template_failed, std::string("the chat template failed on these messages: ") + error.what());
  }
  if (segments.empty()) throw Failure(FailureKind::template_failed, "the chat template rendered these messages to nothing");
  return segments;
}

}  // namespace nudging
