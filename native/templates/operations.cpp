#include "templates/operations.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

#include "templates/values.h"

namespace nudging::template_limits {

namespace {

using jinja::value;
using Arguments = std::vector<value>;

/// Bytes that a step may copy or compare.
constexpr std::size_t most_work = std::size_t{1} << 34;
constexpr std::size_t longest_key = 64 * 1024;
constexpr std::int64_t widest_indent = 1000;
/// Pieces of text that a step may move.
constexpr std::size_t most_moves = std::size_t{1} << 27;

bool is_text(const value& each) { return jinja::is_val<jinja::value_string>(each); }
bool is_list(const value& each) { return jinja::is_val<jinja::value_array>(each); }
bool is_integer(const value& each) { return jinja::is_val<jinja::value_int>(each); }

std::size_t product(std::size_t one, std::size_t other) {
  return other != 0 && one > std::numeric_limits<std::size_t>::max() / 2 / other ? std::numeric_limits<std::size_t>::max() / 2
                                                                                 : one * other;
}

void check_work(std::size_t times, std::size_t bytes) {
  if (product(times, bytes) > most_work) throw std::runtime_error("one of its operations takes too long");
}

/// As the engine's `get_kwarg_or_pos`; null if there is none.
value argument(const Arguments& arguments, std::string_view name, std::size_t position) {
  for (const value& each : arguments) {
    if (const auto* named = jinja::cast_val<jinja::value_kwarg>(each); named != nullptr && named->key == name) return named->val;
  }
  return position < arguments.size() ? arguments[position] : nullptr;
}

/// What texts, and all else that is made a text, come to.
std::size_t text_size(const value& each) { return is_text(each) ? each->val_str.length() : extent_of(each, Form::quoted).bytes; }

void check_search(const value& needle, const value& haystack) {
  if (jinja::is_val<jinja::value_object>(haystack)) return check_key(needle);
  if (is_text(haystack)) return check_work(haystack->val_str.length(), needle->val_str.length());
  if (is_list(haystack))
    check_work(haystack->val_arr.size(), extent_of(needle).bytes + extent_of(haystack).bytes / (haystack->val_arr.size() + 1));
}

struct Occurrences {
  std::size_t in = 0;
  std::size_t count = 0;
  std::size_t length = 0;
};

Occurrences occurrences(const value& text, const value& part) {
  Occurrences found{text->val_str.length(), 0, part->val_str.length()};
  check_work(found.in, found.length);
  if (found.length == 0) return found;
  const std::string all = text->val_str.str();
  const std::string one = part->val_str.str();
  for (std::size_t at = all.find(one); at != std::string::npos; at = all.find(one, at + one.size())) ++found.count;
  return found;
}

void check_replace(const Arguments& arguments) {
  if (arguments.size() < 3 || !is_text(arguments[0]) || !is_text(arguments[1]) || !is_text(arguments[2])) return;
  Occurrences found = occurrences(arguments[0], arguments[1]);
  if (found.length == 0) found.count = found.in + 1;
  const std::size_t added = arguments[2]->val_str.length();
  check_text(found.in + product(found.count, added));
  // Every replacement moves what is behind it.
  if (found.length != 0 && found.length != added) check_work(found.count, (found.in + product(found.count, added)) / 2);
}

void check_split(const Arguments& arguments) {
  if (arguments.size() < 2 || !is_text(arguments[0]) || !is_text(arguments[1])) {
    if (!arguments.empty() && is_text(arguments[0])) check_split({arguments[0], jinja::mk_val<jinja::value_string>(" ")});
    return;
  }
  const Occurrences found = occurrences(arguments[0], arguments[1]);
  check_items(found.count + 1);
  // Every piece is cut off at the front, which moves the rest.
  check_work(found.count, found.in / 2);
}

void check_indent(const Arguments& arguments) {
  if (!is_text(arguments[0])) return;
  const value width = argument(arguments, "width", 1);
  std::size_t each = 4;
  if (width && is_integer(width)) {
    if (width->val_int < 0) throw std::runtime_error("indent() by less than nothing");
    each = static_cast<std::size_t>(width->val_int);
  } else if (width && is_text(width)) {
    each = width->val_str.length();
  }
  const std::string text = arguments[0]->val_str.str();
  const std::size_t lines = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  // The width is allocated even where no line is indented.
  check_text(text.size() + product(lines + 1, each));
}

void check_tojson(const Arguments& arguments) {
  const value ascii = argument(arguments, "ensure_ascii", 1);
  const value indent = argument(arguments, "indent", 2);
  const value separators = argument(arguments, "separators", 3);
  const Extent extent = extent_of(arguments[0], ascii && !ascii->is_undefined() && !ascii->is_none() ? Form::ascii : Form::quoted);
  std::size_t around = 0;
  if (indent && is_integer(indent)) {
    if (indent->val_int > widest_indent) throw std::runtime_error("tojson() indents by more than " + std::to_string(widest_indent));
    // Each element stands on a line of its own, at most as deep as there are values.
    if (indent->val_int > 0) around += product(static_cast<std::size_t>(indent->val_int), 2 * std::min<std::size_t>(extent.values, 33)) + 2;
  }
  if (separators && is_list(separators)) around += extent_of(separators).bytes;
  check_text(extent.bytes + product(extent.values, around));
}

void check_join(const Arguments& arguments) {
  const value between = argument(arguments, "d", 1);
  const value attribute = argument(arguments, "attribute", 2);
  if (attribute) check_key(attribute);
  if (!is_list(arguments[0])) return;
  check_text(extent_of(arguments[0]).bytes +
             product(arguments[0]->val_arr.size(), between && !between->is_undefined() ? text_size(between) : 0));
}

void check_format(const Arguments& arguments) {
  std::size_t size = 0;
  for (const value& each : arguments) size += text_size(each);
  check_text(size);
}

/// A test is applied to every element.
void check_select(const Arguments& arguments) {
  const Extent list = extent_of(arguments[0]);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (is_text(arguments[i]) && arguments[i]->val_str.str() == "divisibleby")
      throw std::runtime_error("it selects with the test \"divisibleby\", where a division by zero could not be noticed");
    check_work(list.values + list.bytes, extent_of(arguments[i]).bytes);
  }
}

enum class Order { numbers, texts, none };

Order order_of(const value& each) {
  if (is_text(each)) return Order::texts;
  if (is_integer(each)) return Order::numbers;
  if (!jinja::is_val<jinja::value_float>(each)) return Order::none;
  if (std::isnan(each->val_flt)) throw std::runtime_error("it sorts what is not a number");
  return Order::numbers;
}

/// std::sort leaves its memory if "10" < "9" and 9 < 10 are all true.
void check_order(const Arguments& sorted) {
  std::size_t longest = 0;
  for (const value& each : sorted) {
    if (order_of(each) != order_of(sorted.front())) throw std::runtime_error("it sorts numbers, texts or other values together");
    if (is_text(each)) longest = std::max(longest, each->val_str.length());
  }
  // Either of two texts is copied twice to be compared.
  check_work(sorted.size() * static_cast<std::size_t>(std::bit_width(sorted.size())), 4 * (longest + 64));
}

void check_sort(const Arguments& arguments, bool by_attribute) {
  if (!is_list(arguments[0])) return;
  const value attribute = by_attribute ? argument(arguments, "attribute", 3) : nullptr;
  if (!attribute || attribute->is_undefined()) return check_order(arguments[0]->val_arr);
  check_key(attribute);
  Arguments sorted;
  for (const value& each : arguments[0]->val_arr) {
    value none = jinja::mk_val<jinja::value_undefined>();
    // The engine itself refuses the others.
    if (is_integer(attribute) && is_list(each)) sorted.push_back(each->at(attribute->val_int, none));
    if (is_text(attribute) && jinja::is_val<jinja::value_object>(each)) sorted.push_back(each->at(attribute, none));
  }
  check_order(sorted);
}

void check_dictsort(const Arguments& arguments) {
  const value by = argument(arguments, "by", 2);
  const bool values = by && is_text(by) && by->val_str.str() == "value";
  Arguments sorted;
  for (const auto& [key, entry] : arguments[0]->val_obj) sorted.push_back(values ? entry : key);
  check_order(sorted);
}

void check_strip(const Arguments& arguments) {
  if (!is_text(arguments[0])) return;
  const value letters = argument(arguments, "chars", 1);
  if (letters) check_work(arguments[0]->val_str.length(), text_size(letters));
  const std::string blanks = letters && is_text(letters) ? letters->val_str.str() : " \t\n\v\f\r";
  const auto& pieces = arguments[0]->val_str.parts;
  const auto first = std::find_if(pieces.begin(), pieces.end(), [&](const jinja::string_part& piece) {
    return piece.val.find_first_not_of(blanks) != std::string::npos;
  });
  // Every blank piece is taken out at the front, which moves the others.
  if (product(static_cast<std::size_t>(first - pieces.begin()), pieces.size()) > most_moves)
    throw std::runtime_error("one of its operations takes too long");
}

void check_division(const Arguments& arguments) {
  if (arguments.size() > 1 && is_integer(arguments[1]) && arguments[1]->val_int <= 0)
    throw std::runtime_error("its test \"divisibleby\" needs a positive number");
}

void check_append(const Arguments& arguments) {
  if (!is_list(arguments[0]) || arguments.size() < 2) return;
  check_stored(arguments[0], arguments[1]);
  check_items(arguments[0]->val_arr.size() + 1);
}

void check_attribute(const Arguments& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) check_key(arguments[i]);
}

/// Those that make a text of what they are applied to.
void check_printed(const Arguments& arguments) { check_text(text_size(arguments[0])); }

using Check = std::function<void(const Arguments&)>;

const std::map<std::string, Check, std::less<>>& checks() {
  static const std::map<std::string, Check, std::less<>> all = [] {
    const auto sort = [](const Arguments& arguments) { check_sort(arguments, true); };
    const auto compare = [](const Arguments& arguments) { check_sort(arguments, false); };
    const auto search = [](const Arguments& arguments) {
      if (arguments.size() > 1) check_search(arguments[0], arguments[1]);
    };
    const auto strip = [](const Arguments& arguments) { check_printed(arguments), check_strip(arguments); };
    const auto replace = [](const Arguments& arguments) { check_printed(arguments), check_replace(arguments); };
    std::map<std::string, Check, std::less<>> table = {
        {"append", check_append}, {"dictsort", check_dictsort},
        {"format", check_format}, {"get", check_attribute},
        {"indent", check_indent}, {"join", check_join},
        {"map", check_attribute}, {"max", compare},
        {"min", compare},         {"replace", replace},
        {"rsplit", check_split},  {"sort", sort},
        {"split", check_split},   {"test_is_divisibleby", check_division},
        {"test_is_in", search},   {"tojson", check_tojson},
    };
    for (const char* name : {"lstrip", "rstrip", "strip", "trim"}) table[name] = strip;
    for (const char* name : {"reject", "rejectattr", "select", "selectattr"}) table[name] = check_select;
    for (const char* name : {"capitalize", "lower", "safe", "string", "title", "upper", "wordcount"}) table[name] = check_printed;
    return table;
  }();
  return all;
}

}  // namespace

void check_key(const value& key) {
  if (extent_of(key).bytes > longest_key) throw std::runtime_error("one of its keys takes more than 64 KiB");
}

void check_operator(std::string_view operation, const value& left, const value& right) {
  if (operation == "in" || operation == "not in") return check_search(left, right);
  if (operation == "==" || operation == "!=") {
    if (is_container(left) && is_container(right)) extent_of(left), extent_of(right);
  } else if (operation == "+" && is_list(left) && is_list(right)) {
    check_items(left->val_arr.size() + right->val_arr.size());
  } else if (operation == "+" || operation == "~") {
    if (is_text(left) || is_text(right)) check_text(text_size(left) + text_size(right));
  } else if (operation == "*" && is_text(left) != is_text(right)) {
    const jinja::string& text = is_text(left) ? left->val_str : right->val_str;
    const value& times = is_text(left) ? right : left;
    if (!is_integer(times) || times->val_int <= 0) return;
    // A text of no pieces is put together as often as any other.
    check_text(product(static_cast<std::size_t>(times->val_int),
                       std::max<std::size_t>({text.length(), text.parts.size() * (most_text / most_pieces), 1})));
  }
}

void check_call(std::string_view name, const Arguments& arguments) {
  if (arguments.empty()) return;
  const auto check = checks().find(name);
  if (check != checks().end()) check->second(arguments);
}

}  // namespace nudging::template_limits
