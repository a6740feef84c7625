#include "check.h"
#include "nudge/utf8.h"

using nudging::Utf8Stream;

namespace {

std::string decoded(const std::vector<std::string>& tokens) {
  Utf8Stream stream;
  std::string text;
  for (const std::string& token : tokens) stream.feed(token, text);
  return text;
}

const std::string replaced = "\xEF\xBF\xBD";

}  // namespace

TEST("R4: ASCII passes through") { CHECK_EQUAL(decoded({"a", "", " b\n"}), "a b\n"); }

TEST("R4: a character split over tokens appears with its last byte") {
  Utf8Stream stream;
  std::string text;
  CHECK_EQUAL(stream.feed("x\xF0\x9F", text), 1U);
  CHECK(stream.pending());
  CHECK_EQUAL(stream.feed("\x98", text), 0U);
  CHECK_EQUAL(stream.feed("\x80y", text), 5U);
  CHECK_EQUAL(text, "x\xF0\x9F\x98\x80y");
  CHECK(!stream.pending());
}

TEST("R4: an incomplete character at the end is left out") { CHECK_EQUAL(decoded({"a\xE4\xB8"}), "a"); }

TEST("R4: bytes that can never become a character turn into U+FFFD") {
  CHECK_EQUAL(decoded({"\x80"}), replaced);
  CHECK_EQUAL(decoded({"\xFF", "a"}), replaced + "a");
  CHECK_EQUAL(decoded({"\xE4\xB8", "a"}), replaced + "a");
  CHECK_EQUAL(decoded({"\xE4", "\xE4\xB8\xAD"}), replaced + "\xE4\xB8\xAD");
}

TEST("R4: overlong forms, surrogates and too large code points are no characters") {
  CHECK_EQUAL(decoded({"\xC0\x80"}), replaced + replaced);
  CHECK_EQUAL(decoded({"\xE0\x80\x80"}), replaced + replaced + replaced);
  CHECK_EQUAL(decoded({"\xED\xA0\x80"}), replaced + replaced + replaced);
  CHECK_EQUAL(decoded({"\xF4\x90\x80\x80"}), replaced + replaced + replaced + replaced);
  CHECK_EQUAL(decoded({"\xED\x9F\xBF"}), "\xED\x9F\xBF");
  CHECK_EQUAL(decoded({"\xF4\x8F\xBF\xBF"}), "\xF4\x8F\xBF\xBF");
}
