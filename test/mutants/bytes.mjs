/** Wrong engines of models that are mixed byte by byte. @type {import('./mutants.mjs').Mutant[]} */
export const bytesMutants = [
  // R41 to R48
  {
    name: 'a token that ends with the text counts whatever stands in front of it',
    file: 'bytes/cover_tree.cpp',
    from: 'spelling.back() == order_.token(place) && is_path(node, std::span(spelling).first(spelling.size() - 1));',
    to: 'spelling.back() == order_.token(place);',
  },
  {
    name: 'a model is asked about what all spellings have in common',
    file: 'bytes/cover_tree.cpp',
    from: 'nodes_[0]->range.empty() && nodes_[0]->children == 1',
    to: 'false',
  },
  {
    name: 'only one of the ends of text ends an answer of bytes',
    file: 'bytes/cover_tree.cpp',
    from: 'for (const Token token : order_.ending()) node.end += probability(token);',
    to: 'for (const Token token : order_.ending()) node.end = probability(token);',
  },
  {
    name: 'white space is spelled as if the text ended there',
    file: 'bytes/byte_law.cpp',
    from: 'if (!ends_in_space(text)) return valid;',
    to: 'return valid;',
  },
  {
    name: 'what the model has said of a place that the text came to is forgotten',
    file: 'bytes/byte_law.cpp',
    from: 'if (foretold_.empty()) return;',
    to: 'return;',
  },
  {
    name: 'what the model has said of one place is taken for another',
    file: 'bytes/byte_law.cpp',
    from: 'return one.place.tokens == context; });',
    to: 'return one.place.tokens.size() == context.size(); });',
  },
  {
    name: 'every place is asked about by the way',
    file: 'bytes/byte_law.cpp',
    from: 'characters.pending() || known.ended(ahead.ends[i]) < negligible',
    to: 'characters.pending()',
  },
  {
    name: 'a guess that nobody makes',
    file: 'bytes/decode_bytes.cpp',
    from: 'while (text.bytes.size() < most_guessed)',
    to: 'while (text.bytes.size() < 0)',
  },
  {
    name: 'what branches off is left out of every pass',
    file: 'lanes/planned_pass.cpp',
    from: 'take_branches();\n    take_ahead',
    to: 'take_ahead',
    tests: ['byte-mixture'],
  },
  {
    name: 'a branch goes on from what another context has there',
    file: 'lanes/planned_pass.cpp',
    from: 'const auto end = std::mismatch(behind.begin(), behind.end() - 1, other.tokens.begin(), other.tokens.end()).first;',
    to: 'const auto end = behind.begin() + static_cast<std::ptrdiff_t>(std::min(behind.size() - 1, other.tokens.size()));',
    tests: ['byte-mixture'],
  },
  {
    name: 'a branch keeps the tokens of its last context',
    file: 'lanes/branches.cpp',
    from: 'if (length == held_[i].size()) continue;',
    to: 'continue;',
    tests: ['byte-mixture'],
  },
  {
    name: 'what branches off may have cells that are not there',
    file: 'lanes/sequence_lane.cpp',
    from: 'std::min(room, left))',
    to: 'room)',
    tests: ['byte-mixture'],
  },
  {
    name: 'a byte is chosen by what is known so far',
    file: 'bytes/byte_mixture.cpp',
    from: '(law.known[symbol] + law.open) / all}',
    to: 'law.known[symbol] / all}',
  },
  {
    name: 'bounds of the reference the wrong way round',
    file: 'bytes/byte_mixture.cpp',
    from: 'alpha_ * (aligned.least - reference.most)',
    to: 'alpha_ * (aligned.least - reference.least)',
  },
  {
    name: 'an answer of bytes may end inside a character',
    file: 'bytes/decode_bytes.cpp',
    from: 'allowed[end_symbol] = !characters.pending();',
    to: 'allowed[end_symbol] = true;',
  },
  {
    name: 'the last token of a budget may not grow',
    file: 'bytes/decode_bytes.cpp',
    from: 'return used() > tokens_;',
    to: 'return used() >= tokens_;',
  },
];
