#include "templates/variables.h"

#include <cstdint>
#include <stdexcept>

#include "templates/values.h"
#include "jinja/value.h"
#include "json.h"

namespace nudging {

namespace {

jinja::value value_of(const common_json& json, const ContentMarks& marks) {
  if (json.is_null()) return jinja::mk_val<jinja::value_none>();
  if (json.is_boolean()) return jinja::mk_val<jinja::value_bool>(json.get<bool>());
  if (json.is_number_integer()) return jinja::mk_val<jinja::value_int>(json.get<std::int64_t>());
  if (json.is_number_float()) return jinja::mk_val<jinja::value_float>(json.get<double>());
  if (json.is_string()) {
    auto text = jinja::mk_val<jinja::value_string>(marks.put(json.get<std::string>()));
    text->mark_input();
    return text;
  }
  if (json.is_array()) {
    auto list = jinja::mk_val<jinja::value_array>();
    for (const auto& each : json) list->push_back(value_of(each, marks));
    return list;
  }
  auto object = jinja::mk_val<jinja::value_object>();
  for (auto member = json.begin(); member != json.end(); ++member) object->insert(marks.put(member.key()), value_of(member.value(), marks));
  return object;
}

}  // namespace

void set_variables(jinja::context& context, const std::string& json, const ContentMarks& marks) {
  if (json.empty()) return;
  const common_json variables = common_json::parse(json);
  if (!variables.is_object()) throw std::runtime_error("its variables are no JSON object");
  for (auto member = variables.begin(); member != variables.end(); ++member)
    context.set_val(member.key(), template_limits::keep(value_of(member.value(), marks)));
}

}  // namespace nudging
