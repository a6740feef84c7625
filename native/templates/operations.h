#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace nudging::template_limits {

/// What llama.cpp's operators, filters, methods and tests make of their operands in one step is bounded before the step: nothing can stop
/// it afterwards. All throw std::runtime_error if the result would be too large, or the step would take longer than about a second.

void check_operator(std::string_view operation, const jinja::value& left, const jinja::value& right);

/// `name` as the engine's tables of functions have it ("test_is_in" for the test `in`) or as filters are called. The first argument is what
/// the filter is applied to or whose method it is; named arguments are `value_kwarg`s. Refuses also what would crash: division by zero,
/// sorting what has no order, and lists that contain themselves.
void check_call(std::string_view name, const std::vector<jinja::value>& arguments);

/// For what is looked up in an object, whose table keys can be made to collide in.
void check_key(const jinja::value& key);

}  // namespace nudging::template_limits
