#include "templates/values.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "templates/watch.h"

namespace nudging::template_limits {

namespace {

using jinja::value;

/// Messages come three deep. Printing a value takes some 1 KiB of stack a level.
constexpr int most_depth = 32;

// What things take in memory, with what the allocator and the counting add.
constexpr std::size_t value_size = 320;
constexpr std::size_t entry_size = 128;
constexpr std::size_t piece_size = sizeof(jinja::string_part) + 16;

/// Destroys a value without recursion: a chain of lists may be a hundred thousand long.
void destroy(value last) {
  thread_local std::vector<value>* waiting = nullptr;
  if (waiting != nullptr) {
    waiting->push_back(std::move(last));
    return;
  }
  if (last->val_arr.empty() && last->val_obj.empty()) return;
  std::vector<value> mine;
  mine.push_back(std::move(last));
  waiting = &mine;
  while (!mine.empty()) {
    const value next = std::move(mine.back());
    mine.pop_back();
  }
  waiting = nullptr;
}

/// The deleter of counted values: they share the engine's object, and give its size back when the last of them goes.
struct Counted {
  value object;
  std::size_t size = 0;

  void operator()(jinja::value_t*) noexcept {
    if (Watch* watch = Watch::current()) watch->give_back(size);
    destroy(std::move(object));
  }
};

bool is_counted(const value& each) { return std::get_deleter<Counted>(each) != nullptr; }

std::size_t size_of(const jinja::value_t& each) {
  std::size_t size = value_size + each.val_arr.capacity() * sizeof(value);
  for (const jinja::string_part& part : each.val_str.parts) size += piece_size + part.val.capacity();
  for (const auto& [key, entry] : each.val_obj) size += entry_size + (is_counted(key) ? 0 : size_of(*key));
  if (const auto* undefined = dynamic_cast<const jinja::value_undefined_t*>(&each)) size += undefined->hint.capacity();
  return size;
}

void keep_elements(jinja::value_t& each) {
  for (value& element : each.val_arr) element = keep(element);
  auto* object = dynamic_cast<jinja::value_object_t*>(&each);
  if (object == nullptr) return;
  for (auto& [key, entry] : object->val_obj) {
    if (is_counted(entry)) continue;
    entry = keep(entry);
    object->unordered[key] = entry;
  }
}

std::size_t printed_size(std::string_view text, Form form) {
  if (form == Form::plain) return text.size();
  std::size_t size = 0;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte < 0x20 || (byte >= 0x80 && form == Form::ascii)) {
      size += 6;
    } else {
      size += byte == '"' || byte == '\\' ? 2 : 1;
    }
  }
  return size;
}

struct Walk {
  Form form = Form::plain;
  /// What must not be met, if anything.
  const jinja::value_t* forbidden = nullptr;
  Extent extent;

  void visit(const value& each, int depth) {
    if (depth > most_depth)
      throw std::runtime_error("one of its values nests deeper than " + std::to_string(most_depth) + " levels, or contains itself");
    ++extent.values;
    // Brackets or quotes, and a comma or a colon.
    extent.bytes += 4;
    if (forbidden != nullptr && each.get() == forbidden) throw std::runtime_error("one of its values would contain itself");
    // Not dynamic_cast: this is asked millions of times before a value is found to be too large.
    const std::type_info& type = typeid(*each);
    if (type == typeid(jinja::value_string_t)) {
      visit_text(each->val_str);
    } else if (type == typeid(jinja::value_array_t) || type == typeid(jinja::value_tuple_t) || type == typeid(jinja::value_object_t)) {
      for (const value& element : each->val_arr) visit(element, depth + 1);
      for (const auto& [key, entry] : each->val_obj) visit(key, depth + 1), visit(entry, depth + 1);
    } else if (type == typeid(jinja::value_int_t) || type == typeid(jinja::value_bool_t)) {
      extent.bytes += 24;
    } else if (type == typeid(jinja::value_float_t)) {
      // DBL_MAX is printed with 316 characters.
      extent.bytes += 320;
    } else if (const auto* function = jinja::cast_val<jinja::value_func>(each)) {
      if (forbidden != nullptr) throw std::runtime_error("it stores a function in a list or an object");
      extent.bytes += function->name.size() + 16;
      if (function->arg0) visit(function->arg0, depth + 1);
    } else if (const auto* named = jinja::cast_val<jinja::value_kwarg>(each)) {
      visit(named->val, depth + 1);
    } else if (const auto* undefined = jinja::cast_val<jinja::value_undefined>(each)) {
      extent.bytes += undefined->hint.size() + 24;
    } else {
      extent.bytes += 24;
    }
    check_text(extent.bytes);
  }

  void visit_text(const jinja::string& text) {
    std::size_t length = 0;
    for (const jinja::string_part& part : text.parts) {
      length += printed_size(part.val, form);
      // Printed functions say for each piece where it is from.
      if (form != Form::plain) length += 8;
    }
    extent.bytes += length;
    extent.longest = std::max(extent.longest, length);
  }
};

}  // namespace

void check_text(std::size_t bytes) {
  if (bytes > most_text) throw std::runtime_error("one of its texts takes more than 16 MiB");
}

void check_items(std::size_t items) {
  if (items > most_items) throw std::runtime_error("one of its lists has more than " + std::to_string(most_items) + " elements");
}

Extent extent_of(const value& each, Form form) {
  Walk walk{form, nullptr, {}};
  walk.visit(each, 0);
  return walk.extent;
}

bool is_container(const value& each) { return jinja::is_val<jinja::value_array>(each) || jinja::is_val<jinja::value_object>(each); }

void check_stored(const value& container, const value& added) {
  Walk walk{Form::plain, container.get(), {}};
  walk.visit(added, 0);
}

value keep(const value& each) {
  Watch* const watch = Watch::current();
  if (watch == nullptr || is_counted(each)) return each;
  check_text(each->val_str.length());
  if (each->val_str.parts.size() > most_pieces)
    throw std::runtime_error("one of its texts has more than " + std::to_string(most_pieces) + " pieces");
  check_items(each->val_arr.size());
  keep_elements(*each);
  const std::size_t size = size_of(*each);
  watch->take(size);
  return value(each.get(), Counted{each, size});
}

value constant(const value& each) { return value(each.get(), Counted{each, 0}); }

}  // namespace nudging::template_limits
