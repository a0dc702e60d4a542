"""The samples that come with the product: what each shows, and a plain prompt to begin a training with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.datasets.importing import import_file
from app.services.errors import NotFound
from app.services.pictures import Folder, Loader
from app.store.models import Dataset

FOLDER = Path(__file__).resolve().parents[3] / "data" / "samples"


@dataclass(frozen=True)
class BundledSample:
    """A sample file. scorer, system_prompt and output_prompt: what a first training on it may use."""

    filename: str
    title: str
    description: str
    scorer: str
    system_prompt: str
    output_prompt: str

    @property
    def path(self) -> Path:
        """Where the file is."""
        return FOLDER / self.filename

    @property
    def name(self) -> str:
        """Name of the dataset that it becomes."""
        return self.path.stem


SAMPLES = (
    BundledSample(
        "support_intents.csv",
        "Support intents",
        "160 messages of a shop's customers and 8 labels that are easily confused, such as refund_status and return_request.",
        "exact_match",
        "Classify the customer's message.",
        "",
    ),
    BundledSample(
        "english_french.csv",
        "English to French",
        "80 short everyday sentences and their French translations; politeness and idioms make the difference.",
        "chrf",
        "Translate to French.",
        "",
    ),
    BundledSample(
        "order_extraction.csv",
        "Order extraction",
        "90 messages that order something, and the JSON record that a shop needs of each.",
        "json_match",
        "Extract the order as JSON.",
        "",
    ),
    BundledSample(
        "news_topic.csv",
        "News topics",
        "84 short sentences from the news and 4 topics; small enough for a model that runs on this machine.",
        "exact_match",
        "Name the topic of the sentence.",
        "",
    ),
    BundledSample(
        "review_sentiment.csv",
        "Review sentiment",
        "84 short reviews, half of them positive and half negative; for a model that runs on this machine.",
        "exact_match",
        "Say whether the review is positive or negative.",
        "",
    ),
    BundledSample(
        "city_mentioned.csv",
        "City mentioned",
        "84 sentences in which one city is named, and the city; for a model that runs on this machine.",
        "exact_match",
        "Name the city in the sentence.",
        "",
    ),
    BundledSample(
        "shape_cards.csv",
        "Shape cards",
        "48 pictures of a coloured shape, and the name of the shape; for models that see.",
        "exact_match",
        "Say what is on the card.",
        "",
    ),
)


def sample_files() -> list[BundledSample]:
    """The bundled samples."""
    return list(SAMPLES)


def import_sample(session: Session, filename: str, images: Loader | None = None) -> Dataset:
    """Import a bundled sample, or hand back the dataset that it became before. Raises: NotFound, Conflict.

    images: how images are loaded (those of a sample lie beside it); None leaves them out.
    """
    sample = next((one for one in SAMPLES if one.filename == filename), None)
    if sample is None:
        raise NotFound(f"there is no sample {filename!r}; there are: {', '.join(one.filename for one in SAMPLES)}")
    with sample.path.open("rb") as stream:
        return import_file(
            session, stream, sample.filename, images=replace(images, place=Folder(FOLDER)) if images else None
        )


def samples_to_import(session: Session) -> list[BundledSample]:
    """Those whose name no dataset has yet."""
    samples = sample_files()
    names = [sample.name for sample in samples]
    taken = set(session.scalars(select(Dataset.name).where(Dataset.deleted_at.is_(None), Dataset.name.in_(names))))
    return [sample for sample in samples if sample.name not in taken]
