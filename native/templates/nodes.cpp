#include "templates/nodes.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include "templates/limits.h"
#include "templates/operations.h"
#include "templates/values.h"
#include "templates/watch.h"

namespace nudging::template_limits {

using jinja::context;
using jinja::statement_ptr;
using jinja::statements;
using jinja::value;

namespace {

void check() {
  if (Watch* watch = Watch::current()) watch->check();
}

jinja::func_handler checked_function(const std::string& name, const jinja::func_handler& function) {
  return [name, function](const jinja::func_args& arguments) {
    jinja::func_args kept(arguments.ctx);
    kept.func_name = arguments.func_name;
    for (const value& each : arguments.get_args()) kept.push_back(keep(each));
    check_call(name, kept.get_args());
    return checked(function(kept));
  };
}

/// The arguments of a filter or test behind `first`.
std::vector<value> arguments_of(const statement_ptr& function, const value& first, context& context) {
  std::vector<value> arguments = {first};
  if (const auto* call = jinja::cast_stmt<jinja::call_expression>(function)) {
    for (const auto& each : call->args) arguments.push_back(keep(each->execute(context)));
  }
  return arguments;
}

/// Null if the template names none; the engine then says so.
const jinja::identifier* name_of(const statement_ptr& function) {
  if (const auto* call = jinja::cast_stmt<jinja::call_expression>(function)) return jinja::cast_stmt<jinja::identifier>(call->callee);
  return jinja::cast_stmt<jinja::identifier>(function);
}

/// The same filter or test, its arguments known.
statement_ptr known_function(const statement_ptr& function, const jinja::identifier& name, const std::vector<value>& arguments) {
  auto known = std::make_unique<jinja::identifier>(name.val);
  known->pos = name.pos;
  if (!jinja::is_stmt<jinja::call_expression>(function)) return known;
  statements constants;
  for (std::size_t i = 1; i < arguments.size(); ++i) constants.push_back(constant_at(name.pos, arguments[i]));
  auto call = std::make_unique<jinja::call_expression>(std::move(known), std::move(constants));
  call->pos = name.pos;
  return call;
}

}  // namespace

statement_ptr constant_at(std::size_t position, value known) {
  auto node = std::make_unique<Constant>(std::move(known));
  node->pos = position;
  return node;
}

value checked(const value& made) {
  check();
  return keep(made);
}

value Key::execute_impl(context& context) const {
  value key = inner->execute_impl(context);
  check_key(key);
  return key;
}

value Condition::execute_impl(context& context) const {
  check();
  return inner->execute_impl(context);
}

Step::Step(statement_ptr&& node)
    : Around(std::move(node)), puts_out(!jinja::is_stmt<jinja::if_statement>(inner) && !jinja::is_stmt<jinja::for_statement>(inner)) {}

value Step::execute_impl(context& context) const {
  check();
  value result = inner->execute_impl(context);
  Watch* const watch = Watch::current();
  if (watch == nullptr) return result;
  const bool prints = jinja::is_val<jinja::value_string>(result) || jinja::is_val<jinja::value_array>(result) || result->is_numeric();
  // What branches and loops put out has been counted inside them.
  watch->put_out(sizeof(value) +
                 (prints && puts_out ? extent_of(result).bytes + result->val_str.parts.size() * sizeof(jinja::string_part) : 0));
  // A loop holds what its statements return until its end.
  static const value nothing = constant(jinja::mk_val<jinja::value_undefined>());
  return prints ? keep(result) : nothing;
}

value Name::execute_impl(context& context) const {
  value known = context.get_val(val);
  if (!known->is_undefined()) return known;
  const auto& functions = jinja::global_builtins();
  const auto function = functions.find(val);
  if (function == functions.end()) return jinja::mk_val<jinja::value_undefined>(val);
  return jinja::mk_val<jinja::value_func>(val, checked_function(val, val == "range" ? jinja::func_handler(range) : function->second));
}

value Member::execute_impl(context& context) const {
  value found = member_expression::execute_impl(context);
  const auto* method = jinja::cast_val<jinja::value_func>(found);
  // Nobody else has a method that was made just now; all others are checked.
  if (method == nullptr || found.use_count() > 1) return checked(found);
  return checked(jinja::mk_val<jinja::value_func>(method->name, checked_function(method->name, method->val_func), method->arg0));
}

value Binary::execute_impl(context& context) const {
  const value one = keep(left->execute(context));
  const value other = keep(right->execute(context));
  check_operator(op.value, one, other);
  jinja::binary_expression known(op, constant_at(pos, one), constant_at(pos, other));
  return checked(known.execute_impl(context));
}

value Filter::execute_impl(context& context) const {
  const value input = keep(operand->execute(context));
  const jinja::identifier* name = name_of(filter);
  if (name == nullptr) throw std::runtime_error("Filter callee must be an identifier");
  const std::vector<value> arguments = arguments_of(filter, input, context);
  check_call(name->val, arguments);
  jinja::filter_expression known(constant_at(pos, input), known_function(filter, *name, arguments));
  return checked(known.execute_impl(context));
}

value Test::execute_impl(context& context) const {
  const value input = keep(operand->execute(context));
  const jinja::identifier* name = name_of(test);
  if (name == nullptr) throw std::runtime_error("Test callee must be an identifier");
  const std::vector<value> arguments = arguments_of(test, input, context);
  check_call("test_is_" + name->val, arguments);
  jinja::test_expression known(constant_at(pos, input), negate, known_function(test, *name, arguments));
  return known.execute_impl(context);
}

value SetMember::execute_impl(context& context) const {
  const value stored = val->execute(context);
  const auto* member = jinja::cast_stmt<jinja::member_expression>(assignee);
  const auto* name = jinja::cast_stmt<jinja::identifier>(member->property);
  if (member->computed || name == nullptr) throw std::runtime_error("Cannot assign to computed member");
  const value object = member->object->execute(context);
  check_stored(object, stored);
  jinja::set_statement known(
      std::make_unique<jinja::member_expression>(constant_at(pos, object), std::make_unique<jinja::identifier>(name->val), false),
      constant_at(pos, stored), {});
  return known.execute_impl(context);
}

}  // namespace nudging::template_limits
