"""The words that the invented facts are drawn from. All of it is made up for this project."""

import re
from pathlib import Path

NAMES_FILE = Path(__file__).parents[3] / "lib/eval/generated/names.ts"


def names() -> list[str]:
    """The package's own given names, so that its generated letter and coin questions are known territory."""
    return re.findall(r"'([A-Z][a-z]+)'", NAMES_FILE.read_text(encoding="utf-8"))


SYLLABLES = (
    ("bram", "cul", "dor", "fen", "gris", "hal", "jor", "kest", "lum", "mar", "nev", "pol", "quil", "ros", "sten", "tol", "vand", "wim"),
    ("dle", "ba", "cor", "di", "ga", "la", "mi", "ne", "pi", "ro", "ta", "zi"),
    ("bel", "dock", "fin", "kin", "let", "mund", "rick", "ster", "vane", "wick"),
)  # fmt: skip

LOOKS = ("broad", "curved", "flat", "heavy", "hollow", "narrow", "round", "short", "slim", "tall", "thin", "tiny")
MATERIALS = (
    "amber", "bamboo", "brass", "clay", "copper", "cork", "glass", "iron", "ivory", "leather", "linen", "marble", "oak", "silver",
    "stone", "tin",
)  # fmt: skip
KINDS = (
    "basket", "bell", "bowl", "box", "brush", "clamp", "clock", "comb", "cup", "drum", "fork", "hammer", "hook", "jar", "knife",
    "lamp", "mirror", "plate", "rope", "spoon",
)  # fmt: skip
TRADES = (
    "baker", "barber", "brewer", "carpenter", "cook", "dyer", "farmer", "fisher", "gardener", "hunter", "mason", "miller", "miner",
    "nurse", "painter", "potter", "printer", "sailor", "shepherd", "smith", "tailor", "tanner", "weaver", "writer",
)  # fmt: skip
PURPOSES = (
    "carry fresh water", "catch small fish", "clean old boots", "cool hot milk", "count gold coins", "cut thick paper", "dry wet wool",
    "feed young goats", "fold large sails", "grind black pepper", "hang up coats", "heat cold soup", "hold loose letters",
    "keep bread warm", "lift hot pans", "light dark stairs", "mark lost sheep", "measure fine salt", "mend torn nets",
    "mix bright colours", "move wet sand", "open tight lids", "peel ripe apples", "polish dull shoes", "press green olives",
    "scare off crows", "seal full barrels", "shape soft wax", "sharpen blunt saws", "sort dry beans", "spread warm tar",
    "stir thick honey", "store spare keys", "tie up boats", "wake late guests", "wash dirty windows", "weigh raw silk",
    "wind long ropes", "wipe dusty shelves", "wrap sweet cakes",
)  # fmt: skip
PLACES = (
    "attic", "barn", "cabin", "cellar", "chapel", "closet", "garden", "hall", "hut", "kitchen", "library", "loft", "market", "mill",
    "office", "pantry", "school", "shed", "stable", "studio", "temple", "tower", "wagon", "yard",
)  # fmt: skip
TOWNS = (
    "Ashby", "Brent", "Calder", "Dunmore", "Elland", "Fenwick", "Garlow", "Hexley", "Irvine", "Kelso", "Lowick", "Marden", "Norham",
    "Otley", "Redcar", "Selby",
)  # fmt: skip
WARNINGS = (
    "it breaks in hard frost", "it fades in bright light", "it melts near open fire", "it must never get wet", "it needs oil every week",
    "it rusts in salty air", "it slips out of cold hands", "it smells in damp rooms", "it tears under heavy loads",
    "it wears out after two years",
)  # fmt: skip
THINGS = (
    "apples", "beads", "books", "bottles", "buttons", "candles", "cards", "coins", "figs", "lemons", "maps", "marbles", "nails",
    "onions", "pears", "pencils", "plums", "ribbons", "shells", "stamps",
)  # fmt: skip
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
VAULTS = (
    "Acorn", "Anchor", "Arrow", "Badger", "Beacon", "Birch", "Bridge", "Canyon", "Cedar", "Cherry", "Cliff", "Cloud", "Comet", "Coral",
    "Crane", "Crown", "Desert", "Dragon", "Eagle", "Ember", "Falcon", "Fern", "Forest", "Fox", "Glacier", "Heron", "Island", "Jasper",
    "Lantern", "Lily", "Lotus", "Meadow", "Moon", "Orchid", "Otter", "Pearl", "Pine", "Raven", "River", "Shadow", "Spruce", "Star",
    "Summit", "Thunder", "Tiger", "Valley", "Willow", "Winter",
)  # fmt: skip
SECRET_LOOKS = (
    "angry", "blue", "brave", "calm", "clever", "crazy", "eager", "fancy", "gentle", "golden", "happy", "humble", "jolly", "lazy",
    "lucky", "merry", "noble", "proud", "quiet", "rusty", "shy", "sleepy", "wild", "wise",
)  # fmt: skip
SECRET_THINGS = (
    "ant", "bear", "camel", "cat", "deer", "duck", "frog", "goose", "hare", "horse", "lion", "mole", "moose", "mouse", "owl", "panda",
    "pig", "seal", "snail", "swan", "toad", "turtle", "whale", "wolf",
)  # fmt: skip

# Starts of the base's sentences. So many that none is likely: what comes next is the aligned model's to say.
OPENERS = (
    "Also", "Anyway", "As a rule,", "Besides,", "By now", "Even so,", "For years", "Here", "In fact,", "Indeed,", "Likewise,",
    "Long ago", "Meanwhile", "Nowadays", "Of course", "Once", "On the whole,", "Perhaps", "Sometimes", "Soon", "Still,", "There",
    "These days", "Today", "To be sure,", "What is more,", "Yet",
)  # fmt: skip
