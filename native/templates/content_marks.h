#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "text/prompt.h"
#include "text/vocabulary.h"

namespace nudging {

/// Marks in what users wrote, so that no control token of a rendered template can begin there.
///
/// llama.cpp's Jinja engine remembers which parts of a string came from a message, but forgets it in `split`, `join`, `tojson`, in single
/// characters and in edits of mixed strings; templates in use do such things to message text (Kimi K3 and Gemma 4 split it, and join the
/// pieces again). Hence a second mark that lives in the text itself: every byte of a message that could begin a control token's text is
/// followed by the byte 0xFF, which UTF-8 never holds. It goes wherever the text goes. After rendering the marks are taken out, and a
/// byte that had one is user text whatever the engine says of its part.
///
/// A template that looks for a text in messages ("</think>") must still find it. So bytes inside of what the template's own string literals
/// spell stay unmarked, where the rest of the literal rules out that a control token begins at them.
///
/// What is left: a template could cut such a literal apart in a message by position, lose the engine's mark as well, and join the pieces
/// so that they spell a control token. None of llama.cpp's 70 templates does.
class ContentMarks {
 public:
  /// `literals`: the string literals of the template, and its names, which may be what it looks up in an object. Both arguments must
  /// outlive the object.
  ContentMarks(const std::vector<Vocabulary::Special>& specials, const std::vector<std::string>& literals);

  std::string put(std::string_view content) const;

  /// Appends `part` of a rendered template to `segments`, without the marks.
  static void take(std::string_view part, bool is_template, std::vector<Segment>& segments);

 private:
  bool may_begin_special(std::string_view text) const;

  /// A literal that a message may hold, and which of its bytes need no mark.
  struct Literal {
    std::string_view text;
    std::vector<bool> harmless;
  };

  const std::vector<Vocabulary::Special>& specials_;
  std::array<bool, 256> begins_special_{};
  std::vector<Literal> literals_;
};

}  // namespace nudging
