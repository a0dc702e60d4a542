"""The small world of the seeded runs: messages of bank customers, their topics, and what an optimizer tries."""

from __future__ import annotations

import csv
import io
import random

from sqlalchemy.orm import Session

from app.services import datasets
from app.store.models import Dataset

LABELS = ("card not working", "card arrival", "cash withdrawal", "top up failed", "exchange rate", "refund pending")
ASKS = (
    "My card was declined again at the {} even though there is money on it.",
    "It has been {} days and the card that I ordered is still not here. Where is it?",
    "The machine at the {} kept my money: I asked for 50 and got 20.",
    "I tried to add money from my {} and it just says failed.",
    "Which rate did you use for my payment in {}? It looks wrong to me.",
    "The shop in {} says they paid me back last week, but I cannot see it.",
)
WORDS = ("airport", "nine", "station", "savings account", "Swiss francs", "Lisbon", "museum", "hotel")
SYSTEM = "You sort messages from bank customers.\nAnswer with the name of one topic."
OUTPUT = "Topic:"
EDITS = (
    (
        "You sort messages from bank customers into exactly one topic.\n"
        "Topics: card not working, card arrival, cash withdrawal, top up failed, exchange rate, refund pending.\n"
        "Answer with the name of one topic, in lower case, and nothing else.",
        "Topic:",
        'Half of the failures are right in substance but named freely ("declined card"). Listing the topics fixes the wording.',
    ),
    (
        "You sort messages. Be helpful and explain your reasoning in two sentences before you answer.",
        "Answer:",
        "Reasoning first may help with the confusable topics.",
    ),
    (
        "You sort messages from bank customers into exactly one topic.\n"
        "Topics: card not working, card arrival, cash withdrawal, top up failed, exchange rate, refund pending.\n"
        'A machine that pays out too little is "cash withdrawal", not "card not working".\n'
        "Answer with the name of one topic, in lower case, and nothing else.",
        "Topic (one of the six names above):",
        "The remaining failures mix up cash withdrawal with card not working; one sentence tells them apart.",
    ),
    (
        "Sort each message into a topic. Topics may be combined when several fit.",
        "Topics:",
        "Some messages mention two things at once.",
    ),
    (
        "You sort messages from bank customers into exactly one topic.\n"
        "Topics: card not working, card arrival, cash withdrawal, top up failed, exchange rate, refund pending.\n"
        'A machine that pays out too little is "cash withdrawal", not "card not working".\n'
        'Money expected back from a shop is "refund pending", even when the rate is mentioned.\n'
        "Answer with the name of one topic, in lower case, and nothing else.",
        "Topic (one of the six names above):",
        "Two failures speak of a refund and of the rate; the refund decides.",
    ),
    ("", "", "The reply was not the JSON that was asked for, and stayed so after one repair."),
)
QUALITY = (0.52, 0.74, 0.38, 0.86, 0.6, 0.84, 0.0)


def dataset(session: Session, rows: int = 120) -> Dataset:
    """Import the messages as a file."""
    dice = random.Random(7)
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["input", "expected"])
    for i in range(rows):
        text = ASKS[i % len(LABELS)].format(dice.choice(WORDS))
        table.writerow([f"{text} (message {i + 1})", LABELS[i % len(LABELS)]])
    stream = io.BytesIO(file.getvalue().encode())
    return datasets.import_file(session, stream, "bank_messages.csv", name="bank messages")
