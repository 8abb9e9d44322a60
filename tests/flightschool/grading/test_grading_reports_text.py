"""Texts made harmless: everything is seen, nothing is endless, honest words stay as they are, names make safe files."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightschool.grading.reports.text import LINES, LONGEST, line, plain, stem

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=400)
HONEST = [
    "O'Brien", "José Müller-Lüdenscheidt", "李小龍", "Ngô Bảo Châu", "Þórður", "محمد", "می‌خواهم", "क्‍ष", "-", "a\\b",
    "x = {'a': 1}", "100 % < 5 & 6 > 4", "naïve – “quoted” … ✓", "👩 😀",
]  # fmt: skip


@pytest.mark.parametrize("text", HONEST)
def test_honest_words_stay(text):
    assert plain(text) == text
    assert line(text) == text


def test_lines_tabs_and_indents_of_a_traceback_stay():
    text = "Traceback:\n  File x\n\tpass\n\nKeyError"
    assert plain(text) == text
    assert plain(text.replace("\n", "\r\n")) == text
    assert line(text) == r"Traceback:\n  File x\n\tpass\n\nKeyError"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("over\rwritten", r"over\x0dwritten"),
        ("a\u202eb\u2066c\u200bd\ufeffe\u00adf", r"a\u202eb\u2066c\u200bd\ufeffe\xadf"),
        ("a\u200db", r"a\u200db"),
        ("می\u200c", r"می\u200c"),
        ("\u200cمی\u200cx", r"\u200cمی\u200cx"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ufffe\uffff\udcff", r"\ufffe\uffff\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("\u3164", r"\u3164"),
    ],
)
def test_what_cannot_be_seen_is_shown(text, shown):
    assert plain(text) == shown
    assert line(text) == shown


def test_every_character_that_unicode_calls_control_or_format_is_shown():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert character == "\n" or character not in line(f"a{character}b"), hex(code)


@given(ANYTHING)
def test_anything_becomes_text_that_xml_and_utf8_take(text):
    for shown in (plain(text), line(text)):
        shown.encode()
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", shown
        )
    assert "\n" not in line(text)


def test_stacked_marks_end():
    assert plain("Z" + "\u0301" * 500) == "Z" + "\u0301" * 4 + "…"


def test_long_texts_are_cut_with_a_note():
    shown = plain("x" * 1_000_000)
    assert shown == "x" * LONGEST + "\n[cut here: 1000000 characters in all]"
    assert plain("x" * LONGEST) == "x" * LONGEST
    assert line("x" * 1_000_000, 50) == "x" * 49 + "…"
    assert line("x" * 50, 50) == "x" * 50


def test_many_lines_are_cut_and_empty_ones_are_one():
    shown = plain("\n".join(map(str, range(500))))
    assert shown.count("\n") == LINES
    assert shown.endswith("characters in all]")
    assert plain("a" + "\n \t\n" * 400 + "b") == "a\n\nb"
    assert plain("\n" * 5_000 + "end").count("\n") <= 1


@pytest.mark.parametrize("name", ["amelia", "learner-07", "a_b", "2"])
def test_plain_names_are_files_as_they_are(name):
    assert stem(name) == name


NAMES = [
    "", ".", "..", "../../etc/passwd", "/etc/passwd", "C:\\x", "con", "CON", "nul", "com1", "a" * 5_000, "é" * 300, "Anna",
    "anna", "ANNA", "Anna ", "anna.", "an na", "an-na", "an/na", "jose\u0301", "josé", "李", "小", "\0", "\n", "a\u202eb", "*",
    "?", "amelia-0123456789abcdef", "-", "--", "_", "a:b", "a|b", "<b>", "\udcff",
]  # fmt: skip


def test_names_make_safe_files_and_never_the_same():
    stems = {stem(name) for name in NAMES}
    assert len(stems) == len(NAMES)
    for one in stems:
        assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*", one)
        assert len(f"{one}.html".encode()) <= 100
        assert one not in ("con", "prn", "aux", "nul", "com1", "lpt1")


def test_nobody_can_take_the_file_of_another_by_being_called_like_it():
    victim = "Anna Müller"
    assert stem(stem(victim)) != stem(victim)


@given(ANYTHING, ANYTHING)
def test_any_two_names_differ(one, other):
    assert (stem(one) == stem(other)) == (one == other)
