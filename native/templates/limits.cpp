#include "templates/limits.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nudging::template_limits {

namespace {

using jinja::token;

/// The templates that come with llama.cpp need 15 and 57.
constexpr int most_nesting = 64;
constexpr std::size_t most_tokens_in_a_tag = 500;
constexpr std::int64_t longest_range = 100'000;

bool is_name(const token& each, std::string_view name) { return each.t == token::identifier && each.value == name; }

bool opens_block(const std::vector<token>& tokens, std::size_t name) {
  const std::string& word = tokens[name].value;
  if (word != "set") return word == "if" || word == "elif" || word == "for" || word == "macro" || word == "call" || word == "filter";
  // Only `{% set x %}…{% endset %}` has a body.
  for (std::size_t i = name; i < tokens.size() && tokens[i].t != token::close_statement; ++i) {
    if (tokens[i].t == token::equals) return false;
  }
  return true;
}

bool divides_by_number(const std::vector<token>& tokens, std::size_t at) {
  return at + 3 < tokens.size() && tokens[at + 1].t == token::open_paren && tokens[at + 2].t == token::numeric_literal &&
         tokens[at + 2].value.find_first_of("123456789") != std::string::npos && tokens[at + 2].value.front() != '-' &&
         tokens[at + 3].t == token::close_paren;
}

}  // namespace

void check_tokens(const jinja::lexer_result& source) {
  const std::vector<token>& tokens = source.tokens;
  std::vector<int> blocks;
  int brackets = 0;
  int depth = 0;
  std::size_t in_tag = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    ++in_tag;
    switch (tokens[i].t) {
      case token::open_statement:
        in_tag = 0;
        brackets = 0;
        if (i + 1 >= tokens.size()) break;
        if (tokens[i + 1].value == "elif") {
          // The parser nests each `elif` into the one before it, and one `endif` closes them all.
          if (!blocks.empty()) ++blocks.back(), ++depth;
        } else if (opens_block(tokens, i + 1)) {
          blocks.push_back(1);
          ++depth;
        } else if (tokens[i + 1].value.starts_with("end") && tokens[i + 1].value != "endgeneration" && !blocks.empty()) {
          depth -= blocks.back();
          blocks.pop_back();
        }
        break;
      case token::open_expression:
        in_tag = 0;
        brackets = 0;
        break;
      case token::open_paren:
      case token::open_square_bracket:
      case token::open_curly_bracket: ++brackets; break;
      case token::close_paren:
      case token::close_square_bracket:
      case token::close_curly_bracket: --brackets; break;
      case token::string_literal:
        if (tokens[i].value == "divisibleby")
          throw std::runtime_error("it names the test \"divisibleby\" in a string, where a division by zero could not be noticed");
        break;
      default:
        if (is_name(tokens[i], "divisibleby") && !divides_by_number(tokens, i))
          throw std::runtime_error("its test \"divisibleby\" needs a positive number in parentheses");
    }
    if (in_tag > most_tokens_in_a_tag)
      throw std::runtime_error("one of its tags is longer than " + std::to_string(most_tokens_in_a_tag) + " words");
    if (depth + brackets > most_nesting) throw std::runtime_error("it nests deeper than " + std::to_string(most_nesting) + " levels");
  }
}

jinja::value range(const jinja::func_args& arguments) {
  arguments.ensure_count(1, 3);
  const auto number = [&](std::size_t position) { return arguments.get_pos(position)->as_int(); };
  const bool one = arguments.count() == 1;
  const std::int64_t first = one ? 0 : number(0);
  const std::int64_t end = number(one ? 0 : 1);
  const std::int64_t step = arguments.count() == 3 ? number(2) : 1;
  if (step == 0) throw std::runtime_error("range() step argument must not be zero");
  auto numbers = jinja::mk_val<jinja::value_array>();
  std::int64_t count = 0;
  for (std::int64_t next = first; step > 0 ? next < end : next > end; next += step) {
    if (++count > longest_range) throw std::runtime_error("range() is longer than " + std::to_string(longest_range) + " numbers");
    numbers->push_back(jinja::mk_val<jinja::value_int>(next));
    // The next one would not be a number any more.
    if (step > 0 ? next > INT64_MAX - step : next < INT64_MIN - step) break;
  }
  return numbers;
}

}  // namespace nudging::template_limits
