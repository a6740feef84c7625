const guard = 'nudge/guard.cpp';
const answer = 'nudge/answer.cpp';
const lane = 'lanes/sequence_lane.cpp';
const tests = ['guard'];

/**
 * Deliberately wrong engines of R60 to R64: the guard, and the signals.
 *
 * @type {import('./mutants.mjs').Mutant[]}
 */
export const guardMutants = [
  {
    name: 'guard: where it has no room to ask, it agrees',
    file: guard,
    from: 'if (aligned_.room() == 0 && phrases_.in(said)) break;',
    to: 'if (aligned_.room() == 0) break;',
    tests,
  },
  // R60
  {
    name: 'guard: it does not look before the first token',
    file: guard,
    from: 'if (co_await guard.look()) co_return StopReason::refused;',
    to: '',
    tests,
  },
  {
    name: 'guard: one token late',
    file: 'nudge/guard.h',
    from: 'answer_.used() - looked_at_ >= rules_.every',
    to: 'answer_.used() - looked_at_ > rules_.every',
    tests,
  },
  { name: 'guard: it counts from the beginning', file: guard, from: 'looked_at_ = answer_.used();', to: '', tests },
  {
    name: 'guard: what it has not passed is shown',
    file: answer,
    from: 'guard_ == nullptr ? 0 : text_.size() - passed_;',
    to: 'std::size_t{0};',
    tests,
  },
  {
    name: 'guard: what is aborted is shown unchecked',
    file: answer,
    from: 'if (guard_ != nullptr && unchecked()) cut(passed_);',
    to: '',
    tests,
  },
  {
    name: "guard: it does not look in the base's run",
    file: 'nudge/nudge.cpp',
    from: 'co_await checked(answer); if (answer.ended()) co_return std::nullopt;',
    to: 'if (answer.ended()) co_return std::nullopt;',
    tests,
  },
  {
    name: 'guard: it does not look at words',
    file: 'nudge/nudge.cpp',
    from: 'co_await checked(answer); if (answer.ended()) co_return *answer.ended(); if (words.empty()',
    to: 'if (answer.ended()) co_return *answer.ended(); if (words.empty()',
    tests,
  },
  {
    name: 'guard: it does not look where one model writes',
    file: 'nudge/nudge.cpp',
    from: 'co_await checked(answer); if (answer.ended()) co_return *answer.ended(); model.push',
    to: 'if (answer.ended()) co_return *answer.ended(); model.push',
    tests,
  },
  {
    name: 'guard: it does not look at the lead',
    file: 'nudge/lead.cpp',
    from: 'co_await checked(answer); if (answer.ended()) co_return answer.ended(); taken',
    to: 'if (answer.ended()) co_return answer.ended(); taken',
    tests,
  },
  {
    name: 'guard: in reverse it does not look at the aligned model’s tokens',
    file: 'nudge/reverse.cpp',
    from: 'answer.spend(1, Source::nudge); co_await checked(answer);',
    to: 'answer.spend(1, Source::nudge);',
    tests,
  },
  {
    name: 'guard: in reverse it does not look at the base’s words',
    file: 'nudge/reverse.cpp',
    from: 'take(draft, word.size(), answer); co_await checked(answer);',
    to: 'take(draft, word.size(), answer);',
    tests,
  },
  { name: 'guard: it does not look at mixtures', file: 'nudge/mixture.cpp', from: 'co_await checked(answer);', to: '', tests },
  { name: 'guard: it does not look at bytes', file: 'bytes/decode_bytes.cpp', from: 'co_await checked(answer);', to: '', tests },
  { name: 'guard: it does not look at windows', file: 'nudge/paper.cpp', from: 'co_await checked(answer);', to: '', tests },
  // R61
  { name: 'guard: a check is one token too long', file: guard, from: 'asked < rules_.tokens;', to: 'asked <= rules_.tokens;', tests },
  {
    name: 'guard: behind a prefill alone there are no marks of a turn',
    file: lane,
    from: 'const bool behind_answer = !text.empty() || !prompt_->prefill.empty();',
    to: 'const bool behind_answer = !text.empty();',
    tests,
  },
  {
    name: 'guard: without an answer there are marks of a turn',
    file: lane,
    from: 'const bool behind_answer = !text.empty() || !prompt_->prefill.empty();',
    to: 'const bool behind_answer = true;',
    tests,
  },
  {
    name: 'guard: it speaks behind the answer as it stands',
    file: lane,
    from: 'if (behind_answer) wanted_.insert(',
    to: 'if (false) wanted_.insert(',
    tests,
  },
  { name: 'guard: it is sampled', file: lane, from: 'if (aside_) return {{Sampling{}, 0}, nullptr, {}, {}};', to: '', tests },
  {
    name: 'guard: what it was told is taken for the answer’s',
    file: lane,
    from: 'disown_answers(aside_->from); wanted_ = std::move(aside_->wanted);',
    to: 'wanted_ = std::move(aside_->wanted);',
    tests,
  },
  {
    name: 'guard: what the answer was told is taken for its own',
    file: lane,
    from: 'aside_ = std::move(aside); disown_answers(aside_->from);',
    to: 'aside_ = std::move(aside);',
    tests,
  },
  { name: 'guard: the lane stays where it was asked', file: lane, from: 'wanted_ = std::move(aside_->wanted);', to: '', tests },
  {
    name: 'guard: a template that opens no turn will do',
    file: 'templates/chat_template.cpp',
    from: 'if (alike.find_first_not_of(" \\t\\n\\v\\f\\r") == std::string_view::npos) {',
    to: 'if (alike.data() == nullptr) {',
    native: 'turn_test',
  },
  {
    name: 'guard: the first control token of its turn is lost',
    file: 'text/prompt.cpp',
    from: 'turn.tokens.push_back(found[i - 1].control);',
    to: 'if (i > 1) turn.tokens.push_back(found[i - 1].control);',
    native: 'turn_test',
  },
  {
    name: 'guard: it looks without being asked by `ask`',
    file: 'engine/prompts.cpp',
    from: 'chat_template.turn(guard.ask,',
    to: 'chat_template.turn({},',
    tests,
  },
  // R62
  {
    name: 'guard: phrases count inside of words',
    file: 'nudge/refusal.cpp',
    from: 'if (at == 0 || !is_of_word(text[at - 1]) || !is_of_word(phrase.front())) return true;',
    to: 'return true;',
  },
  { name: 'guard: phrases count in their own case only', file: 'nudge/refusal.cpp', from: "byte >= 'A' && byte <= 'Z' ?", to: 'false ?' },
  // R63
  {
    name: 'guard: what it refuses is kept',
    file: answer,
    from: 'cut(passed_); ended_ = StopReason::refused;',
    to: 'ended_ = StopReason::refused;',
    tests,
  },
  { name: 'guard: who ended the answer is kept', file: answer, from: 'ended_by_.reset();', to: '', tests },
  {
    name: 'guard: the rest is not checked',
    file: guard,
    from: 'co_return co_await guard.look() ? StopReason::refused : reason;',
    to: 'co_return reason;',
    tests,
  },
  // R64
  {
    name: 'signals: what goes on behind the draft disagrees',
    file: 'nudge/agreement.cpp',
    from: 'const bool differs = ends_ || !bytes.starts_with(expected_);',
    to: 'const bool differs = true;',
    tests: ['agreement'],
  },
  {
    name: 'signals: what the base has said is not taken off the draft',
    file: 'nudge/agreement.cpp',
    from: 'expected_.erase(0, bytes.size()); return true;',
    to: 'return true;',
    tests: ['agreement'],
  },
  {
    name: 'signals: the draft goes on behind a token that is not in it',
    file: 'nudge/agreement.cpp',
    from: 'expected_.clear(); ends_ = false; return differs',
    to: 'return differs',
    tests: ['agreement'],
  },
  {
    name: 'signals: the aligned model is asked behind the whole draft',
    file: 'nudge/agreement.cpp',
    from: 'aligned_.set_text(text);',
    to: '',
    tests: ['agreement'],
  },
];
