/** Wrong engines of models that are on another machine. @type {import('./mutants.mjs').Mutant[]} */
export const remoteMutants = [
  {
    name: 'a call goes on whichever way the sequence goes',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (!same_way || (!knows(first_) && first_ != talk_->next)) hang_up();',
    to: 'if (!knows(first_) && first_ != talk_->next) hang_up();',
    native: 'remote_decoder_test',
  },
  {
    name: 'a call that has passed the place is waited for',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (!same_way || (!knows(first_) && first_ != talk_->next)) hang_up();',
    to: 'if (!same_way) hang_up();',
    native: 'remote_decoder_test',
  },
  {
    name: 'late answers of a call that was given up are taken',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (!talk_ || talk_->call != answers.call) return false;',
    to: 'if (!talk_) return false;',
    native: 'remote_decoder_test',
  },
  {
    name: 'what a server says beyond the question is forgotten',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (at == path_.size()) path_.push_back(answer.token);',
    to: '',
    native: 'remote_decoder_test',
  },
  {
    name: 'what was said of another path is still believed',
    file: 'lanes/remote_decoder.cpp',
    from: 'said_.resize(std::min(said_.size(), common + 1));',
    to: '',
    native: 'remote_decoder_test',
  },
  {
    name: 'guesses that nobody has answered yet count as answered',
    file: 'lanes/remote_decoder.cpp',
    from: 'const bool more = talk_ && called_ && talk_->next <= last_;',
    to: 'const bool more = false;',
    native: 'remote_decoder_test',
  },
  {
    name: 'a call that is not needed any more goes on',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (talk_) line_.give_up(talk_->call);',
    to: '',
    native: 'remote_decoder_test',
  },
  {
    name: 'a token that the vocabulary does not have is taken',
    file: 'lanes/remote_decoder.cpp',
    from: 'if (answer.token < 0 || static_cast<std::size_t>(answer.token) >= vocabulary.size())',
    to: 'if (answer.token < 0)',
    native: 'remote_decoder_test',
  },
];
