#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "jinja/runtime.h"

namespace nudging::template_limits {

// Nodes that check what they do and count what comes out, in place of the engine's or around them. The engine asks nodes for their types,
// so most are made out of its own. All throw std::runtime_error where a limit is passed.

/// A literal, or an operand that is known.
struct Constant final : jinja::expression {
  explicit Constant(jinja::value value) : known(std::move(value)) {}
  std::string type() const override { return "Constant"; }
  jinja::value execute_impl(jinja::context&) const override { return known; }
  jinja::value known;
};

jinja::statement_ptr constant_at(std::size_t position, jinja::value known);

/// Calls the thread's `Watch`, and returns `made` as a value that counts.
jinja::value checked(const jinja::value& made);

/// The engine's node, whose result counts.
template <typename Node>
struct Counting final : Node {
  explicit Counting(Node&& node) : Node(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override { return checked(Node::execute_impl(context)); }
};

/// What all nodes have that stand around another one and pass for it.
struct Around : jinja::expression {
  explicit Around(jinja::statement_ptr&& node) : inner(std::move(node)) { pos = inner->pos; }
  std::string type() const override { return inner->type(); }
  jinja::statement_ptr inner;
};

/// Any expression, whose result counts.
struct Kept final : Around {
  using Around::Around;
  jinja::value execute_impl(jinja::context& context) const override { return checked(inner->execute_impl(context)); }
};

/// What is looked up in an object.
struct Key final : Around {
  using Around::Around;
  jinja::value execute_impl(jinja::context& context) const override;
};

/// The condition of a loop: the engine asks it of every element before the first round.
struct Condition final : Around {
  using Around::Around;
  jinja::value execute_impl(jinja::context& context) const override;
};

/// A statement of a body.
struct Step final : Around {
  explicit Step(jinja::statement_ptr&& node);
  jinja::value execute_impl(jinja::context& context) const override;
  bool puts_out;
};

/// As the engine's, but all functions that come with it are checked.
struct Name final : jinja::identifier {
  explicit Name(jinja::identifier&& node) : identifier(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

/// As the engine's, but all methods are checked.
struct Member final : jinja::member_expression {
  explicit Member(jinja::member_expression&& node) : member_expression(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

/// Any operator that always needs both sides.
struct Binary final : jinja::binary_expression {
  explicit Binary(jinja::binary_expression&& node) : binary_expression(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

struct Filter final : jinja::filter_expression {
  explicit Filter(jinja::filter_expression&& node) : filter_expression(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

struct Test final : jinja::test_expression {
  explicit Test(jinja::test_expression&& node) : test_expression(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

/// `{% set a.b = c %}`
struct SetMember final : jinja::set_statement {
  explicit SetMember(jinja::set_statement&& node) : set_statement(std::move(node)) {}
  jinja::value execute_impl(jinja::context& context) const override;
};

}  // namespace nudging::template_limits
