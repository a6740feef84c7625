#pragma once

#include <string>

#include "templates/content_marks.h"
#include "jinja/runtime.h"

namespace nudging {

/// Sets what a program passes to a chat template beside the messages (`enable_thinking`, say): the members of a JSON object, whose text is
/// `json`. Empty: none. Strings in it, and names of members inside of it, are marked as message contents are: what the template makes of
/// them never becomes a control token. They may hold what a user wrote, and a program that wants control tokens has a template of its own.
///
/// Throws std::runtime_error if it is no JSON object. lib/template-options.ts has checked names, size and depth.
void set_variables(jinja::context& context, const std::string& json, const ContentMarks& marks);

}  // namespace nudging
