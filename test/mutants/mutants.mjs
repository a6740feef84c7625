import { guardMutants } from './guard.mjs';
import { gpuMutants } from './gpus.mjs';
import { mixtureMutants } from './mixtures.mjs';

/**
 * Deliberately wrong engines. Each changes one place of the native source; at least one test must notice.
 *
 * @typedef {object} Mutant
 * @property {string} name  what the wrong engine does
 * @property {string} file  below native/, or llama.cpp's folder
 * @property {string} from  text that occurs exactly once in the file, white space apart
 * @property {string} to
 * @property {string[]} [tests]  only these show it: the other Node tests are not run
 * @property {string} [native]  the engine test that shows it
 * @property {boolean} [vendored]  the file is one of llama.cpp's, patched: what is undone is a patch
 */

const nudge = 'nudge/nudge.cpp';
const record = 'nudge/record.cpp';
const judge = 'nudge/judge.cpp';
const words = 'nudge/words.cpp';
const lead = 'nudge/lead.cpp';
const reverse = 'nudge/reverse.cpp';
const attention = 'kernels/attention.cpp';
const draft = 'nudge/draft.h';
const answer = 'nudge/answer.cpp';
const stops = 'nudge/stop_strings.cpp';
const lane = 'lanes/sequence_lane.cpp';
const text = 'text/text_tokens.cpp';
const vocabulary = 'text/vocabulary.cpp';
const context = 'lanes/model_context.cpp';
const prompt = 'text/prompt.cpp';
const job = 'engine/job.cpp';
const prompts = 'engine/prompts.cpp';
const sampling = 'choice/gumbel.cpp';
const tolerance = 'trust/tie_tolerance.cpp';
const filters = 'choice/token_filters.cpp';
const changes = 'lanes/logit_changes.cpp';
const reader = 'lanes/logit_reader.cpp';
const scheduler = 'engine/scheduler.cpp';

/** @type {Mutant[]} */
export const mutants = [
  // R1
  {
    name: 'the base may start the answer',
    file: nudge,
    from: '  while (true) {  // R1',
    to: `
      base.set_text({});
      const Top1 start = co_await base.top1();
      if (!start.silent() && start.probability >= rules.gamma) {
        answer.open_round(By::confident);
        unsure = co_await run(base, aligned, judge, agreement, start, {}, rules.ends, answer, record);
        if (answer.ended()) co_return *answer.ended();
      }
      while (true) {  // R1`,
  },
  // R2
  {
    name: 'prompt and output tokenised apart',
    file: lane,
    from: 'if (!from_nothing_) return prompt_->followed.follow(joined);',
    to: `
      if (!from_nothing_) {
        whole_ = lane_.vocabulary().tokenize(prompt_->tail);
        const std::vector<Token> rest = lane_.vocabulary().tokenize(text);
        whole_.insert(whole_.end(), rest.begin(), rest.end());
        return whole_;
      }`,
  },
  {
    name: 'stale KV cells after a rewind',
    file: context,
    from: 'return llama_memory_seq_rm(memory, edit.sequence, length, -1);',
    to: 'return llama_memory_seq_rm(memory, edit.sequence, length + 1, -1);',
  },
  { name: 'a remembered answer for other tokens', file: lane, from: '|| reusable() < length) return false;', to: ') return false;' },
  {
    name: 'tokens taken for alike that were before the text changed',
    file: lane,
    from: '  wanted_.insert(wanted_.end(), tokens.begin(), tokens.end());\n  alike_ = 0;\n',
    to: '  wanted_.insert(wanted_.end(), tokens.begin(), tokens.end());\n',
  },
  { name: 'answers outlive a rewind', file: lane, from: '  answers_.resize(length);\n}', to: '}' },
  {
    name: 'a cut next to changed text is trusted',
    file: text,
    from: 'cuts_.back().offset + 2 > unchanged',
    to: 'cuts_.back().offset > unchanged',
  },
  { name: "the tokenizer's space prefix doubled at a cut", file: text, from: 'part.remove_prefix(1);', to: 'part.remove_prefix(0);' },
  {
    name: 'the vocabulary is not asked where text may be cut',
    file: vocabulary,
    from: 'splits_after_[static_cast<std::size_t>(shown[i - 1])] = false;',
    to: '{}',
  },
  {
    name: 'text may be cut at any space',
    file: vocabulary,
    from: 'return is_letter(before) && is_letter(after) && splits_after_[static_cast<std::size_t>(before)];',
    to: 'return before >= 0 && after >= 0;',
  },
  { name: 're-tokenising inside a base run', file: nudge, from: '    base.push(next.token);\n', to: '    base.set_text(answer.text());\n' },
  {
    name: 'a guess taken for the truth',
    file: lane,
    from: `
      const std::size_t length = wanted_.size();`,
    to: `
      if (!guess_.empty() && guess_decoded_ > 0 && guess_at_ == wanted_.size()) wanted_.push_back(guess_.front());
      const std::size_t length = wanted_.size();`,
  },
  {
    name: 'wrong guesses left in the KV cache',
    file: lane,
    from: 'wanted_.size() - 1);\n  if (kept < cached_.size()) cut(kept);',
    to: 'wanted_.size() - 1);\n  if (kept < cached_.size() && stats_.guessed == 0) cut(kept);',
  },
  // R3
  { name: 'lookahead one too long', file: nudge, from: 'drafted < lookahead', to: 'drafted <= lookahead' },
  { name: 'lookahead one too short', file: nudge, from: 'drafted < lookahead', to: 'drafted + 1 < lookahead' },
  {
    name: 'end of text as the L-th token not noticed',
    file: nudge,
    from: '      draft.end();\n',
    to: '      if (drafted + 1 < lookahead) draft.end();\n',
  },
  {
    name: 'the base is asked about an ended draft',
    file: nudge,
    from: 'if (draft.ended() && ends.accepts_short_drafts()) co_return',
    to: 'if (draft.ended() && ends.accepts_short_drafts() && draft.text().empty()) co_return',
  },
  // R4
  {
    name: 'half a character emitted',
    file: 'nudge/utf8.cpp',
    from: '    partial_ = bytes[i];\n',
    to: '    text += bytes[i];\n    missing_ = 0;\n',
  },
  {
    name: 'the leading space of a draft lost',
    file: draft,
    from: 'characters_.feed(said.bytes, text_);',
    to: "characters_.feed(shown_.empty() && said.bytes.starts_with(' ') ? said.bytes.substr(1) : said.bytes, text_);",
  },
  // R5, R6
  {
    name: 'words split at any white space',
    file: words,
    from: "if (draft[i] == ' ' && draft[i + 1] != ' ')",
    to: "if ((draft[i] == ' ' || draft[i] == '\\n' || draft[i] == '\\t') && draft[i + 1] != ' ')",
  },
  {
    name: 'leading spaces do not belong to the first word',
    file: words,
    from: 'for (std::size_t i = first_word + 1;',
    to: 'for (std::size_t i = 0;',
  },
  {
    name: 'a boundary before the first of several spaces',
    file: words,
    from: "if (draft[i] == ' ' && draft[i + 1] != ' ')",
    to: "if (draft[i] == ' ' && draft[i - 1] != ' ')",
  },
  {
    name: 'the boundary before the last word not asked',
    file: words,
    from: '  return found;\n}\n\nstd::string_view word_at',
    to: '  if (!found.empty()) found.pop_back();\n  return found;\n}\n\nstd::string_view word_at',
  },
  {
    name: 'the next word without its space',
    file: words,
    from: 'return draft.substr(at, std::min(next_space, draft.size()) - at);',
    to: 'return draft.substr(at + 1, std::min(next_space, draft.size()) - at - 1);',
  },
  // R7
  {
    name: "ends at the base's end of text",
    file: nudge,
    from: '    if (words.empty() && !verdict.handover) co_return StopReason::stalled;',
    to: `
      if (verdict.by == By::base_end) co_return StopReason::end;
      if (words.empty() && !verdict.handover) co_return StopReason::stalled;`,
  },
  { name: 'a token without bytes counts as agreement', file: 'nudge/top1.h', from: 'return ends || bytes.empty();', to: 'return ends;' },
  {
    name: 'no agreement below gamma (R7b)',
    file: nudge,
    from: 'if (agrees) {',
    to: 'if (agrees && judge.rule().by_token(next).value_or(false)) {',
  },
  {
    name: 'agreement the wrong way round',
    file: nudge,
    from: 'word_at(draft.text(), boundary).starts_with(next.bytes)',
    to: 'next.bytes.starts_with(word_at(draft.text(), boundary))',
  },
  {
    name: '> instead of >= at a boundary',
    file: 'nudge/rules/top1_rule.h',
    from: 'return said.probability >= gamma_;',
    to: 'return said.probability > gamma_;',
  },
  // R8
  { name: 'the cut last word kept', file: words, from: '  return last_space;\n', to: '  return draft.size();\n' },
  {
    name: 'all trailing spaces dropped',
    file: words,
    from: '  return last_space;\n',
    to: "  return draft.find_last_not_of(' ', last_space) + 1;\n",
  },
  // R9 to R11
  {
    name: 'the first token of a run needs gamma',
    file: nudge,
    from: '  Top1 next = first;\n',
    to: '  Top1 next = first;\n  if (!judge.rule().by_token(next).value_or(true)) co_return next.probability;\n',
  },
  {
    name: 'a run goes on whatever the rule says',
    file: nudge,
    from: 'if (!judged->base) co_return next.probability;  // R9',
    to: '',
  },
  {
    name: 'the uncertain token that ends a run is kept',
    file: nudge,
    from: '    if (!judged->base) co_return next.probability;  // R9',
    to: `
      if (!judged->base) {
        answer.add_token(next.bytes, Source::base, next.probability);
        co_return next.probability;
      }`,
  },
  {
    name: "the base's end of text does not end a run",
    file: nudge,
    from: 'if (next.silent()) co_return std::nullopt;  // R10',
    to: 'if (next.silent()) judged.emplace();',
  },
  // R12, R13
  { name: 'words cost one token too few', file: draft, from: '- shown_.begin()) + 1;', to: '- shown_.begin());' },
  {
    name: 'words not cut to the budget',
    file: nudge,
    from: 'const std::size_t length = fits ? verdict.length : draft.shown(answer.left());',
    to: 'const std::size_t length = verdict.length;',
  },
  {
    name: 'an ended draft that fits exactly ends with length',
    file: answer,
    from: 'if (ended_ == StopReason::stop) return;',
    to: 'if (ended_) return;',
  },
  {
    name: 'the budget counts one token more',
    file: answer,
    from: 'if (used_ == limits_.max_tokens && !ended_)',
    to: 'if (used_ + 1 >= limits_.max_tokens && !ended_)',
  },
  // R23, R24
  {
    name: "ends: the base's end counts however unsure it is",
    file: 'nudge/ends.h',
    from: 'said.ends && said.probability >= certainty;',
    to: 'said.ends && said.probability >= 0 * certainty;',
  },
  {
    name: "ends: the base's end is not heard in its run",
    file: nudge,
    from: 'if (ends.ended_by(next)) answer.end(Source::base);',
    to: '',
  },
  {
    name: "ends: the base's end is not heard at a boundary",
    file: nudge,
    from: 'if (ends.ended_by(next)) verdict.ends = Source::base;',
    to: '',
  },
  {
    name: 'ends: the base has the word only where it is sure',
    file: nudge,
    from: '  if (!next.silent()) verdict.handover = next;\n',
    to: '  if (!next.silent() && next.probability >= 0.4F) verdict.handover = next;\n',
  },
  { name: 'ends: what ended it is not told', file: answer, from: '  ended_by_ = by;\n', to: '' },
  {
    name: 'ends: a stop string gives way to an end',
    file: answer,
    from: '  if (ended_ == StopReason::stop) return;\n',
    to: '',
  },
  {
    name: 'ends: the last word of a checked draft taken for cut',
    file: nudge,
    from: 'verdict.length = draft.ended() ? draft.text().size() : without_last_word(draft.text());',
    to: 'verdict.length = without_last_word(draft.text());',
  },
  {
    name: 'ends: a checked draft ends the answer also where the base takes over',
    file: nudge,
    from: '  verdict.ends.reset();\n',
    to: '',
  },
  {
    name: 'ends: the end of a draft that was taken over counts as a tie',
    file: nudge,
    from: 'const bool is_whole = draft.ended() && verdict.length == draft.text().size();',
    to: 'const bool is_whole = draft.ended();',
  },
  {
    name: 'ends: how sure it is of the end is never close',
    file: record,
    from: '|| is_near(said, certainty, base_)',
    to: '',
  },
  // R25
  {
    name: 'lead: one token too few',
    file: lead,
    from: 'if (drafted >= tokens) {',
    to: 'if (drafted + 1 >= tokens) {',
  },
  {
    name: 'lead: the word is not completed',
    file: lead,
    from: 'drafted < tokens + lookahead && !end;',
    to: 'drafted < tokens && !end;',
  },
  {
    name: 'lead: what was drafted behind the word is taken',
    file: lead,
    from: 'const std::size_t length = fits ? end.value_or(draft.text().size())',
    to: 'const std::size_t length = fits ? draft.text().size()',
  },
  {
    name: 'lead: its last word costs nothing',
    file: lead,
    from: '  answer.spend(std::min(more, answer.left()), Source::nudge);\n',
    to: '',
  },
  {
    name: "lead: the aligned model's end is not heard in it",
    file: lead,
    from: 'if (draft.ended() && fits && ends.aligned_counts()) answer.end(Source::nudge);',
    to: '',
  },
  { name: 'lead: none', file: nudge, from: 'if (rules.lead > 0) {', to: 'if (rules.lead > 1000000) {' },
  // R26 to R30
  {
    name: 'reverse: the base is asked inside words',
    file: reverse,
    from: "(text.empty() || text.ends_with(' ') || bytes.starts_with(' '));",
    to: "(text.empty() || text.ends_with(' ') || !bytes.starts_with('.'));",
  },
  {
    name: 'reverse: gamma itself is not sure enough',
    file: reverse,
    from: 'if (may_give_way && next.probability < rules.gamma) {',
    to: 'if (may_give_way && next.probability <= rules.gamma) {',
  },
  {
    name: 'reverse: the base may write punctuation',
    file: reverse,
    from: 'if (next.silent() || (rules.keeps_punctuation && is_punctuation(next.bytes))) break;',
    to: 'if (next.silent()) break;',
  },
  {
    name: 'reverse: the base is asked where punctuation stands',
    file: reverse,
    from: '!(rules.keeps_punctuation && is_punctuation(next.bytes));',
    to: '!(rules.keeps_punctuation && next.bytes.empty());',
  },
  {
    name: 'reverse: the base goes on behind its word',
    file: reverse,
    from: 'if (first_word(draft.text()).size() < draft.text().size()) break;',
    to: '',
  },
  {
    name: 'reverse: what follows the word is taken',
    file: reverse,
    from: 'take(draft, word.size(), answer);',
    to: 'take(draft, draft.text().size(), answer);',
  },
  {
    name: 'reverse: a base that shows nothing takes the word away',
    file: reverse,
    from: "if (word.find_first_not_of(' ') != std::string_view::npos) {",
    to: 'if (word.data() != nullptr) {',
  },
  {
    name: 'reverse: the joined text is not tokenised again',
    file: reverse,
    from: '    aligned.set_text(answer.text());\n',
    to: '    if (answer.text().empty()) aligned.set_text(answer.text());\n',
  },
  {
    name: 'reverse: a token in the middle of a character begins a word',
    file: reverse,
    from: '!next.ends && !characters.pending() && begins_word',
    to: '!next.ends && begins_word',
  },
  {
    name: 'reverse: ties of the aligned model by the tolerance of the base',
    file: record,
    from: 'kind == Decision::Kind::draft ? aligned_ : base_;',
    to: 'kind == Decision::Kind::lead ? aligned_ : base_;',
  },
  {
    name: 'reverse: letters are punctuation',
    file: 'nudge/punctuation.cpp',
    from: 'if (range == ranges.end() || character < range->first) return false;',
    to: 'if (range == ranges.end()) return false;',
  },
  // R14
  {
    name: 'a stop string across pieces not found',
    file: stops,
    from: '  std::optional<std::size_t> first;\n',
    to: '  std::optional<std::size_t> first;\n  state_ = 0;\n',
  },
  {
    name: 'the start of a stop string shown',
    file: answer,
    from: '  for (std::size_t covered = 0; covered < held; --count) covered += pieces_[count - 1].text.size();\n',
    to: '',
  },
  {
    name: 'a full context not noticed',
    file: 'engine/scheduler.cpp',
    from: 'if (slot.lanes[lane]->overflows()) {',
    to: 'if (slot.lanes[lane]->overflows() && slot.lanes[lane]->tokens().size() > 600) {',
  },
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
  // Guesses
  {
    name: 'a guess has the probability of what was said before it',
    file: 'nudge/guess.h',
    from: 'if (start >= from_ + begin) product',
    to: 'if (start >= begin) product',
  },
  {
    name: 'a fixed number of guesses is cut short by distrust',
    file: lane,
    from: 'return speculation_.guesses == Speculation::Guesses::fixed || ',
    to: 'return ',
  },
  {
    name: 'a header may divide by zero',
    file: 'gguf/hyperparameters.cpp',
    from: 'if (is_one_of(architecture_, readers) && integer(name) == 0) refuse(name, 0, "at least 1");',
    to: 'if (is_one_of(architecture_, readers) && integer(name) < 0) refuse(name, 0, "at least 1");',
  },
  {
    name: 'a header without keys of other architectures is the only good one',
    file: 'gguf/hyperparameters.cpp',
    from: 'if (is_one_of(architecture_, readers) && integer(name) == 0)',
    to: 'if (integer(name) == 0)',
  },
  {
    name: 'requests wait for guesses while others are answered',
    file: 'lanes/costs.cpp',
    from: '  if (batch.answers > 1) return 0;\n',
    to: '',
  },
  { name: 'guessing goes on behind what is not trusted', file: nudge, from: '    if (!base.trusts(next.probability)) break;\n', to: '' },
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
  // Ties
  {
    name: 'ties: γ is never close',
    file: 'nudge/rules/top1_rule.h',
    from: 'return std::abs(said.probability - gamma_) < base.probability;',
    to: 'return said.probability - gamma_ < -2 - base.probability;',
  },
  {
    name: 'ties: tokens are never close',
    file: record,
    from: 'return said.margin < tolerance.margin;',
    to: 'return said.margin < -tolerance.margin;',
  },
  {
    name: 'ties: γ counts where the base agrees',
    file: record,
    from: 'return judged && rule.is_close(said, *judged, base_, aligned_);',
    to: 'return !said.silent() && rule.is_close(said, judged.value_or(Judgement{}), base_, aligned_);',
  },
  {
    name: 'ties: the token counts where a run ends anyway',
    file: record,
    from: 'const bool token_decides = judged ? judged->base : rule.by_token(said).value_or(true);',
    to: 'const bool token_decides = true;',
  },
  {
    name: 'ties: what was drafted and dropped counts',
    file: record,
    from: 'std::min(tokens, drafted_.size())',
    to: 'std::max(tokens * 0, drafted_.size())',
  },
  {
    name: "ties: the aligned model's tokens by the base's tolerance",
    file: record,
    from: 'return margin < aligned_.margin;',
    to: 'return margin < base_.margin;',
  },
  {
    name: 'ties: the end of a draft does not count',
    file: nudge,
    from: 'return std::numeric_limits<std::size_t>::max();',
    to: 'return draft.cost(verdict.length);',
  },
  {
    name: 'ties: what the base agreed with does not count',
    file: nudge,
    from: 'std::min(draft.cost(verdict.length + agreed), left)',
    to: 'std::min(draft.cost(verdict.length + agreed * 0), left)',
  },
  {
    name: 'ties: no tolerance',
    file: 'engine/loading.cpp',
    from: '.tolerance = drawn.tolerance[i]',
    to: '.tolerance = {}',
    tests: ['ties'],
  },
  {
    name: 'ties: in a deterministic engine too',
    file: 'engine/loading.cpp',
    from: 'sketch.deterministic ? Tolerance{} : ',
    to: '',
    tests: ['ties'],
  },
  {
    name: 'ties: quantised weights are as steady as others',
    file: tolerance,
    from: 'return is_quantised ? quantised : floating;',
    to: 'return is_quantised && kernels.empty() ? quantised : floating;',
  },
  {
    name: 'ties: a quantised cache is as steady as others',
    file: tolerance,
    from: 'ggml_is_quantized(cache_type) ||',
    to: '(ggml_is_quantized(cache_type) && kernels.empty()) ||',
  },
  // Many requests at once
  {
    name: 'concurrency: last come, first served',
    file: scheduler,
    from: 'std::move(*next);\n    queue_.erase(next);',
    to: 'std::move(queue_.back());\n    queue_.pop_back();',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: time in the queue does not count',
    file: scheduler,
    from: 'if (deadline_of(*waiting.request, waiting.at) > now) return false;',
    to: 'if (deadline_of(*waiting.request, now) > now) return false;',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: nobody waits for slow readers',
    file: scheduler,
    from: 'slot.job->stopped() || slot.job->parked() || !slot.lanes[lane]->asking()',
    to: 'slot.job->stopped() || !slot.lanes[lane]->asking()',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: a parked request keeps its place',
    file: scheduler,
    from: '  if (parked == nullptr) return false;\n',
    to: '  return false;\n',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: who comes back finds the cache of another',
    file: lane,
    from: '  std::swap(cached_, other.cached_);\n',
    to: '',
    tests: ['concurrency'],
  },
  {
    name: 'team: nobody waits for the last row',
    file: 'lanes/team.cpp',
    from: 'return busy_ == 0;',
    to: 'return true;',
    native: 'team_test',
  },
  {
    name: 'team: what a row throws is lost',
    file: 'lanes/team.cpp',
    from: 'if (!failure_) failure_ = std::current_exception();',
    to: '',
    native: 'team_test',
  },
  // Lanes that decode while others do
  {
    name: 'lanes: what a pass says is kept for another cache',
    file: lane,
    from: 'if (stamp.cache != cache_stamp_ || length > cached_.size()) return;',
    to: 'if (length > cached_.size()) return;',
    native: 'lanes_at_work_test',
  },
  {
    name: 'lanes: the cache of a pass that failed is believed',
    file: scheduler,
    from: '    forget(lane, planned.sequences);\n',
    to: '',
    native: 'lanes_at_work_test',
  },
  {
    name: 'lanes: whoever asked ahead fails as well',
    file: scheduler,
    from: 'return share.asked && share.lane',
    to: 'return share.lane',
    native: 'lanes_at_work_test',
  },
  {
    name: 'lanes: the base does not read along',
    file: 'nudge/read_along.cpp',
    from: 'if (!base.apart()) return;',
    to: 'if (!base.apart() || !rule.compares_words()) return;',
    native: 'lanes_at_work_test',
  },
  {
    name: 'lanes: an answer that came while the question was asked is not noticed',
    file: scheduler,
    from: 'share.lane->asking() && share.lane->knows()',
    to: 'share.lane->asking() && share.asked && share.lane->knows()',
    native: 'lanes_at_work_test',
  },
  {
    name: 'concurrency: a prefix is noted but not copied',
    file: lane,
    from: '  lane_.edit({MemoryEdit::Kind::copy, sequence_, length, from.sequence_});\n',
    to: '',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: a prefix is copied beside what was there',
    file: context,
    from: '      clear(edit.sequence);\n      llama_memory_seq_cp',
    to: '      llama_memory_seq_cp',
    tests: ['concurrency', 'architectures'],
  },
  {
    name: 'concurrency: prefixes are not shared',
    file: 'lanes/prefix_sharing.cpp',
    from: '  if (best != nullptr) lane.copy_prefix(*best, most);\n',
    to: '',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: prompts join whole',
    file: 'lanes/planned_pass.cpp',
    from: 'if (used() > 0 && !prompts.empty()) room =',
    to: 'if (used() > size_) room =',
    tests: ['concurrency'],
  },
  {
    name: 'concurrency: one buffer for all also with sliding windows',
    file: 'models/context_options.cpp',
    from: 'parameters.kv_unified = shares_cells(model, options);',
    to: 'parameters.kv_unified = true;',
    tests: ['architectures'],
  },
  {
    name: 'concurrency: what was anticipated is not kept',
    file: 'lanes/planned_pass.cpp',
    from: '        put(*lane, from, Wanted::top1);',
    to: '        put(*lane, from, Wanted::nothing);',
    tests: ['concurrency'],
  },
  // Kernels
  {
    name: 'kernels: whatever a kernel says is right',
    file: 'trust/kernel_check.cpp',
    from: 'return !results || deviation_of(*results, known).is_explained();',
    to: 'return !results || !results->empty();',
  },
  {
    name: 'kernels: only products with one column are checked',
    file: 'trust/kernel_check.cpp',
    from: 'std::array{std::int64_t{1}, answer_columns}',
    to: 'std::array{std::int64_t{1}}',
  },
  {
    name: 'kernels: the tolerance is a hundred times as wide',
    file: 'trust/known_product.cpp',
    from: 'return worst <= 8 && overall * overall <= 1.21',
    to: 'return worst <= 800 && overall * overall <= 12100',
  },
  {
    name: 'kernels: a wrong one is warned of and used',
    file: 'trust/kernel_trust.cpp',
    from: 'if (wanted.erase(buffer) == 0) return wanted;',
    to: 'return wanted;',
  },
  {
    name: 'kernels: weights in another buffer are shared',
    file: 'models/model_registry.cpp',
    from: 'options.cpu_buffers ? *options.cpu_buffers : all_cpu_buffers()',
    to: 'all_cpu_buffers()',
  },
  {
    name: 'kernels: one that crashes is used',
    file: 'engine/loading.cpp',
    from: ' || options.harmful_cpu_buffers.contains(name)',
    to: '',
    tests: ['kernels'],
  },
  {
    name: 'kernels: a choice of buffers is ignored',
    file: 'models/model.cpp',
    from: 'if (options.cpu_buffers) scope.emplace(*options.cpu_buffers);',
    to: '',
    tests: ['kernels'],
  },
  // Determinism
  {
    name: "determinism: llama.cpp's own attention",
    file: attention,
    from: '  if (!has_positions(node)) return false;\n',
    to: '  return false;\n',
    native: 'attention_test',
    tests: ['determinism'],
  },
  {
    name: 'determinism: sums in the order of cells',
    file: attention,
    from: 'const std::int32_t position = positions[i];',
    to: 'const auto position = static_cast<std::int32_t>(i);',
    native: 'attention_test',
  },
  {
    name: 'determinism: chunks as many as threads',
    file: attention,
    from: 'for (std::int64_t c = low_ / chunk; c * chunk < high_; ++c) {',
    to: 'for (std::int64_t c = low_ / chunk; c * chunk < high_ && c < 1; ++c) {',
    native: 'attention_test',
  },
  {
    name: 'determinism: a hidden cell counts a little',
    file: attention,
    from: 'if (row[i] == hidden) continue;',
    to: '',
    native: 'attention_test',
  },
  {
    name: 'determinism: two cells at one place, and the last one wins',
    file: attention,
    from: '        if (cells_[position] >= 0 && cells_[position] != i) return false;\n',
    to: '',
    native: 'attention_test',
  },
  {
    name: 'determinism: contexts are not told of it',
    file: 'models/context_options.cpp',
    from: '  parameters.batch_invariant = options.deterministic;\n',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'determinism: one buffer for all without flash attention',
    file: 'models/context_options.cpp',
    from: ' && !(options.deterministic && options.flash_attention == false)',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'determinism: promised whatever kernels do',
    file: 'trust/determinism.cpp',
    from: 'if (!trust.treats_columns_alike(kernel))',
    to: 'if (kernel.buffer == nullptr)',
    native: 'determinism_test',
  },
  {
    name: 'determinism: promised of architectures that are known to differ',
    file: 'trust/determinism.cpp',
    from: 'if (found == own_ways.end()) return std::nullopt;',
    to: 'if (found != own_ways.end() || found == own_ways.end()) return std::nullopt;',
    tests: ['determinism'],
  },
  {
    name: 'determinism: attention without positions is ours, too',
    file: attention,
    from: 'bool has_positions(const ggml_tensor* node) {',
    to: 'bool has_positions(const ggml_tensor* node) {\n  if (node != nullptr) return false;',
    native: 'attention_test',
  },
  {
    name: 'determinism: only whole tiles are compared',
    file: 'trust/kernel_check.cpp',
    from: '{1, 2, 3, 4, 5, 8, 16, 33}',
    to: '{4, 8, 12, 16, 20, 24, 28, 32}',
    native: 'kernels_test',
  },
  {
    name: 'vendored: one column is multiplied in another way than two',
    vendored: true,
    file: 'ggml/src/ggml-cpu/llamafile/sgemm.cpp',
    from: 'if (n < 2 && (!params->batch_invariant || dot_product_is_alike(Atype)))',
    to: 'if (n < 2)',
    native: 'kernels_test',
  },
  {
    name: 'vendored: panels from eight columns on',
    vendored: true,
    file: 'ggml/src/ggml-cpu/ggml-cpu.c',
    from: 'ggml_cpu_iqp_supports_mul_mat(dst) && !params->use_ref && !params->batch_invariant',
    to: 'ggml_cpu_iqp_supports_mul_mat(dst) && !params->use_ref',
    native: 'kernels_test',
  },
  {
    name: 'vendored: a repacked row alone is rounded in another way than four',
    vendored: true,
    file: 'ggml/src/ggml-cpu/arch/x86/repack.cpp',
    from: `
      q8s = _mm256_bsrli_epi128(q8s, 4);

      // Multiply-Add with scale values, for every sb like the gemm, so that both round alike
      acc_row = _mm256_fmadd_ps(_mm256_cvtepi32_ps(iacc_sb), _mm256_mul_ps(col_scale_f32, row_scale_f32), acc_row);`,
    to: `
      q8s = _mm256_bsrli_epi128(q8s, 4);

      acc_row = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(iacc_sb), col_scale_f32), row_scale_f32, acc_row);`,
    native: 'kernels_test',
  },
  {
    name: 'vendored: positions are not passed on',
    vendored: true,
    file: 'src/llama-graph.cpp',
    from: '        res->src[0] = pos;\n',
    to: '',
    tests: ['determinism'],
  },
  {
    name: 'vendored: AMX tiles are configured from what is left of a local variable',
    vendored: true,
    file: 'ggml/src/ggml-cpu/amx/mmq.cpp',
    from: 'alignas(64) static constexpr tile_config_t tc = {',
    to: 'alignas(64) tile_config_t tc = {',
    tests: ['amx'],
  },
  // Prompts
  { name: 'user text parsed for control tokens', file: prompt, from: 'part->token < 0 && part->is_template ?', to: 'part->token < 0 ?' },
  {
    name: 'template text tokenised apart from user text',
    file: prompt,
    from: `
      strip_right = strip_right && text.empty();`,
    to: `
      strip_right = strip_right && text.empty();
      const std::vector<Token> apart = vocabulary.tokenize(prompt.tail);
      prompt.head.insert(prompt.head.end(), apart.begin(), apart.end());
      prompt.tail.clear();`,
  },
  {
    name: 'a prompt of the last request kept',
    file: lane,
    from: '  prompt_ = std::move(prompt);\n',
    to: '  if (!prompt_) prompt_ = std::move(prompt);\n',
  },
  {
    name: 'the other model is asked when one runs alone',
    file: job,
    from: 'case Mode::base: return decode_alone(base, ',
    to: 'case Mode::base: return decode_alone(aligned, ',
  },
  {
    name: 'a prefill parsed for control tokens',
    file: prompts,
    from: 'segments.push_back({source.prefill, false});',
    to: 'segments.push_back({source.prefill, true});',
    tests: ['prefill'],
  },
  {
    name: 'variables of a template as template text',
    file: 'templates/variables.cpp',
    from: 'marks.put(json.get<std::string>())',
    to: 'json.get<std::string>()',
    native: 'chat_template_test',
  },
  {
    name: 'variables do not reach the template',
    file: 'templates/chat_template.cpp',
    from: '  more(context);\n',
    to: '',
    native: 'chat_template_test',
  },
  {
    name: 'stop strings count while the model thinks',
    file: answer,
    from: 'stops_.read(thinking_.read(text))',
    to: '(thinking_.read(text), stops_.read(text))',
    tests: ['thinking'],
  },
  {
    name: 'what the user wrote begins the thinking',
    file: prompts,
    from: 'last != segments.rend() && last->is_template && ',
    to: 'last != segments.rend() && ',
    tests: ['thinking'],
  },
  {
    name: 'a prompt that leaves no room for its answer',
    file: prompts,
    from: 'if (prompt.tokens() + answer <= lane.length()) return;',
    to: 'return;',
    tests: ['fitting'],
  },
  {
    name: 'counting waits for a place',
    file: scheduler,
    from: '    prepare();\n    count();\n',
    to: '    prepare();\n    if (make_room()) count();\n',
    tests: ['counting'],
  },
  {
    name: 'an adaptive gamma that rises where the base defers too often',
    file: 'nudge/rules/adaptive.h',
    from: 'settings_.rate - deferred',
    to: 'deferred - settings_.rate',
    tests: ['adaptive'],
  },
  {
    name: 'the trace has the gamma behind a judgement',
    file: 'nudge/judge.cpp',
    from: 'if (moving_) moving_->stands(next);\n    return judged;',
    to: 'if (moving_) moving_->stands(next);\n    return Judgement{*base, std::nullopt, rule_.gamma()};',
    tests: ['adaptive'],
  },
  ...guardMutants,
  ...gpuMutants,
  ...mixtureMutants,
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
