#pragma once

#include <optional>
#include <string>

#include "text/vocabulary.h"

namespace nudging {

/// The first token that keeps two vocabularies from being one: it shows other bytes, or only one of them has it. Nothing if they are one.
///
/// What a longer one has behind the end of a shorter one does no harm as long as it neither shows nor ends anything: vocabularies are
/// filled up to round numbers. Nor does it count which tokens end a generation, which a base and its aligned model are seldom of one mind
/// about.
std::optional<Token> first_difference(const Vocabulary& a, const Vocabulary& b);

/// What a vocabulary has under a token's number, for messages: its text in quotes, or that it has none.
std::string shown_token(const Vocabulary& vocabulary, Token token);

}  // namespace nudging
