#include "gguf_file.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "ggml.h"

namespace {

constexpr std::uint32_t string_type = 8;
constexpr std::uint32_t array_type = 9;

std::size_t size_of(std::uint32_t type) {
  constexpr std::array<std::size_t, 13> sizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < sizes.size() ? sizes[type] : 1;
}

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return take(number<std::uint64_t>()); }
  std::string take(std::uint64_t size) {
    if (size > bytes_.size() - at_) throw std::invalid_argument("the file to start from is cut short");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  std::string element(std::uint32_t type) { return type == string_type ? text() : take(size_of(type)); }
  std::size_t at() const { return at_; }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::string text_bytes(const std::string& text) { return bytes_of<std::uint64_t>(text.size()) + text; }

std::size_t padded(std::size_t size, std::size_t alignment) { return (size + alignment - 1) / alignment * alignment; }

/// What the tensor should have; 0 if the type has no size.
std::size_t data_size(const GgufFile::Tensor& tensor) {
  if (tensor.type >= GGML_TYPE_COUNT) return 0;
  const auto type = static_cast<ggml_type>(tensor.type);
  if (ggml_blck_size(type) == 0) return 0;
  std::size_t size = ggml_type_size(type);
  for (std::size_t i = 0; i < tensor.shape.size(); ++i)
    size *= i == 0 ? tensor.shape[0] / static_cast<std::size_t>(ggml_blck_size(type)) : tensor.shape[i];
  return size;
}

}  // namespace

GgufFile GgufFile::parse(const std::string& bytes) {
  GgufFile file;
  Reader reader(bytes);
  file.magic = reader.take(4);
  file.version = reader.number<std::uint32_t>();
  const auto tensors = reader.number<std::uint64_t>();
  const auto values = reader.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < values; ++i) {
    Value value{reader.text(), reader.number<std::uint32_t>(), 4, {}};
    std::uint64_t count = 1;
    if (value.type == array_type) {
      value.element = reader.number<std::uint32_t>();
      count = reader.number<std::uint64_t>();
    }
    for (std::uint64_t k = 0; k < count; ++k)
      value.elements.push_back(reader.element(value.type == array_type ? value.element : value.type));
    file.values.push_back(std::move(value));
  }
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t i = 0; i < tensors; ++i) {
    Tensor tensor{reader.text(), {}, 0, {}};
    tensor.shape.resize(reader.number<std::uint32_t>());
    for (std::uint64_t& length : tensor.shape) length = reader.number<std::uint64_t>();
    tensor.type = reader.number<std::uint32_t>();
    offsets.push_back(reader.number<std::uint64_t>());
    file.tensors.push_back(std::move(tensor));
  }
  const std::size_t begin = padded(reader.at(), file.alignment);
  for (std::size_t i = 0; i < offsets.size(); ++i)
    file.tensors[i].data = bytes.substr(std::min(bytes.size(), begin + offsets[i]), data_size(file.tensors[i]));
  return file;
}

std::string GgufFile::write() const {
  std::string out = magic + bytes_of(version) + bytes_of<std::uint64_t>(tensors.size()) + bytes_of<std::uint64_t>(values.size());
  for (const Value& value : values) {
    out += text_bytes(value.key) + bytes_of(value.type);
    if (value.type == array_type) out += bytes_of(value.element) + bytes_of<std::uint64_t>(value.elements.size());
    const bool text = (value.type == array_type ? value.element : value.type) == string_type;
    for (const std::string& element : value.elements) out += text ? text_bytes(element) : element;
  }
  std::size_t offset = 0;
  for (const Tensor& tensor : tensors) {
    out += text_bytes(tensor.name) + bytes_of<std::uint32_t>(static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t length : tensor.shape) out += bytes_of(length);
    out += bytes_of(tensor.type) + bytes_of<std::uint64_t>(offset);
    offset += padded(tensor.data.size(), alignment);
  }
  for (const Tensor& tensor : tensors) {
    out.resize(padded(out.size(), alignment));
    out += tensor.data;
  }
  return out;
}

const GgufFile::Value* GgufFile::find(const std::string& key) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& value) { return value.key == key; });
  return found == values.end() ? nullptr : &*found;
}

GgufFile::Value* GgufFile::find(const std::string& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

void GgufFile::set(const std::string& key, std::uint32_t type, const std::string& bytes) {
  Value value{key, type, 4, {bytes}};
  if (Value* old = find(key))
    *old = std::move(value);
  else
    values.push_back(std::move(value));
}

void GgufFile::set_array(const std::string& key, std::uint32_t element, std::vector<std::string> elements) {
  Value value{key, array_type, element, std::move(elements)};
  if (Value* old = find(key))
    *old = std::move(value);
  else
    values.push_back(std::move(value));
}

void GgufFile::set_u32(const std::string& key, std::uint32_t value) { set(key, 4, bytes_of(value)); }
void GgufFile::set_f32(const std::string& key, float value) { set(key, 6, bytes_of(value)); }
void GgufFile::set_text(const std::string& key, const std::string& value) { set(key, string_type, value); }
