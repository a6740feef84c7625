#pragma once

#include "jinja/lexer.h"
#include "jinja/value.h"

namespace nudging {

/// A chat template is a program out of a downloaded file, and llama.cpp's Jinja engine runs it without limits. These are ours.
///
/// Before the program is parsed, `check_tokens` bounds the depth of its syntax tree: the parser, the interpreter and the destructors
/// recurse over it. `add_checks` (checks.h) then makes the tree watch itself while it runs: time and stack at every statement and most
/// expressions, the memory of all values that live, and what statements put out (watch.h). What an operation may make of its operands is
/// bounded before it begins (operations.h), and no value comes to contain itself (values.h).
///
/// Not bounded: tables of variables, which the engine copies for every loop and macro that it enters, so that they grow with the length of
/// the template alone; and the copies that an operation makes on its way, a few times its bounded operands and result.
namespace template_limits {

/// Throws std::runtime_error if the template nests too deep to be parsed, or would crash the interpreter.
void check_tokens(const jinja::lexer_result& source);

/// The `range` of templates: as Jinja's, but at most 100,000 numbers.
jinja::value range(const jinja::func_args& arguments);

}  // namespace template_limits

}  // namespace nudging
