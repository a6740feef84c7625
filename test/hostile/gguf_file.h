#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// A GGUF file taken apart, and put together again whatever it says: the tests write wrong ones with it.
struct GgufFile {
  struct Value {
    std::string key;
    /// As in the file: 9 for an array.
    std::uint32_t type = 4;
    /// Of an array.
    std::uint32_t element = 4;
    /// Each element as bytes; of strings without the length. One for a scalar.
    std::vector<std::string> elements;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type = 0;
    std::string data;
  };

  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::vector<Value> values;
  std::vector<Tensor> tensors;
  std::uint64_t alignment = 32;

  /// `bytes` must be a sound file; tensors' data may be missing.
  static GgufFile parse(const std::string& bytes);
  std::string write() const;

  Value* find(const std::string& key);
  const Value* find(const std::string& key) const;
  void set(const std::string& key, std::uint32_t type, const std::string& bytes);
  void set_array(const std::string& key, std::uint32_t element, std::vector<std::string> elements);
  void set_u32(const std::string& key, std::uint32_t value);
  void set_f32(const std::string& key, float value);
  void set_text(const std::string& key, const std::string& value);
};

template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
