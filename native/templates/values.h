#pragma once

#include <cstddef>

#include "jinja/value.h"

namespace nudging::template_limits {

/// Bytes that one text of a template may have, and pieces of text and elements that one value may have.
constexpr std::size_t most_text = 16 * 1024 * 1024;
constexpr std::size_t most_pieces = 512 * 1024;
constexpr std::size_t most_items = 200'000;

/// Throw std::runtime_error if a text of `bytes` or a list of `items` is too large.
void check_text(std::size_t bytes);
void check_items(std::size_t items);

/// How texts are counted: as they are; with quotes and escapes, as in printed lists and JSON; the same with escapes for all that is not
/// ASCII.
enum class Form { plain, quoted, ascii };

/// What a value comes to when it is printed with everything in it. What occurs twice counts twice.
struct Extent {
  std::size_t bytes = 0;
  /// Of the longest text in it.
  std::size_t longest = 0;
  /// Itself included.
  std::size_t values = 0;
};

/// Throws std::runtime_error if that is more than `most_text`, or if the value nests too deep: one that contains itself does.
Extent extent_of(const jinja::value& value, Form form = Form::plain);

bool is_container(const jinja::value& value);

/// Throws std::runtime_error if `container` may not take `added`, because it would come to contain itself (and never be freed), or because
/// `added` has a function in it, which may hold anything.
void check_stored(const jinja::value& container, const jinja::value& added);

/// The same value, as one that counts in the thread's `Watch` while anything holds it, and so do its elements. Not counted twice.
/// Throws std::runtime_error if it is too large by itself, or all values together are.
jinja::value keep(const jinja::value& value);

/// The same value, as one that need not be counted: it is part of the program.
jinja::value constant(const jinja::value& value);

}  // namespace nudging::template_limits
