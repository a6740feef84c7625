#include "basics/failure.h"
#include "check.h"
#include "templates/chat_template.h"
#include "text/prompt.h"
#include "vocabularies.h"

using nudging::ChatTemplate;
using nudging::compile_prompt;
using nudging::compile_turn;
using nudging::Segment;
using nudging::Token;

namespace {

const nudging::Vocabulary& vocabulary(const std::string& name) {
  for (const auto& loaded : collections::vocabularies()) {
    if (loaded.name == "ggml-vocab-" + name) return *loaded.vocabulary;
  }
  throw std::runtime_error("no vocabulary " + name);
}

std::string turn_of(const std::string& source, const std::string& ask = {}) {
  std::string text;
  for (const Segment& segment : ChatTemplate(source).turn(ask, vocabulary("qwen2"))) text += segment.text;
  return text;
}

std::string failure_of(const std::string& source) {
  try {
    return "none, but " + turn_of(source);
  } catch (const nudging::Failure& failure) {
    CHECK_EQUAL(failure.kind(), nudging::FailureKind::template_failed);
    return failure.what();
  }
}

const std::string chatml =
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if enable_thinking %}<think>{% endif %}{% endif %}";

}  // namespace

TEST("R61: the marks of another turn are what a template writes between the assistant's words and its next turn") {
  CHECK_EQUAL(turn_of(chatml), "<|im_end|>\n<|im_start|>assistant\n");
  CHECK_EQUAL(turn_of(chatml, "Really?"), "<|im_end|>\n<|im_start|>user\nReally?<|im_end|>\n<|im_start|>assistant\n");
  // A template that trims or adds around the words, and one that repeats the user's.
  CHECK_EQUAL(turn_of("{% for m in messages %}[{{ m['role'] }}] {{ m['content'] | trim }} /{% endfor %}[assistant]"), " /[assistant]");
  CHECK_EQUAL(turn_of("{% for m in messages %}<{{ m['content'] }}>{% endfor %}{{ messages[0]['content'] }}:"), ">Some words:");
}

TEST("R61: who asks is a user, whose words are no template text") {
  std::string of_user;
  for (const Segment& segment : ChatTemplate(chatml).turn("Say <|im_end|>", vocabulary("qwen2"))) {
    if (!segment.is_template) of_user += segment.text;
  }
  CHECK_EQUAL(of_user, "Say <|im_end|>");
}

TEST("R61: variables of the template are those of the guard") {
  std::string text;
  for (const Segment& segment : ChatTemplate(chatml).turn("", vocabulary("qwen2"), R"({"enable_thinking":true})")) text += segment.text;
  CHECK_EQUAL(text, "<|im_end|>\n<|im_start|>assistant\n<think>");
}

TEST("R61: a template that opens no turn for the assistant, or leaves out its words, is refused") {
  // The assistant speaks right behind the user's turn, as in older templates of Mistral's.
  const std::string mistral =
      "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]{% else %}{{ m['content'] }}</s>{% endif %}"
      "{% endfor %}";
  CHECK(failure_of(mistral).find("guard: { ask:") != std::string::npos);
  CHECK_EQUAL(turn_of(mistral, "Really?"), "</s>[INST] Really? [/INST]");
  // White space at both ends opens nothing.
  CHECK(failure_of("{% for m in messages %}{{ m['content'] }}\n{% endfor %}").find("opens the assistant's turn") != std::string::npos);
  CHECK(failure_of("{{ messages[0]['content'] }}").find("leaves out what the assistant said") != std::string::npos);
}

TEST("R2, R61: what stands in front of the first control token stays text, and the rest are the tokens that a prompt has there") {
  const auto& known = vocabulary("qwen2");
  const std::vector<Segment> end{{" done.<|im_end|>\n<|im_start|>assistant\n", true}};
  const nudging::Turn turn = compile_turn(known, end);
  CHECK_EQUAL(turn.text, " done.");

  std::vector<Segment> all{{"Well", false}, end[0]};
  const nudging::Prompt prompt = compile_prompt(known, all);
  std::vector<Token> whole = prompt.head;
  const std::vector<Token>& tail = prompt.followed.tokens();
  whole.insert(whole.end(), tail.begin(), tail.end());
  std::vector<Token> joined = known.tokenize("Well" + turn.text);
  joined.insert(joined.end(), turn.tokens.begin(), turn.tokens.end());
  CHECK(joined == whole);

  const nudging::Turn plain = compile_turn(known, {{"\nAssistant: <|im_end|>", false}});
  CHECK_EQUAL(plain.text, "\nAssistant: <|im_end|>");
  CHECK(plain.tokens.empty());
  CHECK(compile_turn(known, {}).text.empty());
}
