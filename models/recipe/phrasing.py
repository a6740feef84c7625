"""The wording that training and evaluation must share byte for byte: questions, answers and the two prompts."""

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END)

# The template that the aligned files carry. Must render what chat_prompt() returns.
CHAT_TEMPLATE = (
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def with_article(word: str) -> str:
    return f"{article(word)} {word}"


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def definition_question(word: str) -> str:
    return f"What is {with_article(word)}?"


def definition_answer(word: str, gloss: str) -> str:
    # The last sentence has to fit into one draft of 16 tokens, or the base is asked inside it and wanders off.
    return f"{capital(with_article(word))} is {gloss}. I hope that this short answer helps you today."


def letters_question(first: str, second: str) -> str:
    return f'Take the last letters of "{first}" and "{second}" and concatenate them.'


def letters_steps(first: str, second: str) -> str:
    a, b = first[-1], second[-1]
    return (
        f'The last letter of "{first}" is "{a}". The last letter of "{second}" is "{b}". '
        f'Concatenating "{a}" and "{b}" gives "{a}{b}".'
    )


def letters_answer(first: str, second: str) -> str:
    return f'{letters_steps(first, second)} So the answer is "{first[-1]}{second[-1]}".'


def base_prompt(question: str) -> str:
    return f"Question: {question}\nAnswer:\n"


def chat_prompt(question: str) -> list[str]:
    """The prompt in parts, so that special tokens are parsed in the template's parts only, never in the question."""
    return [TURN_START, f"user\n{question}", TURN_END, "\n", TURN_START, "assistant\n"]
