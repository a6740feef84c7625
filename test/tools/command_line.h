#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// `--name value` pairs of a tool's command line. Whatever is wrong with them is answered with the usage, as std::invalid_argument.
class CommandLine {
 public:
  CommandLine(int count, char** words, std::string usage, std::map<std::string, std::string, std::less<>> defaults,
              const std::vector<std::string>& needed)
      : usage_(std::move(usage)), values_(std::move(defaults)) {
    for (int i = 1; i < count; i += 2) {
      const std::string_view name = words[i];
      if (!name.starts_with("--") || i + 1 == count) throw std::invalid_argument(usage_);
      values_[std::string(name.substr(2))] = words[i + 1];
    }
    for (const std::string& name : needed) text(name);
  }

  bool has(std::string_view name) const { return values_.contains(name); }

  const std::string& text(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::invalid_argument(usage_);
    return found->second;
  }

  std::uint32_t number(std::string_view name) const {
    const std::string& digits = text(name);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) throw std::invalid_argument(usage_);
    return value;
  }

 private:
  std::string usage_;
  std::map<std::string, std::string, std::less<>> values_;
};
