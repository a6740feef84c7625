#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/byte_source.h"

namespace nudging {

/// Types of values in a GGUF header, with the numbers that stand in the file.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

/// The name of a type in messages, such as "u32".
const char* name_of(GgufType type);

/// Where a value of the header stands.
struct GgufValue {
  /// Of the value, or of the elements of an array; never `array`.
  GgufType type;
  bool is_array;
  /// Elements of an array; 1 for everything else.
  std::uint64_t count;
  /// Bytes from the beginning of the file.
  std::uint64_t offset;
};

struct GgufTensor {
  std::string name;
  /// Number of dimensions, 1 to 4; the rest of `shape` is 1.
  std::uint32_t dimensions;
  std::array<std::uint64_t, 4> shape;
  /// A ggml_type that this ggml knows.
  std::int32_t type;
  /// Bytes of data.
  std::uint64_t bytes;
};

/// What to call something from the file in a message: printable, and short.
std::string in_quotes(std::string_view name);

/// The header of a GGUF file, read without trusting a byte of it, and before ggml or llama.cpp reads it: counts, lengths and offsets
/// are compared with the size of the file before anything is allocated for them. What this accepts, `gguf_init_from_file` accepts too.
///
/// The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Where llama.cpp is stricter than that, so is this.
/// Values stay in the file and are read when asked for, so a header of any size takes little memory.
class GgufHeader {
 public:
  /// Reads and checks the structure: keys, types, lengths, tensors and where their data lies. `source` must outlive the header; `path`
  /// names the file in messages. Throws Failure: model_invalid, model_unsupported (another version or byte order), model_unreadable.
  GgufHeader(ByteSource& source, std::string path);

  const std::string& path() const { return path_; }
  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  /// Null if there is no such key.
  const GgufValue* find(std::string_view key) const;
  /// A string; empty if the key is missing or of another type.
  std::string text(std::string_view key) const;

  /// The numbers of a value or an array of u8 to u64, i8 to i64 or bool, as signed 64-bit numbers (a u64 above the largest of them is that
  /// one).
  void each_integer(const GgufValue& value, const std::function<void(std::int64_t)>& use) const;
  /// The numbers of a value or an array of f32 or f64.
  void each_float(const GgufValue& value, const std::function<void(double)>& use) const;
  /// The strings of an array.
  void each_string(const GgufValue& value, const std::function<void(std::string_view)>& use) const;
  /// The bytes of an array of i8 or u8.
  std::string bytes(const GgufValue& value) const;

  /// Throws Failure(model_invalid): bytes are missing or wrong, and another copy of the file would help.
  [[noreturn]] void refuse_damaged(const std::string& detail) const;
  /// Throws Failure(model_invalid): the file is whole but says something that no model can mean.
  [[noreturn]] void refuse(const std::string& detail) const;

 private:
  class Cursor;
  void read_values(Cursor& at, std::uint64_t count);
  GgufValue read_value(Cursor& at, const std::string& key);
  void read_tensors(Cursor& at, std::uint64_t count);
  GgufTensor read_tensor(Cursor& at, std::vector<std::uint64_t>& offsets);
  std::uint64_t alignment() const;
  void check_data(std::uint64_t end_of_header, const std::vector<std::uint64_t>& offsets) const;

  ByteSource& source_;
  std::string path_;
  std::map<std::string, GgufValue, std::less<>> values_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace nudging
