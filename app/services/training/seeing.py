"""What a dataset's images mean for a training, told before anything is spent."""

from __future__ import annotations

from app.ports.llm import Json


def shown_tokens(facts: Json) -> float:
    """Tokens of the image of an example, in the mean over all rows; 0 without images. facts: the dataset's statistics."""
    images = facts.get("images")
    return float(images["tokens_mean"] * images["loaded"] / facts["rows"]) if images else 0.0


def seeing_notes(spec: Json, facts: Json) -> list[str]:
    """What a person should hear of the images, one sentence each."""
    images, model = facts.get("images"), spec["primary"]
    if not images:
        return []
    notes, lost = [], images["rows"] - images["loaded"]
    if lost:
        notes.append(f"{lost:,} of {images['rows']:,} images could not be loaded; these examples get no score.")
    if model.get("vision") is False:
        why = "with one get no answer and no score"
        return [*notes, f"{model['name']} cannot see images: the {images['rows']:,} examples {why}."]
    if model.get("vision") is None:
        notes.append(f"Whether {model['name']} sees images is not known; what it refuses gets no score.")
    mean = f"about {images['tokens_mean']:,.0f} tokens each"
    return [*notes, f"Images are estimated at {mean}, by their pixels; providers count them in ways of their own."]
