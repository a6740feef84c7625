#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

namespace nudging {

/// Bytes that can be read in any order: a file, or memory in tests.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// Fills `into` with the bytes from `offset` on, all of which must exist. Throws Failure(model_unreadable).
  virtual void read(std::uint64_t offset, std::span<char> into) = 0;
};

class FileBytes final : public ByteSource {
 public:
  /// Throws Failure(model_unreadable).
  explicit FileBytes(const std::string& path);
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<char> into) override;

 private:
  std::string path_;
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

class MemoryBytes final : public ByteSource {
 public:
  /// `bytes` must outlive this.
  explicit MemoryBytes(std::span<const char> bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<char> into) override;

 private:
  std::span<const char> bytes_;
};

}  // namespace nudging
