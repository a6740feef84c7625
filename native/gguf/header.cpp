#include "gguf/header.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "basics/failure.h"
#include "ggml.h"
#include "gguf/foreign_file.h"

namespace nudging {

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they stand in the file");

namespace {

/// The longest key of the format.
constexpr std::uint64_t longest_key = 65'535;
/// Ten times the longest chat templates and licences.
constexpr std::uint64_t longest_string = 16 * 1024 * 1024;
/// Vocabularies of half a million tokens exist.
constexpr std::uint64_t longest_array = 16 * 1024 * 1024;
/// gguf_init_from_file compares every key, and every tensor's name, with all before it: more would take it minutes.
constexpr std::uint64_t most_values = 10'000;
constexpr std::uint64_t most_tensors = 30'000;
/// ggml maps tensors where they lie in the file and asserts on this alignment of the first.
constexpr std::uint64_t least_alignment = 32;
constexpr std::uint64_t most_alignment = 65'536;
constexpr std::uint64_t default_alignment = 32;
/// Bytes of the shortest value (key of one letter, u8) and of the shortest tensor (name of one letter, one dimension).
constexpr std::uint64_t least_value = 8 + 1 + 4 + 1;
constexpr std::uint64_t least_tensor = 8 + 1 + 4 + 8 + 4 + 8;

std::uint64_t size_of(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean: return 1;
    case GgufType::u16:
    case GgufType::i16: return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32: return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64: return 8;
    case GgufType::string:
    case GgufType::array: break;
  }
  return 0;
}

template <typename T>
T from_bytes(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

const char* name_of(GgufType type) {
  constexpr std::array names = {"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};
  return names[static_cast<std::size_t>(type)];
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t longest_shown = 80;
  std::string shown = "\"";
  for (const char letter : name.substr(0, longest_shown)) shown += letter >= ' ' && letter <= '~' ? letter : '?';
  return shown + (name.size() > longest_shown ? "…\"" : "\"");
}

/// Reads forward through a buffer, and never behind the end of the file.
class GgufHeader::Cursor {
 public:
  Cursor(const GgufHeader& header, std::uint64_t position) : header_(header), position_(position) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return header_.source_.size() - position_; }

  /// `what` names in the message what should have stood here.
  void need(std::uint64_t bytes, std::string_view what) const {
    if (bytes > left()) {
      header_.refuse_damaged(std::string(what) + " takes " + number(bytes) + " bytes at byte " + number(position_) +
                             ", and the file ends after " + number(left()));
    }
  }

  void take(std::span<char> into, std::string_view what) {
    need(into.size(), what);
    while (!into.empty()) {
      if (position_ < begin_ || position_ >= begin_ + buffer_.size()) fill();
      const std::string_view there = std::string_view(buffer_).substr(position_ - begin_, into.size());
      std::copy(there.begin(), there.end(), into.begin());
      into = into.subspan(there.size());
      position_ += there.size();
    }
  }

  template <typename T>
  T take(std::string_view what) {
    std::array<char, sizeof(T)> raw{};
    take(raw, what);
    return from_bytes<T>(raw.data());
  }

  /// The length in front of a string, compared with `longest` and the end of the file.
  std::uint64_t take_length(std::uint64_t longest, std::string_view what) {
    const auto length = take<std::uint64_t>(what);
    if (length > longest)
      header_.refuse_damaged(std::string(what) + " has a length of " + number(length) + " bytes, and at most " + number(longest) +
                             " make sense");
    need(length, what);
    return length;
  }

  std::string take_text(std::uint64_t longest, std::string_view what) {
    std::string text(take_length(longest, what), '\0');
    take(text, what);
    return text;
  }

  void skip(std::uint64_t bytes, std::string_view what) {
    need(bytes, what);
    position_ += bytes;
  }

 private:
  void fill() {
    constexpr std::uint64_t most = 64 * 1024;
    buffer_.resize(std::min(most, left()));
    header_.source_.read(position_, buffer_);
    begin_ = position_;
  }

  const GgufHeader& header_;
  std::uint64_t position_;
  std::string buffer_;
  /// Where in the file the buffer begins.
  std::uint64_t begin_ = 0;
};

GgufHeader::GgufHeader(ByteSource& source, std::string path) : source_(source), path_(std::move(path)) {
  Cursor at(*this, 0);
  constexpr std::string_view magic = "GGUF";
  std::string beginning(std::min(telling_bytes, source_.size()), '\0');
  source_.read(0, beginning);
  if (!beginning.starts_with(magic) || beginning == magic) {
    throw Failure(FailureKind::model_invalid, "\"" + path_ + "\" " + describe_foreign_file(beginning));
  }
  at.skip(magic.size(), "the magic");
  const auto version = at.take<std::uint32_t>("the version");
  if (version != 0 && (version & 0xFFFFU) == 0) {
    throw Failure(FailureKind::model_unsupported,
                  "\"" + path_ + "\" is a big-endian GGUF file: convert it with llama.cpp's gguf_convert_endian.py");
  }
  if (version == 1) {
    throw Failure(
        FailureKind::model_unsupported,
        "\"" + path_ +
            "\" is a GGUF file of version 1, and 2 and 3 are supported: convert the model again with llama.cpp's convert_hf_to_gguf.py");
  }
  if (version != 2 && version != 3) refuse_damaged("its version is " + number(version) + ", and 2 and 3 are known");

  const auto tensors = at.take<std::uint64_t>("the number of tensors");
  const auto values = at.take<std::uint64_t>("the number of keys");
  if (tensors > most_tensors)
    refuse_damaged("it says that it has " + number(tensors) + " tensors, and at most " + number(most_tensors) + " make sense");
  if (values > most_values)
    refuse_damaged("it says that it has " + number(values) + " keys, and at most " + number(most_values) + " make sense");
  at.need(values * least_value + tensors * least_tensor, "its header of " + number(values) + " keys and " + number(tensors) + " tensors");
  read_values(at, values);
  read_tensors(at, tensors);
}

const GgufValue* GgufHeader::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string GgufHeader::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr || value->is_array || value->type != GgufType::string) return {};
  return Cursor(*this, value->offset).take_text(longest_string, key);
}

void GgufHeader::each_integer(const GgufValue& value, const std::function<void(std::int64_t)>& use) const {
  Cursor at(*this, value.offset);
  for (std::uint64_t i = 0; i < value.count; ++i) {
    switch (value.type) {
      case GgufType::u8: use(at.take<std::uint8_t>("a number")); break;
      case GgufType::i8: use(at.take<std::int8_t>("a number")); break;
      case GgufType::boolean: use(at.take<std::uint8_t>("a number") != 0 ? 1 : 0); break;
      case GgufType::u16: use(at.take<std::uint16_t>("a number")); break;
      case GgufType::i16: use(at.take<std::int16_t>("a number")); break;
      case GgufType::u32: use(at.take<std::uint32_t>("a number")); break;
      case GgufType::i32: use(at.take<std::int32_t>("a number")); break;
      case GgufType::u64:
        use(static_cast<std::int64_t>(
            std::min<std::uint64_t>(at.take<std::uint64_t>("a number"), std::numeric_limits<std::int64_t>::max())));
        break;
      case GgufType::i64: use(at.take<std::int64_t>("a number")); break;
      default: return;
    }
  }
}

void GgufHeader::each_float(const GgufValue& value, const std::function<void(double)>& use) const {
  Cursor at(*this, value.offset);
  for (std::uint64_t i = 0; i < value.count; ++i) {
    if (value.type == GgufType::f32)
      use(static_cast<double>(at.take<float>("a number")));
    else if (value.type == GgufType::f64)
      use(at.take<double>("a number"));
    else
      return;
  }
}

void GgufHeader::each_string(const GgufValue& value, const std::function<void(std::string_view)>& use) const {
  if (value.type != GgufType::string) return;
  Cursor at(*this, value.offset);
  for (std::uint64_t i = 0; i < value.count; ++i) use(at.take_text(longest_string, "a string"));
}

std::string GgufHeader::bytes(const GgufValue& value) const {
  if (size_of(value.type) != 1) return {};
  std::string all(value.count, '\0');
  Cursor(*this, value.offset).take(all, "an array");
  return all;
}

void GgufHeader::refuse_damaged(const std::string& detail) const {
  throw Failure(FailureKind::model_invalid, "\"" + path_ + "\" is damaged or cut short: download it again (" + detail + ")");
}

void GgufHeader::refuse(const std::string& detail) const {
  throw Failure(FailureKind::model_invalid, "\"" + path_ + "\" is no usable model: " + detail +
                                                "; download it again, or convert the model again with llama.cpp's convert_hf_to_gguf.py");
}

void GgufHeader::read_values(Cursor& at, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = at.take_text(longest_key, "key " + number(i));
    if (key.empty() || holds_nul(key)) refuse_damaged("key " + number(i) + " is " + (key.empty() ? "empty" : in_quotes(key)));
    const GgufValue value = read_value(at, key);
    if (const auto [place, is_new] = values_.emplace(std::move(key), value); !is_new)
      refuse_damaged("the key " + in_quotes(place->first) + " occurs twice");
  }
}

GgufValue GgufHeader::read_value(Cursor& at, const std::string& key) {
  const std::string what = "the key " + in_quotes(key);
  const auto known = [&](std::uint32_t type) {
    if (type > static_cast<std::uint32_t>(GgufType::f64)) refuse_damaged(what + " has the unknown type " + number(type));
    return static_cast<GgufType>(type);
  };
  GgufValue value{known(at.take<std::uint32_t>(what)), false, 1, 0};
  if (value.type == GgufType::array) {
    value.is_array = true;
    value.type = known(at.take<std::uint32_t>(what));
    if (value.type == GgufType::array) refuse_damaged(what + " is an array of arrays");
    value.count = at.take<std::uint64_t>(what);
    if (value.count > longest_array)
      refuse_damaged(what + " is an array of " + number(value.count) + " elements, and at most " + number(longest_array) + " make sense");
  }
  value.offset = at.position();
  if (value.type != GgufType::string) {
    at.skip(value.count * size_of(value.type), what);
  } else {
    at.need(value.count * sizeof(std::uint64_t), what);
    for (std::uint64_t i = 0; i < value.count; ++i) at.skip(at.take_length(longest_string, what), what);
  }
  return value;
}

void GgufHeader::read_tensors(Cursor& at, std::uint64_t count) {
  std::set<std::string_view> names;
  std::vector<std::uint64_t> offsets;
  tensors_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    tensors_.push_back(read_tensor(at, offsets));
    if (!names.insert(tensors_.back().name).second) refuse_damaged("there are two tensors " + in_quotes(tensors_.back().name));
  }
  const std::uint64_t step = alignment();
  if (!tensors_.empty()) check_data((at.position() + step - 1) / step * step, offsets);
}

GgufTensor GgufHeader::read_tensor(Cursor& at, std::vector<std::uint64_t>& offsets) {
  GgufTensor tensor{at.take_text(GGML_MAX_NAME - 1, "the name of a tensor"), 0, {1, 1, 1, 1}, 0, 0};
  if (tensor.name.empty() || holds_nul(tensor.name)) refuse_damaged("a tensor has the name " + in_quotes(tensor.name));
  const std::string what = "the tensor " + in_quotes(tensor.name);

  tensor.dimensions = at.take<std::uint32_t>(what);
  if (tensor.dimensions < 1 || tensor.dimensions > tensor.shape.size())
    refuse_damaged(what + " has " + number(tensor.dimensions) + " dimensions, and 1 to 4 are possible");
  constexpr std::uint64_t most_elements = std::numeric_limits<std::int64_t>::max();
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < tensor.dimensions; ++i) {
    const auto length = at.take<std::uint64_t>(what);
    if (length == 0) refuse_damaged(what + " is empty in dimension " + number(i));
    // ggml wants fewer than the largest number of elements, not as many.
    if (length >= most_elements / elements) refuse_damaged(what + " has more elements than can be counted");
    elements *= length;
    tensor.shape[i] = length;
  }

  const auto type = at.take<std::uint32_t>(what);
  const std::int64_t block = type < GGML_TYPE_COUNT ? ggml_blck_size(static_cast<ggml_type>(type)) : 0;
  if (block <= 0) refuse_damaged(what + " has the unknown type " + number(type));
  tensor.type = static_cast<std::int32_t>(type);
  const std::size_t block_bytes = ggml_type_size(static_cast<ggml_type>(type));
  if (tensor.shape[0] % static_cast<std::uint64_t>(block) != 0) {
    refuse_damaged(what + " has rows of " + number(tensor.shape[0]) + " elements, and its type needs a multiple of " +
                   number(static_cast<std::uint64_t>(block)));
  }
  const std::uint64_t blocks = elements / static_cast<std::uint64_t>(block);
  if (blocks > most_elements / block_bytes) refuse_damaged(what + " has more bytes than can be counted");
  tensor.bytes = blocks * block_bytes;
  offsets.push_back(at.take<std::uint64_t>(what));
  return tensor;
}

std::uint64_t GgufHeader::alignment() const {
  const GgufValue* value = find("general.alignment");
  if (value == nullptr) return default_alignment;
  if (value->is_array || value->type != GgufType::u32)
    refuse_damaged("the key \"general.alignment\" has the type " + std::string(value->is_array ? "array" : name_of(value->type)) +
                   " and not u32");
  std::uint64_t alignment = 0;
  each_integer(*value, [&](std::int64_t one) { alignment = static_cast<std::uint64_t>(one); });
  if (alignment < least_alignment || alignment > most_alignment || !std::has_single_bit(alignment)) {
    refuse_damaged("the key \"general.alignment\" is " + number(alignment) + ", and a power of two from " + number(least_alignment) +
                   " to " + number(most_alignment) + " is possible");
  }
  return alignment;
}

/// Tensors lie in the order of the header, each at the next aligned place, and the last ends inside the file.
void GgufHeader::check_data(std::uint64_t begin, const std::vector<std::uint64_t>& offsets) const {
  const std::uint64_t size = source_.size();
  const std::uint64_t step = alignment();
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const std::string what = "the tensor " + in_quotes(tensors_[i].name);
    if (offsets[i] != expected) refuse_damaged(what + " lies at " + number(offsets[i]) + " and should lie at " + number(expected));
    if (begin > size || expected > size - begin || tensors_[i].bytes > size - begin - expected) {
      refuse_damaged(what + " needs " + number(tensors_[i].bytes) + " bytes from byte " + number(begin) + " + " + number(expected) +
                     " on, and the file has " + number(size));
    }
    expected += (tensors_[i].bytes + step - 1) / step * step;
  }
}

}  // namespace nudging
