#include "check.h"
#include "nudge/words.h"

using nudging::boundaries;
using nudging::first_word;
using nudging::without_last_word;
using nudging::word_at;
using Positions = std::vector<std::size_t>;

TEST("R5: a boundary stands before every word but the first") { CHECK_EQUAL(boundaries("a bc d"), Positions{1, 4}); }

TEST("R5: leading spaces belong to the first word") {
  CHECK_EQUAL(boundaries("  a b"), Positions{3});
  CHECK_EQUAL(boundaries(" a"), Positions{});
}

TEST("R5: of a run of spaces the last one opens the next word") { CHECK_EQUAL(boundaries("a   b"), Positions{3}); }

TEST("R5: trailing spaces open nothing") {
  CHECK_EQUAL(boundaries("a "), Positions{});
  CHECK_EQUAL(boundaries("a b  "), Positions{1});
}

TEST("R5: newlines, tabs and no-break spaces do not separate") {
  CHECK_EQUAL(boundaries("x.\n\nThe\tend\xC2\xA0here"), Positions{});
  CHECK_EQUAL(boundaries("\n a"), Positions{1});
}

TEST("R5: spaces only, or nothing") {
  CHECK_EQUAL(boundaries("   "), Positions{});
  CHECK_EQUAL(boundaries(""), Positions{});
}

TEST("R6: the next word is one space and what follows up to the next space") {
  CHECK_EQUAL(word_at("a bc d", 1), " bc");
  CHECK_EQUAL(word_at("a bc d", 4), " d");
  CHECK_EQUAL(word_at("a   b", 3), " b");
  CHECK_EQUAL(word_at("a b\nc d", 1), " b\nc");
}

TEST("R8: all words but the last") {
  CHECK_EQUAL(without_last_word("a bc d"), 4U);
  CHECK_EQUAL(without_last_word(" a b"), 2U);
  CHECK_EQUAL(without_last_word("a   b"), 3U);
}

TEST("R8: a draft of one word is taken whole") {
  CHECK_EQUAL(without_last_word("abc"), 3U);
  CHECK_EQUAL(without_last_word("  abc"), 5U);
  CHECK_EQUAL(without_last_word("a\nb"), 3U);
}

TEST("R8: of trailing spaces only the last is dropped") {
  CHECK_EQUAL(without_last_word("a  "), 2U);
  CHECK_EQUAL(without_last_word("a "), 1U);
}

TEST("R8: spaces only are one word") {
  CHECK_EQUAL(without_last_word("   "), 3U);
  CHECK_EQUAL(without_last_word(""), 0U);
}

TEST("R29: the first word has the spaces in front of it, and ends before the next one") {
  CHECK_EQUAL(std::string(first_word(" ab c")), " ab");
  CHECK_EQUAL(std::string(first_word("ab  c")), "ab");
  CHECK_EQUAL(std::string(first_word("  a\nb")), "  a\nb");
  CHECK_EQUAL(std::string(first_word("  ")), "  ");
  CHECK_EQUAL(std::string(first_word("")), "");
}
