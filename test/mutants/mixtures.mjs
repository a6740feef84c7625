/**
 * Deliberately wrong engines of R31 to R38: several models token by token.
 *
 * @type {import('./mutants.mjs').Mutant[]}
 */
export const mixtureMutants = [
  // R31
  {
    name: 'ensemble: the first weight does not count',
    file: 'engine/mixers.cpp',
    from: 'weighted(whole(0), lane(0).last_top1(), weights_[0], room());',
    to: 'weighted(whole(0), lane(0).last_top1(), 1, room());',
    tests: ['mixture'],
  },
  {
    name: 'ensemble: probabilities are multiplied',
    file: 'choice/mixture.cpp',
    from: 'mixture[i] = higher + log_of_one_and(exp_of_nonpositive(lower - higher));',
    to: 'mixture[i] = higher + lower;',
    native: 'mixture_test',
  },
  {
    name: 'ensemble: the softmaxes are not those of the whole vocabulary',
    file: 'choice/mixture.cpp',
    from: 'std::log(weight) + std::log(static_cast<double>(top1.probability)) - highest',
    to: 'std::log(weight) - highest',
    native: 'mixture_test',
  },
  // R32
  {
    name: 'proxy tuning: the reference is added',
    file: 'choice/mixture.cpp',
    from: 'base[i] + alpha * (aligned[i] - reference[i])',
    to: 'base[i] + alpha * (aligned[i] + reference[i])',
    native: 'mixture_test',
  },
  {
    name: 'proxy tuning: α does not count',
    file: 'engine/mixers.cpp',
    from: 'proxy_tuned(logits(0), logits(1), logits(2), alpha_, room());',
    to: 'proxy_tuned(logits(0), logits(1), logits(2), 1, room());',
    tests: ['mixture'],
  },
  {
    name: 'proxy tuning: what the reference bans is not banned',
    file: 'choice/mixture.cpp',
    from: 'base[i] == never || aligned[i] == never || reference[i] == never',
    to: 'base[i] == never || aligned[i] == never',
    native: 'mixture_test',
  },
  // R33
  {
    name: "mixture: only the first model's end ends",
    file: 'engine/mixers.cpp',
    from: 'return std::any_of(lanes.begin(), lanes.end(), [token](const SequenceLane* lane) {',
    to: 'return std::any_of(lanes.begin(), lanes.begin() + 1, [token](const SequenceLane* lane) {',
    tests: ['mixture'],
  },
  {
    name: 'mixture: the noise is the last model’s',
    file: 'engine/mixers.cpp',
    from: 'lanes_[0]->context_key()',
    to: 'lanes_.back()->context_key()',
    tests: ['mixture'],
  },
  {
    name: 'mixture: a model that lost its logits is not asked again',
    file: 'nudge/mixture.cpp',
    from: 'return lane->last_logits().empty();',
    to: 'return false;',
  },
  {
    name: 'mixture: models are asked one after the other',
    file: 'nudge/mixture.cpp',
    from: `
    Questions questions(std::move(missing));
    for (Task<Done>& question : questions.tasks()) co_await question.joined();`,
    to: 'for (Lane* one : missing) co_await ask(*one);',
  },
  {
    name: 'one vocabulary: more tokens at the end may show something',
    file: 'text/one_vocabulary.cpp',
    from: 'if (!longer.bytes(token).empty() || longer.ends(token)) return token;',
    to: 'if (longer.ends(token)) return token;',
    tests: ['mixture'],
  },
  {
    name: 'one vocabulary: sizes are enough',
    file: 'text/one_vocabulary.cpp',
    from: 'if (a.bytes(token) != b.bytes(token)) return token;',
    to: '',
    tests: ['mixture'],
  },
  // R34
  {
    name: 'blend: everywhere',
    file: 'engine/mixers.cpp',
    from: 'return static_cast<double>(lane(0).last_top1().probability) < rule_.threshold;',
    to: 'return true;',
    tests: ['token-rules'],
  },
  {
    name: "blend: the share does not ask what the base thinks of the aligned model's token",
    file: 'choice/token_rules.cpp',
    from: 'aligned / (base + aligned) + 0.1 * base_there',
    to: 'aligned / (base + aligned) + 0.1 * base',
    native: 'mixture_test',
  },
  // R35
  {
    name: 'kad-dual: the likeliest token is judged, not the one that was drawn',
    file: 'choice/token_rules.cpp',
    from: 'const double probability = probability_of(base_logits, base, base.token);',
    to: 'const double probability = static_cast<double>(base.probability);',
    native: 'mixture_test',
  },
  {
    name: 'kad-dual: never rejects',
    file: 'choice/token_rules.cpp',
    from: 'return {probability < needed,',
    to: 'return {probability < needed && rule.kind == TokenRule::Kind::bet,',
    native: 'mixture_test',
  },
  // R36
  {
    name: 'kad-primal: the head is kept up to α',
    file: 'choice/token_rules.cpp',
    from: 'return {head >= 1 - threshold,',
    to: 'return {head >= threshold,',
    native: 'mixture_test',
  },
  {
    name: 'kad-primal: a token counts as likelier than itself',
    file: 'choice/token_rules.cpp',
    from: 'return logit > limit ?',
    to: 'return logit >= limit ?',
    native: 'mixture_test',
  },
  // R37
  {
    name: 'bet on tokens: λ favours the aligned model',
    file: 'choice/token_rules.cpp',
    from: 'aligned - threshold : threshold;',
    to: 'aligned + threshold : threshold;',
    native: 'mixture_test',
  },
  {
    name: 'bet on tokens: the aligned model is asked only once it is too late',
    file: 'engine/mixers.cpp',
    from: 'return rule_.kind == TokenRule::Kind::bet;',
    to: 'return false;',
    tests: ['token-rules'],
  },
  {
    name: 'rejection: what takes the place of a drawn token is not drawn',
    file: 'engine/mixers.cpp',
    from: 'return goes_by_token(generation) && !is_rejection(generation) ? Sampling{} : of_lane;',
    to: 'return goes_by_token(generation) && (!is_rejection(generation) || of_lane.lane == 1) ? Sampling{} : of_lane;',
    tests: ['token-rules'],
  },
  // R38
  {
    name: "as in the paper: a window goes on behind what is not the models' own",
    file: 'nudge/paper.cpp',
    from: 'if (!says(winner)) break;',
    to: '',
    tests: ['paper'],
  },
  {
    name: 'as in the paper: the aligned model’s end ends nothing',
    file: 'nudge/paper.cpp',
    from: `
      commit(taken, answer);
      co_return answer.ended().value_or(StopReason::end);`,
    to: 'ends = false;',
    tests: ['paper'],
  },
];
