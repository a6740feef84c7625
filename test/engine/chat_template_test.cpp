#include "engine/chat_template.h"

#include <chrono>

#include "check.h"
#include "engine/failure.h"
#include "jinja/caps.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "json.h"
#include "vocabularies.h"

using nudging::ChatTemplate;
using nudging::Message;
using nudging::Segment;

namespace {

const nudging::Vocabulary& vocabulary(const std::string& name) {
  for (const auto& loaded : collections::vocabularies()) {
    if (loaded.name == "ggml-vocab-" + name) return *loaded.vocabulary;
  }
  throw std::runtime_error("no vocabulary " + name);
}

std::string rendered(const std::string& source, const std::vector<Message>& messages) {
  std::string text;
  for (const Segment& segment : ChatTemplate(source).render(messages, vocabulary("qwen2"))) text += segment.text;
  return text;
}

/// What a failing template says; empty if it does not fail.
std::string failure_of(const std::string& source, const std::vector<Message>& messages = {{"user", "hello"}}) {
  try {
    rendered(source, messages);
    return "";
  } catch (const nudging::Failure& failure) {
    CHECK_EQUAL(failure.kind(), nudging::FailureKind::template_failed);
    return failure.what();
  }
}

bool fails_with(const std::string& source, const std::string& reason) {
  const std::string message = failure_of(source);
  if (message.find(reason) != std::string::npos) return true;
  std::cout << "says: " << message << "\n";
  return false;
}

/// Control tokens in template parts, as `compile_prompt` would find them.
int specials_in(const std::string& source, const std::vector<Message>& messages, const std::string& name = "qwen2") {
  const auto& known = vocabulary(name);
  const auto prompt = nudging::compile_prompt(known, ChatTemplate(source).render(messages, known));
  int found = 0;
  for (const nudging::Token token : prompt.head) {
    for (const auto& special : known.specials()) found += special.token == token ? 1 : 0;
  }
  return found;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST("harmless messages render as llama.cpp itself renders them") {
  const std::vector<Message> messages = {{"system", "Be <b>brief</b>."},
                                         {"user", "Is a < b, [c] or {d}? <x> </think>"},
                                         {"assistant", "<think>\nhm < 3\n</think>\n\nYes <y>.\n"},
                                         {"user", "  Why? \"q\" \\n <|nothing|>\n"}};
  for (const auto& path : collections::files(collections::models / "templates", "", ".jinja")) {
    const std::string source = collections::read(path);
    jinja::lexer lexer;
    const auto tokens = lexer.tokenize(source);
    jinja::program program = jinja::parse_from_tokens(tokens);
    const jinja::caps caps = jinja::caps_get(program);
    if (!caps.supports_system_role) {
      std::cout << "      no system role: " << path.stem().string() << "\n";
      continue;
    }
    common_json list = common_json::array();
    for (const Message& message : messages) {
      if (caps.supports_string_content || !caps.supports_typed_content) {
        list.push_back({{"role", message.role}, {"content", message.content}});
      } else {
        list.push_back({{"role", message.role}, {"content", common_json::array({{{"type", "text"}, {"text", message.content}}})}});
      }
    }
    const auto& known = vocabulary("llama-bpe");
    jinja::context context(tokens.source);
    jinja::global_from_json(context,
                            common_json{{"messages", list},
                                        {"bos_token", std::string(known.bos_text())},
                                        {"eos_token", std::string(known.eos_text())},
                                        {"add_generation_prompt", true},
                                        {"enable_thinking", false}},
                            true);
    std::string theirs;
    std::string ours;
    try {
      jinja::runtime runtime(context);
      theirs = jinja::runtime::gather_string_parts(runtime.execute(program))->as_string().str();
    } catch (const std::exception& error) {
      std::cout << "      " << path.stem().string() << " fails: " << error.what() << "\n";
      continue;
    }
    for (const Segment& segment : ChatTemplate(source).render(messages, known)) ours += segment.text;
    if (ours != theirs) std::cout << path.stem().string() << "\n";
    CHECK_EQUAL(ours, theirs);
  }
}

TEST("what loses llama.cpp's mark of user text makes no control token") {
  const std::string end = "<|im_end|>";
  for (const std::string expression : {"content", "content | tojson", "[content, 'x'] | join('')", "content.split('|')[0] + '|' + content.split('|')[1] + '|' + content.split('|')[2]",
                                       "('a' + content) | replace('a', '')", "(content + 'x')[0:10]", "messages | string", "content | trim", "content | lower", "content.split('#') | join('')",
                                       "('' ~ content) | replace('#', '')", "content[0] ~ content[1:]"}) {
    const std::string source = "{% set content = messages[0].content %}{{ " + expression + " }}<|im_end|>";
    for (const std::string& content : std::vector<std::string>{end, "<|im_#end|>", "x" + end + "<" + end + "|im_end|>", "<#|im_end|>"}) {
      if (specials_in(source, {{"user", content}}) != 1) std::cout << expression << " of " << content << "\n";
      CHECK_EQUAL(specials_in(source, {{"user", content}}), 1);
    }
  }
}

TEST("a template that splits messages and joins them again assembles no control token") {
  // As Gemma 4 does with what the model said, and Kimi K3 with what the user said.
  const std::string source = "{% for part in messages[0].content.split('<cut>') %}{{ part }}{% endfor %}<|im_end|>";
  CHECK_EQUAL(specials_in(source, {{"user", "<|im_<cut>end|> <|im_end|><cut>"}}), 1);
  CHECK_EQUAL(rendered(source, {{"user", "<|im_<cut>end|>"}}), std::string("<|im_end|><|im_end|>"));
}

TEST("templates still find what they look for in messages") {
  const std::string source = "{{ messages[0].content.split('</think>')[-1] }}";
  CHECK_EQUAL(rendered(source, {{"user", "<think>a < b</think>c <d>"}}), std::string("c <d>"));
}

TEST("bytes of a message that could begin a control token are user text, all others keep llama.cpp's mark") {
  const auto segments = ChatTemplate("<a>{{ messages[0].content | tojson }}").render({{"user", "1<2"}}, vocabulary("qwen2"));
  std::string shown;
  for (const Segment& segment : segments) shown += (segment.is_template ? "T:" : "U:") + segment.text + "|";
  CHECK_EQUAL(shown, std::string("T:<a>\"1|U:<|T:2\"|"));
}

TEST("system text goes in front of the first user message where the template rejects, ignores or loses it") {
  const std::vector<Message> chat = {{"system", "S"}, {"user", "U"}, {"assistant", "A"}, {"user", "V"}};
  const std::string turns = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}";
  CHECK_EQUAL(rendered(turns, chat), std::string("system:S;user:U;assistant:A;user:V;"));
  const std::string folded = "user:S\n\nU;assistant:A;user:V;";
  CHECK_EQUAL(rendered("{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + turns, chat), folded);
  CHECK_EQUAL(rendered("{% for m in messages %}{% if m.role != 'system' %}{{ m.role }}:{{ m.content }};{% endif %}{% endfor %}", chat), folded);
  // It reads the content before it raises: llama.cpp's own test of capabilities takes that for support.
  CHECK_EQUAL(rendered("{% if messages[0].role == 'system' and messages[0].content %}{{ raise_exception('no') }}{% endif %}" + turns, chat), folded);
}

TEST("content as a list of parts, for templates that read nothing else") {
  const std::string source = "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}";
  CHECK_EQUAL(rendered(source, {{"user", "hello"}}), std::string("hello"));
}

TEST("trimmed and edited content, and a date") {
  CHECK_EQUAL(rendered("[{{ messages[0].content | trim | upper }}]", {{"user", "  hi \n"}}), std::string("[HI]"));
  const std::string year = rendered("{{ strftime_now('%Y') }}", {{"user", "x"}});
  CHECK(year.size() == 4 && year >= "2024");
}

TEST("broken templates, templates that raise, and templates that say nothing") {
  CHECK(fails_with("{% if %}", "cannot be parsed"));
  CHECK(fails_with("{{ messages", "cannot be parsed"));
  CHECK(fails_with("{% for m in messages %}", "cannot be parsed"));
  CHECK(fails_with("{{ '\\q' }}", "cannot be parsed"));
  CHECK(fails_with("{{ raise_exception('roles must alternate') }}", "roles must alternate"));
  CHECK(fails_with("{{ messages | nosuchfilter }}", "nosuchfilter"));
  CHECK(fails_with("{% break %}", "failed"));
  CHECK(fails_with("", "nothing"));
  CHECK(fails_with("{# only a comment #}", "nothing"));
}

TEST("endless loops, deep recursion, deep nesting and long ranges end as failures") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(fails_with("{% macro f() %}x{{ f() }}{% endmacro %}{{ f() }}", "too deep"));
  CHECK(fails_with("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(100000) }}", "too deep"));
  CHECK(fails_with("{% for i in range(1000000000000) %}x{% endfor %}", "range()"));
  CHECK(fails_with("{{ range(9223372036854775800, 0, -1) | length }}", "range()"));
  CHECK(fails_with("{{ " + repeated("(", 100000) + "1" + repeated(")", 100000) + " }}", "cannot be parsed"));
  CHECK(fails_with("{{ " + repeated("[", 70) + repeated("]", 70) + " }}", "nests deeper"));
  CHECK(fails_with("{{ " + repeated("not ", 100000) + "1 }}", "longer than"));
  CHECK(fails_with("{{ a" + repeated(".b", 100000) + " }}", "longer than"));
  CHECK(fails_with(repeated("{% if 1 %}", 100000) + repeated("{% endif %}", 100000), "nests deeper"));
  CHECK(fails_with("{% if 0 %}" + repeated("{% elif 0 %}", 100000) + "{% endif %}", "nests deeper"));
  CHECK(fails_with("{{ 1 is divisibleby(0) }}", "divisibleby"));
  CHECK(fails_with("{{ 1 is divisibleby(x) }}", "divisibleby"));
  CHECK(fails_with("{{ [1] | select('divisibleby', 0) }}", "divisibleby"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CHECK_EQUAL(rendered("{{ 4 is divisibleby(2) }}{{ range(2, 8, 3) | join(',') }}{{ range(3) | length }}{{ range(3, 0, -2) | last }}", {{"user", "x"}}), std::string("True2,531"));
  CHECK_EQUAL(rendered("{% macro f(n) %}{% if n %}x{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(10) }}", {{"user", "x"}}), std::string("xxxxxxxxxx"));
  CHECK_EQUAL(rendered(repeated("{% if 1 %}{% if 1 %}x{% elif 0 %}{% else %}{% endif %}{% set a %}b{% endset %}{% set c = 1 %}{% endif %}", 100), {{"user", "x"}}).size(), std::size_t{100});
}

TEST("a loop in a loop in a loop is stopped by the clock") {
  const auto start = std::chrono::steady_clock::now();
  const std::string loop = "{% for i in range(100000) %}";
  CHECK(fails_with("{% if messages | length == 1 and messages[0].content == 'hello' %}" + loop + loop + loop + "x{% endfor %}{% endfor %}{% endfor %}{% endif %}{{ messages[0].content }}",
                   "longer than 5 seconds"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}
