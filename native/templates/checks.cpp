#include "templates/checks.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "templates/nodes.h"
#include "templates/values.h"

namespace nudging::template_limits {

namespace {

using jinja::statement_ptr;
using jinja::statements;

void check_node(statement_ptr& node);

template <typename Checked, typename Node>
void replace(statement_ptr& node, Node& old) {
  node = std::make_unique<Checked>(std::move(old));
}

void check_nodes(statements& nodes) {
  for (statement_ptr& each : nodes) check_node(each);
}

void check_body(statements& body) {
  for (statement_ptr& each : body) {
    check_node(each);
    each = std::make_unique<Step>(std::move(each));
  }
}

/// The name of a filter or test is no expression, and neither are names of parameters.
void check_arguments(statement_ptr& function) {
  if (auto* call = jinja::cast_stmt<jinja::call_expression>(function)) check_nodes(call->args);
}

void check_defaults(statements& parameters) {
  for (statement_ptr& each : parameters) {
    if (auto* named = jinja::cast_stmt<jinja::keyword_argument_expression>(each)) check_node(named->val);
  }
}

/// A body as an expression, so that what becomes of its text is checked like any other.
statement_ptr text_of(statements&& body, std::size_t position) {
  check_body(body);
  auto text = std::make_unique<jinja::if_statement>(constant_at(position, constant(jinja::mk_val<jinja::value_bool>(true))),
                                                    std::move(body), statements());
  text->pos = position;
  return std::make_unique<Kept>(std::move(text));
}

void check_member(statement_ptr& node, jinja::member_expression& member) {
  check_node(member.object);
  if (auto* slice = jinja::cast_stmt<jinja::slice_expression>(member.property)) {
    check_node(slice->start_expr);
    check_node(slice->stop_expr);
    check_node(slice->step_expr);
  } else if (member.computed) {
    check_node(member.property);
    member.property = std::make_unique<Key>(std::move(member.property));
  }
  replace<Member>(node, member);
}

void check_loop(jinja::for_statement& loop) {
  auto* filtered = jinja::cast_stmt<jinja::select_expression>(loop.iterable);
  statement_ptr condition;
  if (filtered != nullptr) {
    check_node(filtered->lhs);
    check_node(filtered->test);
    condition = std::move(filtered->test);
    loop.iterable = std::move(filtered->lhs);
  } else {
    check_node(loop.iterable);
    condition = constant_at(loop.pos, constant(jinja::mk_val<jinja::value_bool>(true)));
  }
  auto checked = std::make_unique<jinja::select_expression>(std::make_unique<Kept>(std::move(loop.iterable)),
                                                            std::make_unique<Condition>(std::move(condition)));
  checked->pos = checked->test->pos = loop.pos;
  loop.iterable = std::move(checked);
  check_body(loop.body);
  check_body(loop.default_block);
}

void check_set(statement_ptr& node, jinja::set_statement& set) {
  if (set.val) {
    check_node(set.val);
    set.val = std::make_unique<Kept>(std::move(set.val));
  } else {
    set.val = text_of(std::move(set.body), set.pos);
    set.body.clear();
  }
  if (auto* member = jinja::cast_stmt<jinja::member_expression>(set.assignee)) {
    check_node(member->object);
    replace<SetMember>(node, set);
  }
}

void check_statement(statement_ptr& node) {
  if (auto* choice = jinja::cast_stmt<jinja::if_statement>(node)) {
    check_node(choice->test);
    check_body(choice->body);
    check_body(choice->alternate);
  } else if (auto* loop = jinja::cast_stmt<jinja::for_statement>(node)) {
    check_loop(*loop);
  } else if (auto* set = jinja::cast_stmt<jinja::set_statement>(node)) {
    check_set(node, *set);
  } else if (auto* macro = jinja::cast_stmt<jinja::macro_statement>(node)) {
    check_defaults(macro->args);
    check_body(macro->body);
  } else if (auto* call = jinja::cast_stmt<jinja::call_statement>(node)) {
    check_node(call->call);
    check_defaults(call->caller_args);
    check_body(call->body);
  } else if (auto* filter = jinja::cast_stmt<jinja::filter_statement>(node)) {
    check_arguments(filter->filter);
    jinja::filter_expression expression(text_of(std::move(filter->body), filter->pos), std::move(filter->filter));
    expression.pos = filter->pos;
    replace<Filter>(node, expression);
  }
}

void check_node(statement_ptr& node) {
  if (!node) return;
  if (auto* name = jinja::cast_stmt<jinja::identifier>(node)) {
    replace<Name>(node, *name);
  } else if (jinja::is_stmt<jinja::string_literal>(node) || jinja::is_stmt<jinja::integer_literal>(node) ||
             jinja::is_stmt<jinja::float_literal>(node)) {
    jinja::context empty;
    node = constant_at(node->pos, constant(node->execute_impl(empty)));
  } else if (auto* array = jinja::cast_stmt<jinja::array_literal>(node)) {
    check_nodes(array->val);
    replace<Counting<jinja::array_literal>>(node, *array);
  } else if (auto* tuple = jinja::cast_stmt<jinja::tuple_literal>(node)) {
    check_nodes(tuple->val);
    replace<Counting<jinja::tuple_literal>>(node, *tuple);
  } else if (auto* object = jinja::cast_stmt<jinja::object_literal>(node)) {
    for (auto& [key, entry] : object->val) {
      check_node(key);
      key = std::make_unique<Key>(std::move(key));
      check_node(entry);
    }
    replace<Counting<jinja::object_literal>>(node, *object);
  } else if (auto* member = jinja::cast_stmt<jinja::member_expression>(node)) {
    check_member(node, *member);
  } else if (auto* call = jinja::cast_stmt<jinja::call_expression>(node)) {
    check_node(call->callee);
    check_nodes(call->args);
    replace<Counting<jinja::call_expression>>(node, *call);
  } else if (auto* named = jinja::cast_stmt<jinja::keyword_argument_expression>(node)) {
    check_node(named->val);
  } else if (auto* binary = jinja::cast_stmt<jinja::binary_expression>(node)) {
    check_node(binary->left);
    check_node(binary->right);
    // These return one of their operands, and may leave the other alone.
    if (binary->op.value != "and" && binary->op.value != "or") replace<Binary>(node, *binary);
  } else if (auto* unary = jinja::cast_stmt<jinja::unary_expression>(node)) {
    check_node(unary->argument);
  } else if (auto* filter = jinja::cast_stmt<jinja::filter_expression>(node)) {
    check_node(filter->operand);
    check_arguments(filter->filter);
    replace<Filter>(node, *filter);
  } else if (auto* test = jinja::cast_stmt<jinja::test_expression>(node)) {
    check_node(test->operand);
    check_arguments(test->test);
    replace<Test>(node, *test);
  } else if (auto* ternary = jinja::cast_stmt<jinja::ternary_expression>(node)) {
    check_node(ternary->condition);
    check_node(ternary->true_expr);
    check_node(ternary->false_expr);
  } else if (auto* select = jinja::cast_stmt<jinja::select_expression>(node)) {
    check_node(select->lhs);
    check_node(select->test);
  } else {
    check_statement(node);
  }
}

}  // namespace

void add_checks(jinja::program& program) { check_body(program.body); }

}  // namespace nudging::template_limits
