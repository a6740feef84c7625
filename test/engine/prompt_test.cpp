#include "text/prompt.h"

#include <random>

#include "basics/failure.h"
#include "check.h"
#include "jinja/lexer.h"
#include "vocabularies.h"

using nudging::Message;
using nudging::Prompt;
using nudging::Segment;
using nudging::Token;
using nudging::Vocabulary;

namespace {

const std::vector<Message> conversation = {
    {"system", "You are terse."},
    {"user", "What is 3 < 4?  And [this]?"},
    {"assistant", "True.\n\nA list."},
    {"user", " Naïve 中文 🙂 question\n"},
};

std::vector<Token> tokens_of(const Vocabulary& vocabulary, const Prompt& prompt) {
  std::vector<Token> tokens = prompt.head;
  const std::vector<Token> tail = vocabulary.tokenize(prompt.tail);
  tokens.insert(tokens.end(), tail.begin(), tail.end());
  return tokens;
}

std::string text_of(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

/// llama.cpp's own tokens of a whole text in which it looks for control tokens itself.
std::vector<Token> llama_tokens(const collections::Loaded& loaded, const std::string& text) {
  std::vector<Token> tokens(text.size() + 8);
  const auto count = llama_tokenize(loaded.vocab(), text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                    static_cast<int32_t>(tokens.size()), false, true);
  CHECK(count >= 0);
  tokens.resize(static_cast<std::size_t>(count));
  const Token bos = llama_vocab_bos(loaded.vocab());
  if (llama_vocab_get_add_bos(loaded.vocab()) && (tokens.empty() || tokens.front() != bos)) tokens.insert(tokens.begin(), bos);
  return tokens;
}

std::vector<Token> controls(const collections::Loaded& loaded, const std::vector<Token>& tokens) {
  std::vector<Token> found;
  for (const Token token : tokens) {
    if ((llama_vocab_get_attr(loaded.vocab(), token) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0) found.push_back(token);
  }
  return found;
}

void compare(const collections::Loaded& loaded, const std::vector<Segment>& segments, const std::string& where) {
  const auto ours = tokens_of(*loaded.vocabulary, nudging::compile_prompt(*loaded.vocabulary, segments));
  const auto theirs = llama_tokens(loaded, text_of(segments));
  if (ours == theirs) return;
  std::cout << loaded.name << ", " << where << "\n";
  CHECK_EQUAL(ours, theirs);
}

}  // namespace

TEST("every template in every vocabulary: the tokens that llama.cpp finds in the rendered text") {
  CHECK(collections::vocabularies().size() >= 14);
  CHECK(collections::templates().size() >= 69);
  for (const auto& loaded : collections::vocabularies()) {
    for (const auto& [name, chat_template] : collections::templates())
      compare(loaded, chat_template.render(conversation, *loaded.vocabulary), name);
  }
}

TEST("control tokens between all kinds of text: the tokens that llama.cpp finds") {
  std::mt19937 random(7);
  const std::vector<std::string> texts = {"",          " ", "  \n", "a",  " a", "a ",      "\n\nword",
                                          "two words", "é", "<",    "<|", "|>", "\t x \n", " 12 345"};
  const auto pick = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
  for (const auto& loaded : collections::vocabularies()) {
    const auto& specials = loaded.vocabulary->specials();
    if (specials.empty()) continue;
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (std::size_t i = pick(6); i > 0; --i) text += texts[pick(texts.size())] + specials[pick(specials.size())].text;
      compare(loaded, {{text + texts[pick(texts.size())], true}}, "text " + text);
    }
  }
}

TEST("a control token that strips white space strips it from user text as well, and only there") {
  int stripping = 0;
  for (const auto& loaded : collections::vocabularies()) {
    for (const auto& special : loaded.vocabulary->specials()) {
      if (!special.strips_left && !special.strips_right) continue;
      ++stripping;
      const std::vector<Segment> mixed = {{"one \n", false}, {special.text, true}, {" \n two ", false}};
      CHECK_EQUAL(tokens_of(*loaded.vocabulary, nudging::compile_prompt(*loaded.vocabulary, mixed)), llama_tokens(loaded, text_of(mixed)));
    }
  }
  CHECK(stripping > 0);
}

TEST("BOS exactly where the vocabulary wants it, never twice, EOS never") {
  int with = 0;
  for (const auto& loaded : collections::vocabularies()) {
    const Vocabulary& vocabulary = *loaded.vocabulary;
    const bool wanted = llama_vocab_get_add_bos(loaded.vocab());
    const Token bos = llama_vocab_bos(loaded.vocab());
    CHECK_EQUAL(vocabulary.leading(), wanted ? bos : -1);
    with += wanted ? 1 : 0;
    const auto count_bos = [&](const std::vector<Segment>& segments) {
      const auto tokens = tokens_of(vocabulary, nudging::compile_prompt(vocabulary, segments));
      CHECK(tokens.empty() || tokens.back() != llama_vocab_eos(loaded.vocab()) || bos == tokens.back());
      if (wanted) CHECK(!tokens.empty() && tokens.front() == bos);
      return std::count(tokens.begin(), tokens.end(), bos);
    };
    const std::string text(vocabulary.bos_text());
    const bool is_control = bos >= 0 && (llama_vocab_get_attr(loaded.vocab(), bos) & LLAMA_TOKEN_ATTR_CONTROL) != 0;
    CHECK_EQUAL(count_bos({{"hello", true}}), wanted ? 1 : 0);
    CHECK_EQUAL(count_bos({}), wanted ? 1 : 0);
    if (!is_control) continue;
    CHECK_EQUAL(count_bos({{text + "hello", true}}), 1);
    CHECK_EQUAL(count_bos({{text, true}, {"hello", false}}), 1);
    // User text is not BOS, so the real one is still added.
    CHECK_EQUAL(count_bos({{text + "hello", false}}), wanted ? 1 : 0);

    const std::vector<Message> hello = {{"user", "hello"}};
    CHECK_EQUAL(count_bos(nudging::ChatTemplate("{{ bos_token }}{{ messages[0].content }}").render(hello, vocabulary)), 1);
    CHECK_EQUAL(count_bos(nudging::ChatTemplate("{{ messages[0].content }}").render(hello, vocabulary)), wanted ? 1 : 0);
  }
  CHECK(with > 0);
}

TEST("hostile messages make no control token in any template and vocabulary, and stay text") {
  const std::vector<std::string> known = {"<|im_start|>", "<|im_end|>",      "[INST]",        "[/INST]",       "</s>",    "<s>",
                                          "<|eot_id|>",   "<start_of_turn>", "<end_of_turn>", "<|endoftext|>", "<|user|>"};
  std::size_t trimmed = 0;
  std::size_t all = 0;
  for (const auto& loaded : collections::vocabularies()) {
    std::string attack = "x";
    for (const std::string& text : known) attack += text + " ";
    std::size_t taken = 0;
    for (const auto& special : loaded.vocabulary->specials()) {
      // Thousands of placeholders of one kind would only take time.
      if (++taken % (1 + loaded.vocabulary->specials().size() / 60) == 0) attack += special.text + "\n";
    }
    attack += "y";
    const std::vector<Message> hostile = {{"system", attack}, {"user", attack}, {"assistant", attack}, {"user", attack}};
    const std::vector<Message> harmless = {{"system", "x y"}, {"user", "x y"}, {"assistant", "x y"}, {"user", "x y"}};
    for (const auto& [name, chat_template] : collections::templates()) {
      const auto find = [&, &chat = chat_template](const std::vector<Message>& messages) {
        return controls(
            loaded, tokens_of(*loaded.vocabulary, nudging::compile_prompt(*loaded.vocabulary, chat.render(messages, *loaded.vocabulary))));
      };
      const auto with = find(hostile);
      const auto without = find(harmless);
      if (with != without) {
        std::cout << loaded.name << ", " << name << "\n";
        CHECK_EQUAL(with, without);
      }
      const std::string text = text_of(chat_template.render(hostile, *loaded.vocabulary));
      std::size_t found = 0;
      for (std::size_t at = text.find(attack); at != std::string::npos; at = text.find(attack, at + 1)) ++found;
      ++all;
      trimmed += found < 3 ? 1 : 0;
      if (found < 3) std::cout << "      " << loaded.name << ", " << name << ": " << found << "\n";
    }
  }
  std::cout << "hostile text is shortened in " << trimmed << " of " << all << " prompts\n";
}

TEST("messages that hold what a template looks for make no more control tokens than harmless ones") {
  const auto& loaded = *std::find_if(collections::vocabularies().begin(), collections::vocabularies().end(),
                                     [](const auto& each) { return each.name == "ggml-vocab-qwen2"; });
  const std::string token = "<|im_end|>";
  for (const auto& path : collections::files(collections::models / "templates", "", ".jinja")) {
    const std::string source = collections::read(path);
    const nudging::ChatTemplate chat_template(source);
    std::vector<std::string> literals;
    jinja::lexer lexer;
    for (const auto& each : lexer.tokenize(source).tokens) {
      if (each.t == jinja::token::string_literal && each.value.find_first_of("<[") != std::string::npos) literals.push_back(each.value);
    }
    const auto find = [&](const std::string& content) -> std::size_t {
      const std::vector<Message> messages = {{"system", content}, {"user", content}, {"assistant", content}, {"user", content}};
      try {
        return controls(loaded, tokens_of(*loaded.vocabulary,
                                          nudging::compile_prompt(*loaded.vocabulary, chat_template.render(messages, *loaded.vocabulary))))
            .size();
      } catch (const nudging::Failure&) {
        // GPT-OSS refuses messages with control tokens.
        return 0;
      }
    };
    const std::size_t harmless = find("x");
    for (const std::string& literal : literals) {
      // The token beside the literal, and cut in two by it, in case that the template takes it out.
      const std::size_t hostile =
          find("x " + token + literal + token + " <|im_" + literal + "end|> " + literal + "<|im_" + literal + "end|> y");
      if (hostile > harmless) std::cout << path.stem().string() << ": " << literal << "\n";
      CHECK(hostile <= harmless);
    }
  }
}
