#include "templates/chat_template.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <string_view>

#include "basics/failure.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "jinja/value.h"
#include "templates/checks.h"
#include "templates/content_marks.h"
#include "templates/limits.h"
#include "templates/values.h"
#include "templates/variables.h"
#include "templates/watch.h"

namespace nudging {

struct ChatTemplate::Parsed {
  std::string source;
  /// Its string literals, and its names: those may be what it looks up in an object.
  std::vector<std::string> words;
  jinja::program program;
  /// Some templates read content only as a list of parts, [{type: "text", text}].
  bool wants_parts = false;
  bool knows_system = false;
};

namespace {

constexpr std::size_t longest_output = 16 * 1024 * 1024;

using StringParts = std::vector<jinja::string_part>;

/// System text in front of the first user message, for templates that know no system role (Gemma 2's, for one).
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

jinja::value content_value(const std::string& content, bool as_parts) {
  auto text = jinja::mk_val<jinja::value_string>(content);
  text->mark_input();
  if (!as_parts) return text;
  auto part = jinja::mk_val<jinja::value_object>();
  part->insert("type", template_text("text"));
  part->insert("text", text);
  auto parts = jinja::mk_val<jinja::value_array>();
  parts->push_back(part);
  return parts;
}

std::string text_of(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

/// What both texts end with; a part of `b`.
std::string_view common_end(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
  return b.substr(static_cast<std::size_t>(b.rend() - differ.second));
}

/// Those of `segments` from byte `from` on.
std::vector<Segment> from_byte(const std::vector<Segment>& segments, std::size_t from) {
  std::vector<Segment> rest;
  for (const Segment& segment : segments) {
    const std::size_t skipped = std::min(from, segment.text.size());
    from -= skipped;
    if (skipped < segment.text.size()) rest.push_back({segment.text.substr(skipped), segment.is_template});
  }
  return rest;
}

/// A `Watch` watches. It has to be made before the values that count in it. `more` sets variables of the program's; ours win over them.
StringParts run(
    const jinja::program& program, const std::string& source, const std::vector<Message>& messages, bool as_parts, std::string_view bos,
    std::string_view eos, const std::function<void(jinja::context&)>& more = [](jinja::context&) {}) {
  auto list = jinja::mk_val<jinja::value_array>();
  for (const Message& message : messages) {
    auto entry = jinja::mk_val<jinja::value_object>();
    entry->insert("role", template_text(message.role));
    entry->insert("content", content_value(message.content, as_parts));
    list->push_back(entry);
  }
  jinja::context context(source);
  // Reasoning models would otherwise begin with a hidden chain of thought, which is no answer to show.
  context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(false));
  more(context);
  context.set_val("messages", template_limits::keep(list));
  context.set_val("bos_token", template_text(bos));
  context.set_val("eos_token", template_text(eos));
  context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(true));

  jinja::runtime runtime(context);
  return jinja::runtime::gather_string_parts(runtime.execute(program))->as_string().parts;
}

/// Whether the template accepts such messages and shows the content of the first. Throws Failure if it passes a limit: it would do so
/// again.
bool shows(const jinja::program& program, const std::string& source, const std::vector<Message>& messages, bool as_parts) {
  template_limits::Watch watch;
  try {
    std::string text;
    for (const jinja::string_part& part : run(program, source, messages, as_parts, "", "")) text += part.val;
    return text.find(messages.front().content) != std::string::npos;
  } catch (const std::exception& error) {
    if (!watch.passed()) return false;
    throw Failure(FailureKind::template_failed, std::string("the chat template cannot be used: ") + error.what());
  }
}

}  // namespace

ChatTemplate::ChatTemplate(const std::string& source) : parsed_(std::make_unique<Parsed>()) {
  try {
    jinja::lexer lexer;
    const auto tokens = lexer.tokenize(source);
    template_limits::check_tokens(tokens);
    for (const jinja::token& token : tokens.tokens) {
      const bool word = token.t == jinja::token::string_literal || token.t == jinja::token::identifier;
      if (word && !token.value.empty()) parsed_->words.push_back(token.value);
    }
    parsed_->program = jinja::parse_from_tokens(tokens);
    parsed_->source = tokens.source;
    template_limits::add_checks(parsed_->program);
  } catch (const std::exception& error) {
    throw Failure(FailureKind::template_failed, std::string("the chat template cannot be parsed: ") + error.what());
  }
  const Message user{"user", "first words"};
  const Message system{"system", "other words"};
  const auto shown = [this](const std::vector<Message>& messages, bool as_parts) {
    return shows(parsed_->program, parsed_->source, messages, as_parts);
  };
  parsed_->wants_parts = !shown({user}, false) && shown({user}, true);
  parsed_->knows_system = shown({system, user}, parsed_->wants_parts);
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::vector<Segment> ChatTemplate::render(const std::vector<Message>& messages, const Vocabulary& vocabulary,
                                          const std::string& variables) const {
  const ContentMarks marks(vocabulary.specials(), parsed_->words);
  std::vector<Message> spoken = parsed_->knows_system ? messages : fold_system(messages);
  for (Message& message : spoken) message.content = marks.put(message.content);

  std::vector<Segment> segments;
  std::size_t length = 0;
  template_limits::Watch watch;
  try {
    const auto more = [&](jinja::context& context) { set_variables(context, variables, marks); };
    for (const jinja::string_part& part :
         run(parsed_->program, parsed_->source, spoken, parsed_->wants_parts, vocabulary.bos_text(), vocabulary.eos_text(), more)) {
      ContentMarks::take(part.val, !part.is_input, segments);
      length += part.val.size();
    }
  } catch (const std::exception& error) {
    throw Failure(FailureKind::template_failed, std::string("the chat template failed on these messages: ") + error.what());
  }
  if (segments.empty()) throw Failure(FailureKind::template_failed, "the chat template rendered these messages to nothing");
  if (length > longest_output) throw Failure(FailureKind::template_failed, "the chat template rendered these messages to more than 16 MiB");
  return segments;
}

std::vector<Segment> ChatTemplate::turn(const std::string& ask, const Vocabulary& vocabulary, const std::string& variables) const {
  const Message question{"user", "Some words"};
  const Message answer{"assistant", "Some other words"};
  std::vector<Message> chat{question, answer};
  if (!ask.empty()) chat.push_back({"user", ask});
  const std::vector<Segment> segments = render(chat, vocabulary, variables);
  const std::string text = text_of(segments);
  const std::size_t at = text.rfind(answer.content);
  if (at == std::string::npos)
    throw Failure(FailureKind::template_failed, "the chat template leaves out what the assistant said, so a guard cannot ask behind it");
  const std::string_view behind = std::string_view(text).substr(at + answer.content.size());
  if (ask.empty()) {
    // Where the assistant's words begin right behind the user's turn, nothing opens a turn for it alone.
    const std::string opening = text_of(render({question}, vocabulary, variables));
    const std::string_view alike = common_end(opening, behind);
    if (alike.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos) {
      throw Failure(FailureKind::template_failed,
                    "the chat template writes nothing that opens the assistant's turn, so a guard cannot ask behind an answer: give it a "
                    "question to ask there, `guard: { ask: '…' }`");
    }
  }
  return from_byte(segments, text.size() - behind.size());
}

}  // namespace nudging
