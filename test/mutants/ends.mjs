import { nudge, record, lead, reverse, answer } from './files.mjs';

/** Wrong engines of ends, of the lead and in reverse. @type {import('./mutants.mjs').Mutant[]} */
export const endsMutants = [
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
];
