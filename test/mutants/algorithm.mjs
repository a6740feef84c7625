import { nudge, words, draft, firstWord, answer, stops, lane, text, vocabulary, context } from './files.mjs';

/** Wrong engines of the algorithm: rounds, drafts, the budget. @type {import('./mutants.mjs').Mutant[]} */
export const algorithmMutants = [
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
    from: 'const std::size_t length = fits ? verdict.length : draft.shown(left);',
    to: 'const std::size_t length = verdict.length;',
  },
  // R65
  { name: 'the first word waits for the lookahead', file: firstWord, from: 'waits_ = cost >= answer_.left();', to: 'waits_ = true;' },
  {
    name: 'the first word takes the last of the budget early',
    file: firstWord,
    from: 'waits_ = cost >= answer_.left();',
    to: 'waits_ = cost > answer_.left();',
  },
  {
    name: 'a first word that may be dropped does not wait',
    file: nudge,
    from: 'rules.repeat_limit == 0 || repeats + 1 < rules.repeat_limit',
    to: 'true',
  },
  {
    name: 'the first word counts twice',
    file: nudge,
    from: 'answer.spend((fits ? cost : left) - first.cost(), Source::nudge);',
    to: 'answer.spend(fits ? cost : left, Source::nudge);',
  },
  { name: 'drafting goes on behind a stop string', file: nudge, from: '    if (answer.ended()) break;\n', to: '' },
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
];
