"""What each scorer gives, by hand, and on recorded answers of a real model whose accuracy was published."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.core.model import Case, Response, Score
from app.core.scorers import SCORERS, build, corpus, settings, warning
from app.core.scorers.base import TextScorer
from app.core.scorers.numeric import last_number
from app.core.scorers.similarity import likeness
from app.ports.journal import CallResult
from app.ports.llm import Json, Message, ModelRef


async def no_ask(role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None) -> CallResult:
    """These scorers never ask a model."""
    raise AssertionError(f"{role} was asked")


async def grade(spec: Json, reference: str, answer: str) -> Score:
    return await build(spec).score(Case("1", "the input", reference), Response(answer), no_ask)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(
    '{}[]",:0123456789.-e tru()*+', max_size=30
)

EXACT = [
    ("exact_match", "yes", "yes", 1),
    ("exact_match", "yes", " yes\n", 1),
    ("exact_match", "yes", "Yes", 0),
    ("exact_match", "yes", "yes.", 0),
    ("exact_match", "", "  ", 1),
    ("exact_match", "007", "7", 0),
    ("exact_match", "e\u0301t\u00e9", "\u00e9te\u0301", 1),
    ("exact_match:strip=false", "yes", "yes ", 0),
    ("exact_match:casefold=true", "STRASSE", "straße", 1),
    ("exact_match:punctuation=true", "(A)", "A.", 1),
    ("exact_match:punctuation=true", "a-b", "ab", 1),
    ("exact_match:articles=true", "the cat", "a cat", 1),
    ("exact_match:articles=true", "theory", "ory", 0),
    ("exact_match:whitespace=true", "a b", "a \n\t b", 1),
    ("exact_match", "a b", "a  b", 0),
]
CONTAINS = [
    ("contains", "Paris", "It is paris, I think", 1),
    ("contains", "Paris", "It is London", 0),
    ("contains:casefold=false", "Paris", "paris", 0),
    ("contains", "card", "cardinal", 1),
    ("contains:whole_words=true", "card", "cardinal", 0),
    ("contains:whole_words=true", "card", "cardinal card.", 1),
    ("contains:whole_words=true", "(A)", "it is (A).", 1),
    ("contains", "New  York", "in new\nyork", 1),
    ("contains", "", "anything", 0),
]
REGEX = [
    ("regex", r"\d+ apples?", "I have 3 apples", 1),
    ("regex", r"^\d+$", "I have 3 apples", 0),
    ("regex", "(", "anything", 0),
    ("regex:pattern=answer is (.*?)\\.", "B", "the answer is A. No, the answer is B.", 1),
    ("regex:pattern=answer is (.*?)\\.", "A", "the answer is A. No, the answer is B.", 0),
    ("regex:pattern=^[a-z_]+$", "whatever", "card_arrival", 1),
    ("regex:pattern=^[a-z_]+$", "whatever", "Card arrival", 0),
    ("regex:pattern=^[a-z_]+$,casefold=true", "whatever", "CARD", 1),
    ("regex:pattern=[a-z]+,full=true", "whatever", " abc ", 1),
    ("regex:pattern=[a-z]+,full=true", "whatever", "abc1", 0),
    ("regex:pattern=\\d{1,3},casefold=false", "", "12", 1),
]
NUMERIC = [
    ("numeric", "80000", "That makes $80,000.", 1),
    ("numeric", "80,000", "80000.00", 1),
    ("numeric", "12", "First 10, then 12", 1),
    ("numeric", "10", "First 10, then 12", 0),
    ("numeric", "-5", "\N{MINUS SIGN}5", 1),
    ("numeric", "5", "from 10-5", 1),
    ("numeric", "0.1", ".1", 1),
    ("numeric:tolerance=0.5", "10", "10.5", 1),
    ("numeric:tolerance=0.5", "10", "10.51", 0),
    ("numeric:relative=0.01", "200", "202", 1),
    ("numeric:relative=0.01", "200", "203", 0),
    ("numeric:tolerance=0.1", "0.3", "0.4", 1),
    ("numeric", "12345678901234567890123456789012345", "12345678901234567890123456789012346", 0),
    ("numeric:decimal_comma=true", "1234.5", "1.234,5", 0),
    ("numeric:decimal_comma=true", "1234,5", "1.234,5", 1),
    ("numeric", "no number", "4", 0),
]
JSON_MATCH = [
    ("json_match", '{"a": 1, "b": "x"}', '{"b": "x", "a": 1.0}', 1),
    ("json_match", '{"a": 1, "b": "x"}', '{"a": 1, "b": "y"}', 0.5),
    ("json_match", '{"a": 1}', '{"a": 1, "b": 2}', 0.5),
    ("json_match", '{"a": 1}', '{"a": true}', 0),
    ("json_match", '{"a": 7}', '{"a": "7"}', 0),
    ("json_match", '{"a": null}', "{}", 0),
    ("json_match", "{}", "{}", 1),
    ("json_match", "[1, 2]", "[1, 3]", 0.5),
    ("json_match", "[1, 2]", "[1]", 0.5),
    ("json_match", '{"a": {"b": [1, "x"]}}', '{"a": {"b": [1, " x "]}}', 1),
    ("json_match", "3", "3", 1),
    ("json_match:partial=false", '{"a": 1, "b": 2}', '{"a": 1, "b": 3}', 0),
    ("json_match:fields=a,c.d", '{"a": 1, "b": 2, "c": {"d": 3}}', '{"a": 1, "c": {"d": 4}}', 0.5),
    ("json_match:fields=a.b", '{"a.b": 1}', '{"a.b": 1}', 1),
    ("json_match:tolerance=0.1", '{"a": 1.0}', '{"a": 1.05}', 1),
    ("json_match:casefold=true", '{"a": "X"}', '{"a": "x"}', 1),
    ("json_match", '{"a": 1}', 'Sure:\n```json\n{"a": 1}\n```\nDone.', 1),
    ("json_match", '{"a": 1}', 'The order [see below] is {"a": 1}.', 1),
    ('json_match:schema={"type":"object","required":["a"]}', '{"a": 1}', '{"b": 1}', 0),
    ('json_match:schema={"properties":{"a":{"pattern":"^x+$"}}}', '{"a": "xx"}', '{"a": "xy"}', 0),
    ('json_match:schema={"properties":{"a":{"pattern":"^x+$"}}}', '{"a": "xx"}', '{"a": "xx"}', 1),
]


@pytest.mark.parametrize(("spec", "reference", "answer", "value"), EXACT + CONTAINS + REGEX + NUMERIC + JSON_MATCH)
async def test_scores_by_hand(spec: str, reference: str, answer: str, value: float) -> None:
    score = await grade(spec, reference, answer)
    assert score.value == pytest.approx(value)
    assert score.parsed
    assert score.feedback == "Correct." if value == 1 else score.feedback.endswith(".")


UNREADABLE = [
    ("json_match", '{"a": 1}', "I cannot do that"),
    ("json_match", '{"a": 1}', '{"a": NaN}'),
    ("json_match", '{"a": 1}', '{"a": 1e999}'),
    ("json_match", '{"a": 1}', "[" * 100_000),
    ("json_match", '{"a": 1}', "[" * 500 + "]" * 500),
    ("json_match", '{"a": 1}', "9" * 10_000),
    ("json_match:strict=true", '{"a": 1}', 'Sure: {"a": 1}'),
    ("json_match", '{"a": 1}', ""),
    ("numeric", "12", "twelve"),
    ("regex:pattern=answer is (.*?)\\.", "B", "It is B"),
]


@pytest.mark.parametrize(("spec", "reference", "answer"), UNREADABLE)
async def test_an_unreadable_answer_is_told_apart_from_a_wrong_one(spec: str, reference: str, answer: str) -> None:
    score = await grade(spec, reference, answer)
    assert not score.parsed
    assert score.value == 0
    assert len(score.feedback) < 700


@pytest.mark.parametrize("name", sorted(set(SCORERS) - {"json_schema", "semantic", "rubric", "python"}))
async def test_feedback_says_what_was_expected_and_what_came_and_is_clipped(name: str) -> None:
    reference = {"numeric": "41", "json_match": '{"city": "41"}'}.get(name, "expected 41")
    answer = {"numeric": "42", "json_match": '{"city": "42"}'}.get(name, "I say 42")
    feedback = (await grade(name, reference, answer)).feedback
    assert "41" in feedback
    assert "42" in feedback
    long = await grade(name, reference, answer + " and more words" * 50_000)
    assert len(long.feedback) < 700


async def test_exact_match_tells_when_only_the_form_is_wrong() -> None:
    assert "only upper and lower case" in (await grade("exact_match", "card_lost", "Card_Lost")).feedback
    assert "must stand alone" in (await grade("exact_match", "card_lost", "Label: card_lost")).feedback


async def test_json_match_names_the_wrong_fields() -> None:
    feedback = (await grade("json_match", '{"item": "tea", "qty": 2, "x": 1}', '{"item": "tea", "qty": 3}')).feedback
    assert feedback == "1 of 3 fields are right: qty: expected 2, got 3; x: expected 1, missing."


def test_similarity_formula() -> None:
    assert likeness("The  Cat", "the cat") == 1
    ratio = SequenceMatcher(None, "the cat sat", "the cat").ratio()
    assert likeness("The cat sat", "the cat") == pytest.approx(0.7 * ratio + 0.3 * 2 / 3)
    assert likeness("abc", "xyz") == 0
    assert likeness("?!", "") == 0
    assert 0 < likeness("word " * 2_000 + "last", "word " * 1_000 + "other " * 1_000) < 1


async def test_similarity_calls_nine_tenths_correct_without_rounding_it_up() -> None:
    score = await grade("similarity", "please close the door behind you", "please close the door behind you!")
    assert 0.9 <= score.value < 1
    assert score.feedback == "Correct."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$-5", "-5"),
        ("-$5", "-5"),
        ("1,00,000 rupees", "100000"),
        ("10,20,30", "30"),
        ("3.14.15", "15"),
        ("1e3", "1e3"),
        ("v2", "2"),
        ("5%", "5"),
        ("1\N{NARROW NO-BREAK SPACE}234", "1234"),
        ("42.", "42"),
        ("(7)", "7"),
        ("+8", "8"),
    ],
)
def test_last_number(text: str, value: str) -> None:
    assert last_number(text) == Decimal(value)


def test_a_hostile_answer_is_read_in_linear_time() -> None:
    assert last_number("1,00" * 500_000) is not None
    assert last_number("-" * 1_000_000) is None
    assert last_number("1e9999") is None


async def test_bleu_and_chrf_follow_sacrebleu() -> None:
    import sacrebleu

    reference, answer = "Le chat dort sur la table.", "Le chien dort sur la table."
    bleu = await grade("bleu", reference, answer)
    assert bleu.value == pytest.approx(sacrebleu.sentence_bleu(answer, [reference]).score / 100)
    chrf = await grade("chrf", reference, answer)
    assert chrf.value == pytest.approx(sacrebleu.sentence_chrf(answer, [reference]).score / 100)
    assert (await grade("bleu", reference, reference)).value == pytest.approx(1)
    assert (await grade("bleu", reference, "")).value == 0
    assert (await grade("bleu:casefold=true", "LE CHAT DORT ICI", "le chat dort ici")).value == pytest.approx(1)


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        ("the cat sat on the mat", "the cat is on a mat", 2 * (4 / 6) * (4 / 6) / (4 / 6 + 4 / 6)),
        ("police killed the gunman", "police kill the gunman", 3 / 4),
        ("police killed the gunman", "the gunman kill police", 2 / 4),
        ("a b c d e", "a x c", 2 * 2 / (5 + 3)),
        ("The CAT!", "the cat", 1),
        ("cat", "", 0),
        ("", "cat", 0),
        ("", "?!", 1),
    ],
)
async def test_rouge_l_is_the_f1_of_the_longest_common_subsequence(reference: str, answer: str, value: float) -> None:
    assert (await grade("rouge_l", reference, answer)).value == pytest.approx(value)


async def test_rouge_l_says_what_is_in_order() -> None:
    feedback = (await grade("rouge_l", "a b c d e", "a x c")).feedback
    assert feedback.startswith("ROUGE-L 0.50: 2 of the reference's 5 words come in this order, among 3 words.")
    assert (await grade("rouge_l", "word " * 30_000, "word " * 30_000 + "more")).value == 1


SCHEMA = '{"type": "object", "required": ["item", "qty"], "properties": {"qty": {"type": "integer"}}}'


@pytest.mark.parametrize(
    ("spec", "answer", "value", "parsed"),
    [
        ({"name": "json_schema"}, "{}", 1, True),
        ({"name": "json_schema"}, "[]", 0, True),
        ({"name": "json_schema"}, "nothing", 0, False),
        ({"name": "json_schema", "schema": json.loads(SCHEMA)}, 'So: {"item": "tea", "qty": 2}', 1, True),
        ({"name": "json_schema", "schema": json.loads(SCHEMA), "strict": True}, 'So: {"item": "tea"}', 0, False),
        ({"name": "json_schema", "schema": json.loads(SCHEMA)}, '{"qty": "2"}', 0, True),
    ],
)
async def test_a_schema_alone_judges_the_form(spec: Json, answer: str, value: float, parsed: bool) -> None:
    score = await grade(spec, "whatever the reference says", answer)
    assert (score.value, score.parsed) == (value, parsed)


async def test_several_flaws_are_told_with_their_places() -> None:
    spec = {"name": "json_match", "schema": json.loads(SCHEMA)}
    feedback = (await grade(spec, '{"item": "tea", "qty": 2}', '{"qty": "2"}')).feedback
    assert "'item' is a required property; qty: '2' is not of type 'integer'" in feedback
    many = {"name": "json_schema", "schema": {"type": "array", "items": {"type": "integer"}}}
    assert "; and 2 more" in (await grade(many, "", '["a", "b", "c", "d", "e"]')).feedback


async def test_a_field_may_stand_in_a_list() -> None:
    spec = {"name": "json_match", "fields": ["lines.0.price", "lines.1.price", "lines.2"]}
    reference = '{"lines": [{"price": 1}, {"price": 2}]}'
    score = await grade(spec, reference, '{"lines": [{"price": 1}, {"price": 3}]}')
    assert score.value == pytest.approx(2 / 3)  # a field that neither of them has is right
    assert "lines.1.price: expected 2, got 3" in score.feedback


def test_corpus_level() -> None:
    import sacrebleu

    references = ["Le chat dort sur la table.", "Il fait beau aujourd'hui."]
    answers = ["Le chien dort sur la table.", "Il fait très beau aujourd'hui."]
    expected = sacrebleu.corpus_bleu(answers, [references]).score / 100
    assert corpus({"name": "bleu"}, references, answers) == pytest.approx(expected)
    expected = sacrebleu.corpus_chrf(answers, [references], word_order=2).score / 100
    assert corpus({"name": "chrf", "word_order": 2}, references, answers) == pytest.approx(expected)
    assert corpus({"name": "exact_match"}, references, answers) is None
    assert corpus({"name": "bleu"}, [], []) is None


async def test_weighted_mean_of_several() -> None:
    scorer = build(["exact_match:weight=3", "contains", "exact_match:casefold=true"])
    score = await scorer.score(Case("1", "", "yes"), Response("Yes"), no_ask)
    assert score.value == pytest.approx((3 * 0 + 1 + 1) / 5)
    assert score.parts == {"exact_match": 0.0, "contains": 1.0, "exact_match#2": 1.0}
    assert "exact_match 0.00: Expected" in score.feedback
    assert scorer.spec["name"] == "weighted"
    assert [one["weight"] for one in scorer.spec["scorers"]] == [3.0, 1.0, 1.0]


async def test_a_part_that_cannot_read_the_answer_counts_zero() -> None:
    score = await grade(["json_match", "contains"], '{"a": 1}', 'not json: "{"a": 1}" [')
    assert score.parsed
    both = await grade(["json_match", "numeric"], "1", "none")
    assert not both.parsed
    assert both.value == 0


def records(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("task", ["bbh_snarks", "bbh_date_understanding"])
async def test_recorded_answers_reach_the_published_accuracy(shared_data: Path, task: str) -> None:
    name = f"recorded_outputs/{task}_code-davinci-002.jsonl"
    manifest = json.loads((shared_data / "MANIFEST.json").read_text())
    oracle = next(one["oracle"] for one in manifest["files"] if one["file"] == name)
    rows = records(shared_data / name)
    direct = [await grade("exact_match", r["ground_truth_output"], r["recorded_direct"]) for r in rows]
    assert round(100 * sum(s.value for s in direct) / len(rows), 3) == oracle["exact_match_recorded_direct_pct"]
    pattern = "regex:pattern=answer is (.*?)\\.(?:\\s|$)"
    reasoned = [await grade(pattern, r["ground_truth_output"], r["recorded_cot"]) for r in rows]
    assert round(100 * sum(s.value for s in reasoned) / len(rows), 4) == oracle["cot_extracted_accuracy_pct"]


async def test_every_grade_school_reference_is_read(shared_data: Path) -> None:
    with (shared_data / "datasets/gsm8k_200.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        answer = row["ground_truth_output"]
        assert (await grade("numeric", answer, f"It starts with 3. So the answer is ${answer}.00.")).value == 1
        assert (await grade("numeric", answer, f"The answer is {answer}7")).value == 0


FACTS = {
    "rows": 100,
    "few_labels": True,
    "answer_chars": {"median": 8, "p95": 12},
    "answers_numeric": 90,
    "answers_json": 100,
}


def test_a_scorer_that_fits_badly_is_warned_about() -> None:
    assert "lists every label" in warning({"name": "contains"}, FACTS)
    assert "10 of 100" in warning({"name": "numeric"}, FACTS)
    assert warning({"name": "json_match"}, FACTS) == ""
    assert warning({"name": "exact_match"}, FACTS) == ""
    prose = FACTS | {"few_labels": False, "answer_chars": {"median": 80, "p95": 200}}
    assert "almost always" in warning({"name": "exact_match"}, prose)
    assert warning({"name": "contains"}, prose) == ""


@pytest.mark.parametrize("name", SCORERS)
def test_every_setting_documents_itself(name: str) -> None:
    assert SCORERS[name].name == name
    assert (SCORERS[name].__doc__ or "").strip()
    for one in settings(name):
        assert one.help.endswith((".", "+.", ")."))
        assert one.check(one.default) == one.default


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(st.sampled_from([one for one in SCORERS.values() if issubclass(one, TextScorer)]), TEXTS, TEXTS)
def test_whatever_the_texts_a_score_is_between_0_and_1_with_a_sentence(
    scorer: type[TextScorer], reference: str, answer: str
) -> None:
    score = scorer().grade(reference, answer)
    assert 0 <= score.value <= 1
    assert score.feedback
    assert len(score.feedback) < 900
    assert score.parsed or score.value == 0
