import { lane, job, sampling, filters, changes, reader } from './files.mjs';

/** Wrong engines of sampling and of changed logits. @type {import('./mutants.mjs').Mutant[]} */
export const samplingMutants = [
  // R15
  {
    name: 'sampling: the uncertainty test asks the sampled token',
    file: sampling,
    from: '  top1.token = ranking.token;\n',
    to: '  top1.token = ranking.token;\n  top1.probability *= std::exp(ranking.logit - static_cast<float>(highest));\n',
  },
  {
    name: 'sampling: the same noise in every context',
    file: lane,
    from: 'sampling.greedy() ? 0 : keys_.of(cached_, length)',
    to: '0',
    tests: ['sampling'],
  },
  { name: 'sampling: keys of tokens that were cut', file: lane, from: '  keys_.cut(length);\n', to: '', tests: ['sampling'] },
  {
    name: 'sampling: an answer remembered from another seed',
    file: lane,
    from: '    answers_.assign(answers_.size(), std::nullopt);\n    ++cache_stamp_;\n',
    to: '',
    tests: ['sampling', 'logits'],
  },
  {
    name: 'sampling: both models draw the same',
    file: job,
    from: '  sampling.lane = static_cast<std::uint32_t>(lane);\n',
    to: '  static_cast<void>(lane);\n',
    tests: ['sampling'],
  },
  {
    name: 'sampling: half of the seed lost',
    file: 'addon/from_js.cpp',
    from: 'sampling.seed = static_cast<std::uint64_t>(seed);',
    to: 'sampling.seed = static_cast<std::uint64_t>(seed) & 0xFFFFFFFF;',
    tests: ['sampling'],
  },
  {
    name: 'sampling: noise shared by a block of tokens',
    file: sampling,
    from: ': exponential(words_of(draw, Drawn::token, index));',
    to: ': exponential(words_of(draw, Drawn::token, index / filter_block));',
  },
  {
    name: 'sampling: tokens that could win are skipped',
    file: sampling,
    from: 'const double score = ranking.second - most;',
    to: 'const double score = ranking.second - most + 1;',
  },
  {
    name: 'sampling: the margin in units of the temperature',
    file: sampling,
    from: '(ranking.first - ranking.second) * temperature',
    to: '(ranking.first - ranking.second)',
  },
  {
    name: 'sampling: the margin ignores the filters',
    file: sampling,
    from: '  for (const auto& outsider : ranking.outsiders) {\n    if (outsider.score > ranking.first)',
    to: '  for (const auto& outsider : ranking.outsiders) {\n    if (outsider.score > ranking.first && margin < 0)',
  },
  {
    name: 'sampling: top-p without the token that reaches it',
    file: filters,
    from: `
      if (sum < p * total) kept.lowest = logit;
      kept.limit = logit;
      sum += static_cast<double>(std::exp(logit - highest));`,
    to: `
      sum += static_cast<double>(std::exp(logit - highest));
      if (sum < p * total) kept.lowest = logit;
      kept.limit = logit;`,
  },
  { name: 'sampling: top-p of all tokens after top-k', file: filters, from: '      total = mass_of(candidates, highest);\n', to: '' },
  {
    name: 'sampling: top-k one token more',
    file: filters,
    from: 'candidates = top_k(logits, maxima, sampling.top_k);',
    to: 'candidates = top_k(logits, maxima, sampling.top_k + 1);',
  },
  // R16
  {
    name: 'logits: nothing is changed',
    file: reader,
    from: 'if (reading.changes) changer_.apply(',
    to: 'if (reading.changes && reading.changes->repeat.factor < 0) changer_.apply(',
    tests: ['logits'],
  },
  {
    name: 'logits: what stands behind the context counts as well',
    file: lane,
    from: '    const std::size_t from = length - std::min<std::size_t>',
    to: '    length = cached_.size();\n    const std::size_t from = length - std::min<std::size_t>',
    tests: ['logits'],
  },
  {
    name: 'logits: the probability is that of the raw ones',
    file: reader,
    from: `
  if (reading.changes) changer_.apply(*reading.changes, reading.recent, vocabulary, logits);
  PassResult::Said said;
  Top1& top1 = said.top1 = most_likely(logits);`,
    to: `
  PassResult::Said said;
  const float raw = most_likely(logits).probability;
  if (reading.changes) changer_.apply(*reading.changes, reading.recent, vocabulary, logits);
  Top1& top1 = said.top1 = most_likely(logits);
  if (!std::isnan(top1.probability)) top1.probability = raw;`,
    tests: ['logits'],
  },
  {
    name: 'logits: an answer remembered from other biases',
    file: 'lanes/sequence_lane.h',
    from: '  bool operator==(const Choice&) const = default;',
    to: '  bool operator==(const Choice& other) const { return sampling == other.sampling; }',
    tests: ['logits'],
  },
  {
    name: "logits: the base's biases for both models",
    file: job,
    from: 'generation.biases[i], generation.repeat',
    to: 'generation.biases[0], generation.repeat',
    tests: ['logits'],
  },
  { name: 'logits: -100 only makes a token unlikely', file: changes, from: 'bias == banning ? never : bias', to: 'bias' },
  { name: 'logits: the last of two biases holds', file: changes, from: 'sums[token] += bias', to: 'sums[token] = bias' },
  {
    name: 'logits: the penalty comes before the biases',
    file: changes,
    from: '  if (changes.repeat.factor == 1) return;\n',
    to:
      '  if (changes.repeat.factor == 1) return;\n' +
      '  for (const auto& [token, bias] : changes.biases) logits[static_cast<std::size_t>(token)] -= bias;\n',
  },
  {
    name: 'logits: negative ones are divided by the penalty, too',
    file: changes,
    from: 'logit > 0 ? logit / changes.repeat.factor : logit * changes.repeat.factor',
    to: 'logit / changes.repeat.factor',
  },
  {
    name: 'logits: a penalty for each time',
    file: changes,
    from: 'if (seen_[index] || vocabulary.ends(token)) continue;',
    to: 'if (vocabulary.ends(token)) continue;',
  },
  {
    name: 'logits: the end is penalised',
    file: changes,
    from: 'if (seen_[index] || vocabulary.ends(token)) continue;',
    to: 'if (seen_[index]) continue;',
  },
  {
    name: 'logits: what was seen once is never penalised again',
    file: changes,
    from: '  for (const Token token : window) seen_[static_cast<std::size_t>(token)] = false;\n',
    to: '',
  },
  {
    name: 'logits: the first tokens of a context are its last',
    file: changes,
    from: 'context.last(std::min',
    to: 'context.first(std::min',
  },
  {
    name: 'logits: a text names only the last token that shows it',
    file: changes,
    from: 'text->second.push_back(static_cast<Token>(i));',
    to: 'text->second.assign(1, static_cast<Token>(i));',
  },
];
