#include "templates/chat_template.h"

#include <chrono>

#include "basics/failure.h"
#include "check.h"
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
  for (const std::string expression :
       {"content", "content | tojson", "[content, 'x'] | join('')",
        "content.split('|')[0] + '|' + content.split('|')[1] + '|' + content.split('|')[2]", "('a' + content) | replace('a', '')",
        "(content + 'x')[0:10]", "messages | string", "content | trim", "content | lower", "content.split('#') | join('')",
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
  CHECK_EQUAL(rendered("{% for m in messages %}{% if m.role != 'system' %}{{ m.role }}:{{ m.content }};{% endif %}{% endfor %}", chat),
              folded);
  // It reads the content before it raises: llama.cpp's own test of capabilities takes that for support.
  CHECK_EQUAL(rendered("{% if messages[0].role == 'system' and messages[0].content %}{{ raise_exception('no') }}{% endif %}" + turns, chat),
              folded);
}

TEST("variables of the program reach the template, and take the place of its defaults, but not of what the engine sets") {
  const auto with = [](const std::string& source, const std::string& variables) {
    std::string text;
    for (const Segment& segment : ChatTemplate(source).render({{"user", "hello"}}, vocabulary("qwen2"), variables)) text += segment.text;
    return text;
  };
  const std::string source =
      "{{ enable_thinking }},{{ n }},{{ list | tojson }},{{ o.key }},{% if o.none is none %}none{% endif %},{{ missing is defined }}";
  CHECK_EQUAL(
      with(source, R"({"enable_thinking": true, "n": -1.5, "list": [1, "a", null, {"b": false}], "o": {"key": "value", "none": null}})"),
      std::string(R"(True,-1.5,[1, "a", null, {"b": false}],value,none,False)"));
  CHECK_EQUAL(with("{{ enable_thinking }}", ""), std::string("False"));
  CHECK_EQUAL(with("{{ messages[0].content }}{{ add_generation_prompt }}", R"({"messages": [], "add_generation_prompt": false})"),
              std::string("helloTrue"));
  for (const std::string wrong : {"[]", "{", "\"x\""}) {
    bool failed = false;
    try {
      with("x", wrong);
    } catch (const nudging::Failure& failure) {
      failed = failure.kind() == nudging::FailureKind::template_failed;
    }
    CHECK(failed);
  }
}

TEST("no text in variables makes a control token, whatever the template does to it") {
  const auto& known = vocabulary("qwen2");
  const auto controls = [&](const std::string& source) {
    const std::string variables = R"({"v": "<|im_end|>", "o": {"<|im_start|>": ["<|im_end|>", "x"]}})";
    const auto prompt = nudging::compile_prompt(known, ChatTemplate(source).render({{"user", "hello"}}, known, variables));
    int found = 0;
    for (const nudging::Token token : prompt.head) {
      for (const auto& special : known.specials()) found += special.token == token ? 1 : 0;
    }
    return found;
  };
  for (const std::string expression : {"v", "v | upper | lower", "v.split('|') | join('|')", "v[0] ~ v[1:]", "o | tojson", "o | string",
                                       "o", "('a' + v) | replace('a', '')"}) {
    CHECK_EQUAL(controls("{{ " + expression + " }}<|im_end|>"), 1);
  }
  CHECK_EQUAL(controls("{% for key, value in o.items() %}{{ key }}{{ value[0] }}{% endfor %}<|im_end|>"), 1);
  // Members are found by their names all the same.
  CHECK_EQUAL(controls("{% if o['<|im_start|>'] is defined or o | length == 1 %}<|im_end|>{% endif %}"), 1);
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
  CHECK(fails_with("{{ [1] | select('divis' 'ibleby', 0) }}", "divisibleby"));
  CHECK(fails_with("{{ [1] | select('divis' ~ 'ibleby', 0) }}", "divisibleby"));
  CHECK(fails_with("{{ test_is_divisibleby(1, 0) }}", "divisibleby"));
  CHECK(fails_with("{% set range = nothing %}{% for i in range(1000000000000) %}x{% endfor %}", "range()"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CHECK_EQUAL(rendered("{{ 4 is divisibleby(2) }}{{ range(2, 8, 3) | join(',') }}{{ range(3) | length }}{{ range(3, 0, -2) | last }}",
                       {{"user", "x"}}),
              std::string("True2,531"));
  CHECK_EQUAL(rendered("{% macro f(n) %}{% if n %}x{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(10) }}", {{"user", "x"}}),
              std::string("xxxxxxxxxx"));
  CHECK_EQUAL(
      rendered(repeated("{% if 1 %}{% if 1 %}x{% elif 0 %}{% else %}{% endif %}{% set a %}b{% endset %}{% set c = 1 %}{% endif %}", 100),
               {{"user", "x"}})
          .size(),
      std::size_t{100});
}

namespace {

/// Ten megabytes, with the help of what is allowed.
const std::string large = "{% set large = range(100) | join(('x' * 100000) | replace('x', 'y')) %}";

/// `step` changes ns.x, forty times.
std::string forty_times(const std::string& start, const std::string& step, const std::string& end = "") {
  return "{% set ns = namespace(x=" + start + ") %}{% for i in range(40) %}" + step + "{% endfor %}" + end;
}

/// A tuple of 2^`levels` numbers that takes no memory to speak of.
std::string pairs(int levels, const std::string& end) { return "{% set x = 1 %}" + repeated("{% set x = (x, x) %}", levels) + end; }

}  // namespace

TEST("templates whose texts and lists would fill the memory end as failures, at once") {
  const std::string text = "more than 16 MiB";
  const std::string work = "takes too long";
  const std::vector<std::pair<std::string, std::string>> templates = {
      {"{{ 'x' * 1000000000000 }}", text},
      {"{{ 1000000000000 * 'x' }}", text},
      {"{{ ('x' * 0) * 1000000000000 }}", text},
      {forty_times("'xx'", "{% set ns.x = ns.x ~ ns.x %}"), "pieces"},
      {forty_times("''", "{% set ns.x = ns.x + ns.x %}"), "pieces"},
      {forty_times("'xx'", "{% set ns.x = (ns.x ~ ns.x) | replace('y', 'x') %}"), text},
      {forty_times("'xx'", "{% set ns.x = ns.x | replace('x', ns.x) %}"), text},
      {forty_times("'xx'", "{% set ns.x = ns.x.replace('', ns.x) %}"), text},
      {forty_times("'xx'", "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}"), "put out more"},
      {forty_times("[1]", "{% set ns.x = ns.x + ns.x %}"), "200000 elements"},
      {forty_times("['x']", "{% set ns.x = [ns.x, ns.x] %}", "{{ ns.x }}"), text},
      {"{% set x = 'x' * 100000 %}{% set f = x.replace %}{{ f('x', x) }}", text},
      {"{% set x = 'x' * 100000 %}{% set f = x['replace'] %}{% call f('x', x) %}{% endcall %}", text},
      {"{% set x = 'x' * 100000 %}{% filter replace('x', x) %}{{ x }}{% endfilter %}", text},
      {"{{ 'a\nb' | indent(1000000000) }}", text},
      {"{{ 'a\nb'.indent(width=1000000000) }}", text},
      {"{{ [[1]] | tojson(indent=1000000000) }}", "indents by more"},
      {"{{ tojson([[1]], none, 1000000000) }}", "indents by more"},
      {large + "{{ large * 2 }}", text},
      {large + "{{ large ~ [large] }}", text},
      {large + "{{ [large, large] | join }}", text},
      {large + "{{ range(9) | join(d=large) }}", text},
      {large + "{{ range(9) | tojson(separators=[large]) }}", text},
      {large + "{{ '{}{}'.format(large, large) }}", text},
      {large + "{{ [large, large] | string }}", text},
      {large + repeated("{{ large }}", 100), "put out more"},
      {large + "{% for i in range(1000) %}{{ large }}{% endfor %}", "put out more"},
      {large + "{% set l = [] %}{% for i in range(1000) %}{% set _ = l.append(large ~ i) %}{% endfor %}", "256 MiB"},
      {large + "{% set l = [] %}{% for i in range(1000) %}{% set _ = l.append(large | upper) %}{% endfor %}", "256 MiB"},
      {"{% set l = [] %}{% for i in range(1000) %}{% set _ = l.append(range(100000)) %}{% endfor %}", "256 MiB"},
      {large + "{{ {large: 1} }}", "64 KiB"},
      {large + "{{ large.split('y') }}", "200000 elements"},
      {"{{ (('x ' * 150000).split(' ')) }}", work},
      {large + "{{ large | replace('y', 'zz') }}", text},
      {large + "{{ large | replace('y', '') }}", work},
      {large + "{{ large[:5000000] in large }}", work},
      {large + "{{ range(100000) | select('eq', large) }}", work},
      {large + "{{ range(100000) | select('in', [large]) }}", work},
      {large + "{{ large.strip(large) }}", work},
      {pairs(40, "{{ x }}"), "32 levels"},
      {pairs(30, "{{ x }}"), text},
      {pairs(30, "{{ x | string }}"), text},
      {pairs(30, "{{ x | tojson }}"), text},
      {pairs(30, "{{ x | upper }}"), text},
      {pairs(30, "{{ 'x' ~ x }}"), text},
      {pairs(30, "{{ x == x }}"), text},
      {pairs(30, "{{ {x: 1} }}"), text},
      {pairs(30, "{{ {}[x] }}"), text},
      {pairs(30, "{{ x in {} }}"), text},
      {pairs(30, "{{ [x] is in([x]) }}"), text},
      {pairs(30, "{{ [x] | select('in', [x]) }}"), text},
      {pairs(30, "{% set l = [] %}{% set _ = l.append(x) %}"), text},
  };
  for (const auto& [source, reason] : templates) {
    const auto start = std::chrono::steady_clock::now();
    const bool fails = fails_with(source, reason);
    const auto time = std::chrono::steady_clock::now() - start;
    if (!fails || time > std::chrono::seconds(10))
      std::cout << source << " after " << std::chrono::duration<double>(time).count() << " s\n";
    CHECK(fails);
    CHECK(time < std::chrono::seconds(10));
  }
}

TEST("no value comes to contain itself, and long chains of values are destroyed without recursion") {
  const std::string itself = "contain itself";
  CHECK(fails_with("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", itself));
  CHECK(fails_with("{% set l = [] %}{% set _ = l | append([[l]]) %}{{ l | tojson }}", itself));
  CHECK(fails_with("{% set l = [] %}{% set f = l.append %}{% call f({'a': l}) %}{% endcall %}{{ l | string }}", itself));
  CHECK(fails_with("{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns | string }}", itself));
  CHECK(fails_with("{% set a = [] %}{% set b = [a] %}{% set _ = a.append(b) %}{{ a }}", itself));
  // What a function holds cannot be seen.
  CHECK(fails_with("{% set ns = namespace() %}{% set ns.x = ns.get %}{{ ns | string }}", "stores a function"));
  CHECK(fails_with("{% macro m() %}{% set ns.x = [caller] %}{% endmacro %}{% set ns = namespace() %}{% call m() %}x{% endcall %}",
                   "stores a function"));
  const auto grow = [](const std::string& levels) {
    return "{% set root = [] %}{% set ns = namespace(x=root) %}{% for i in range(" + levels +
           ") %}{% set next = [] %}{% set _ = ns.x.append(next) %}{% set ns.x = next %}{% endfor %}";
  };
  CHECK_EQUAL(rendered(grow("25000") + "{{ messages[0].content }}", {{"user", "x"}}), std::string("x"));
  CHECK_EQUAL(rendered(grow("30") + "{{ root | string | length }}", {{"user", "x"}}), std::string("62"));
  CHECK(fails_with(grow("100") + "{{ root | string }}", "32 levels"));
}

TEST("sorting what has no order is refused: std::sort would leave its memory") {
  CHECK(fails_with("{{ [9, 10, '1a'] | sort }}", "sorts"));
  CHECK(fails_with("{{ [1, 0 / 0, 2] | sort }}", "sorts"));
  CHECK(fails_with("{{ [{'a': 1}, {'a': 'b'}] | sort(attribute='a') }}", "sorts"));
  CHECK(fails_with("{{ {'a': 1, 'b': 'c'} | dictsort(by='value') }}", "sorts"));
}

TEST("what is checked renders as llama.cpp itself renders it") {
  for (const std::string source : {
           "{{ 'ab' * 3 }}{{ 2 * 'x' }}{{ 'x' * -1 }}{{ 3 * 4 }}{{ 1.5 + 1 }}{{ 7 % 4 }}{{ -3 | abs }}{{ 1 < 2 }}{{ not 1 }}",
           "{{ 'a' ~ 1 ~ none ~ [1, 'b', {'c': none}] }}{{ 'a' + 'b' }}{{ [1] + [2, 3] }}{{ [1, 2] == [1, 2] }}{{ (1, 2) == (1, 2) }}",
           "{{ 'abc' | replace('b', 'xx') }}{{ 'abc'.replace('', '-') }}{{ 123 | upper }}{{ [1, 'a'] | upper }}",
           "{{ 'a,b,c'.split(',') | join('+') }}{{ 'a b c'.split() | length }}{{ 'a,b,c'.rsplit(',', 1) }}{{ [1, 2.5, 'x'] | join }}{{ "
           "[{'a': 1}] | join(d=',', attribute='a') }}",
           "{{ 'a\n\nb\n' | indent }}{{ 'a\nb' | indent(2, true, blank=true) }}{{ 'a\nb'.indent(width='--') }}{{ '{}-{}'.format('a', 1) }}",
           "{% set d = {'a': [1, 'x\"\\'', none, true, 1.5, {'b': (1, 2)}]} %}{{ d | string }}{{ d | tojson }}{{ d | tojson(indent=2) }}{{ "
           "d | tojson(separators=(',', ':')) }}{{ 'é' | tojson(ensure_ascii=true) }}{{ d.a[1:3] }}{{ d['a'][-1].b }}",
           "{{ [3, 1, 2] | sort | join }}{{ ['b', 'a'] | sort(reverse=true) | join }}{{ [{'a': 2}, {'a': 1}] | sort(attribute='a') | "
           "map(attribute='a') | join }}{{ [1, 2] | max }}{{ ['b', 'a'] | min }}{% for k, v in {'b': 1, 'a': 2} | dictsort %}{{ k }}{{ v "
           "}}{% endfor %}",
           "{{ [1, 2, 3] | select('gt', 1) | join }}{{ [{'a': 1}, {'a': 2}] | selectattr('a', 'eq', 1) | list | tojson }}{{ ['a', 'b'] | "
           "reject('in', ['a']) | join }}{{ 4 is divisibleby(2) }}{{ 'a' is in('abc') }}{{ 'z' in {'z': 1} }}{{ 1 not in [2] }}",
           "{% set t %}  a {{ messages[0].content }} {% endset %}[{{ t | trim }}][{{ t.lstrip() }}][{{ t.rstrip(' ') }}]{{ t | upper | "
           "lower | title | capitalize }}{% filter upper %}abc{{ t }}{% endfilter %}",
           "{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m('q') }}{{ m('q', b='r') }}{% macro n(x) %}({{ caller(x) }}){% "
           "endmacro %}{% call(y) n('k') %}{{ y }}in{% endcall %}",
           "{% for k, v in {'a': 1, 'b': 2}.items() if v > 1 %}{{ k }}{{ loop.index }}{{ loop.last }}{% endfor %}{% for k in {'a': 1} %}{{ "
           "k }}{% endfor %}{% for x in [] %}{% else %}none{% endfor %}{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 "
           "%}{% break %}{% endif %}{{ loop.previtem }}{{ i }}{{ loop.length }}{% endfor %}",
           "{% set a, b = 1, [2] %}{{ a }}{{ b }}{% set ns = namespace(q=3) %}{% set ns.r = [ns.q] %}{{ ns.r }}{{ ns.q }}{% set l = [1] "
           "%}{% set _ = l.append(messages[0]) %}{{ l | length }}{{ l.pop().role }}{{ l | append('x') }}",
           "{{ messages[0]['content'][1:3] }}{{ messages[0].content[::-1] }}{{ 'abc'[1] }}{{ nothing }}{{ nothing.more is defined }}{{ "
           "range is defined }}{{ nothing | default('d') }}{{ messages[0].get('x', 'y') }}{{ messages | length }}{{ (1 if false else 2) "
           "}}{{ 'a' and 'b' or 'c' }}{{ tojson([1]) }}{{ range(2, 8, 3) | list }}",
       }) {
    const auto tokens = jinja::lexer().tokenize(source);
    const jinja::program program = jinja::parse_from_tokens(tokens);
    jinja::context context(tokens.source);
    jinja::global_from_json(context, common_json{{"messages", common_json::array({{{"role", "user"}, {"content", "hello"}}})}}, true);
    jinja::runtime runtime(context);
    CHECK_EQUAL(rendered(source, {{"user", "hello"}}), jinja::runtime::gather_string_parts(runtime.execute(program))->as_string().str());
  }
}

TEST("a loop in a loop in a loop is stopped by the clock") {
  const auto start = std::chrono::steady_clock::now();
  const std::string loop = "{% for i in range(100000) %}";
  CHECK(fails_with("{% if messages | length == 1 and messages[0].content == 'hello' %}" + loop + loop + loop +
                       "x{% endfor %}{% endfor %}{% endfor %}{% endif %}{{ messages[0].content }}",
                   "longer than 5 seconds"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}
