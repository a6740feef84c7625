#include "templates/content_marks.h"

#include <algorithm>

namespace nudging {

namespace {

constexpr char mark = '\xFF';

std::size_t index_of(char byte) { return static_cast<unsigned char>(byte); }

void append(std::vector<Segment>& segments, std::string_view text, bool is_template) {
  if (!text.empty()) segments.push_back({std::string(text), is_template});
}

}  // namespace

ContentMarks::ContentMarks(const std::vector<Vocabulary::Special>& specials, const std::vector<std::string>& literals)
    : specials_(specials) {
  for (const auto& special : specials) begins_special_[index_of(special.text.front())] = true;
  for (const std::string& text : literals) {
    Literal literal{text, std::vector<bool>(text.size())};
    for (std::size_t i = 0; i < text.size(); ++i)
      literal.harmless[i] = begins_special_[index_of(text[i])] && !may_begin_special(literal.text.substr(i));
    if (std::find(literal.harmless.begin(), literal.harmless.end(), true) != literal.harmless.end())
      literals_.push_back(std::move(literal));
  }
}

/// Whether text that starts with `text` can start with a control token's text.
bool ContentMarks::may_begin_special(std::string_view text) const {
  return std::any_of(specials_.begin(), specials_.end(), [&](const auto& special) {
    const std::string_view spelled = special.text;
    return spelled.starts_with(text) || text.starts_with(spelled);
  });
}

std::string ContentMarks::put(std::string_view content) const {
  std::vector<bool> harmless(content.size());
  for (const Literal& literal : literals_) {
    for (std::size_t at = content.find(literal.text); at != std::string_view::npos; at = content.find(literal.text, at + 1)) {
      for (std::size_t i = 0; i < literal.text.size(); ++i) {
        if (literal.harmless[i]) harmless[at + i] = true;
      }
    }
  }
  std::string marked;
  marked.reserve(content.size() + content.size() / 8);
  for (std::size_t i = 0; i < content.size(); ++i) {
    marked += content[i];
    if (begins_special_[index_of(content[i])] && !harmless[i]) marked += mark;
  }
  return marked;
}

void ContentMarks::take(std::string_view part, bool is_template, std::vector<Segment>& segments) {
  if (!is_template) {
    std::string text(part);
    std::erase(text, mark);
    append(segments, text, false);
    return;
  }
  for (std::size_t at = part.find(mark); at != std::string_view::npos; at = part.find(mark)) {
    if (at > 0) {
      append(segments, part.substr(0, at - 1), true);
      append(segments, part.substr(at - 1, 1), false);
    }
    part.remove_prefix(at + 1);
  }
  append(segments, part, true);
}

}  // namespace nudging
