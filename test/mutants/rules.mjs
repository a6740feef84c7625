import { judge, reader } from './files.mjs';

/** Wrong engines of the rules by which the base defers. @type {import('./mutants.mjs').Mutant[]} */
export const rulesMutants = [
  // R17 to R22
  {
    name: 'rules: the bet compares the token of the base with the word of the aligned model',
    file: judge,
    from: 'if (is_whole(word) || !rule_.by_words({word.probability, aligned})) break;',
    to: 'break;',
  },
  {
    name: 'rules: λ the wrong way round',
    file: 'nudge/rules/bet.h',
    from: 'words.base >= words.aligned - lambda_;',
    to: 'words.base >= words.aligned + lambda_;',
  },
  {
    name: 'rules: the bet needs more than λ',
    file: 'nudge/rules/bet.h',
    from: 'words.base >= words.aligned - lambda_;',
    to: 'words.base > words.aligned - lambda_;',
  },
  {
    name: 'rules: a draft that says something else serves the bet',
    file: 'nudge/aligned_words.cpp',
    from: 'return text.size() >= start_ && draft_.text().starts_with(text.substr(start_));',
    to: 'return text.size() >= start_ && text.size() - start_ <= draft_.text().size();',
  },
  {
    name: 'rules: no draft serves the bet twice',
    file: 'nudge/aligned_words.cpp',
    from: 'if (!covers(text)) follow(text, Draft());',
    to: 'follow(text, Draft());',
  },
  {
    name: "rules: the aligned model's word cut where its draft is",
    file: 'nudge/aligned_words.cpp',
    from: 'if (!is_whole(at)) {',
    to: 'if (!is_whole(at) && draft_.tokens().empty()) {',
  },
  {
    name: "rules: the aligned model's end is no word",
    file: 'nudge/aligned_words.cpp',
    from: 'product * end_ : product;',
    to: 'product : product;',
  },
  {
    name: 'rules: what the base has looked ahead at is not taken back',
    file: judge,
    from: '  base_.pop(pushed);\n',
    to: '',
  },
  {
    name: 'rules: the base is not told what the aligned model would say',
    file: judge,
    from: 'rest.text().size() > guess.text().size()) guess = std::move(rest);',
    to: 'rest.text().size() > guess.text().size()) static_cast<void>(rest);',
  },
  {
    name: 'rules: a word goes on behind the next space',
    file: judge,
    from: 'if (next.silent() || ends(word, next)) break;',
    to: 'if (next.silent()) break;',
  },
  {
    name: 'rules: a word has no end but a space',
    file: judge,
    from: 'word_end(word.text) != std::string_view::npos || word.tokens >= limit_;',
    to: 'word_end(word.text) != std::string_view::npos;',
  },
  {
    name: 'rules: each token of a word is judged again',
    file: judge,
    from: '  if (word_.base) return Judgement{*word_.base};\n',
    to: '',
  },
  {
    name: 'rules: the hybrid compares below low',
    file: 'nudge/rules/hybrid.h',
    from: 'if (said.probability < low_) return false;',
    to: '',
  },
  {
    name: 'rules: high itself is not high',
    file: 'nudge/rules/hybrid.h',
    from: 'if (said.probability >= high_) return true;',
    to: 'if (said.probability > high_) return true;',
  },
  {
    name: 'rules: the hybrid judges the rest of a word only',
    file: judge,
    from: '  Word word = word_;\n',
    to: '  Word word = word_;\n  word.probability = 1;\n',
  },
  {
    name: "rules: the hybrid's ties by the limit that does not matter",
    file: 'nudge/rules/hybrid.h',
    from: 'const bool by_low = std::abs(said.probability - low_) < base.probability && (!between || judged.base);',
    to: 'const bool by_low = std::abs(said.probability - low_) < base.probability && (!between || !judged.base);',
  },
  {
    name: 'rules: the margin is the probability',
    file: 'nudge/rules/margin.h',
    from: 'return said.probability - *said.runner_up;',
    to: 'return said.probability - 0 * *said.runner_up;',
  },
  {
    name: 'rules: the margin itself is not enough',
    file: 'nudge/rules/margin.h',
    from: 'return lead(said) >= margin_;',
    to: 'return lead(said) > margin_;',
  },
  {
    name: 'rules: the runner-up by the scores of sampling',
    file: reader,
    from: `
  measure(logits, reading.measures, top1);
  if (!reading.draw.sampling.greedy()) sample(logits, reading.draw, top1);`,
    to: `
  if (!reading.draw.sampling.greedy()) sample(logits, reading.draw, top1);
  measure(logits, reading.measures, top1);`,
    tests: ['rules'],
  },
  {
    name: 'rules: the entropy itself is too much',
    file: 'nudge/rules/entropy.h',
    from: 'return *said.entropy <= limit_;',
    to: 'return *said.entropy < limit_;',
  },
  {
    name: 'rules: the entropy of a part of the vocabulary',
    file: 'choice/measures.cpp',
    from: 'for (std::size_t k = 0; i + k < part.size(); ++k) term',
    to: 'for (std::size_t k = 1; i + k < part.size(); ++k) term',
    native: 'measures_test',
  },
  {
    name: 'rules: entropy in bits',
    file: 'choice/measures.cpp',
    from: 'std::log(sum) - weighted / sum',
    to: '(std::log(sum) - weighted / sum) / std::log(2.0)',
    native: 'measures_test',
  },
  {
    name: 'rules: an answer remembered without its measures',
    file: 'lanes/sequence_lane.h',
    from: '  bool operator==(const Choice&) const = default;',
    to: '  bool operator==(const Choice& other) const { return sampling == other.sampling && changes == other.changes; }',
    tests: ['rules'],
  },
];
