import { answer, lane, prompt, job, prompts, scheduler } from './files.mjs';

/** Wrong engines of prompts and of what surrounds them. @type {import('./mutants.mjs').Mutant[]} */
export const promptsMutants = [
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
    from: 'if (prompt.tokens() + answer + check <= lane.length()) return;',
    to: 'return;',
    tests: ['fitting'],
  },
  {
    name: 'a prompt that leaves no room for its guard',
    file: prompts,
    from: 'if (prompt.tokens() + answer + check <= lane.length()) return;',
    to: 'if (prompt.tokens() + answer <= lane.length()) return;',
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
];
