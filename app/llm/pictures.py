"""Images on their way to a model: read by their digests when a request is sent, and never a part of any record."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeAlias

from app.ports.images import ImageGone, Images
from app.ports.llm import Message, Rejected, Request

Loaded: TypeAlias = Mapping[str, bytes]
"""Content by digest."""
NOTHING: Loaded = {}


def has_images(request: Request) -> bool:
    """Whether any of its messages shows one."""
    return any(message.images for message in request.messages)


def load(request: Request, images: Images) -> Loaded:
    """The content of every image of a request. Raises: Rejected when one is gone."""
    digests = {image.digest for message in request.messages for image in message.images}
    try:
        return {digest: images.read(digest) for digest in digests}
    except ImageGone as gone:
        raise Rejected(str(gone)) from None


def in_openais_words(messages: tuple[Message, ...], loaded: Loaded) -> list[dict[str, Any]]:
    """Messages of OpenAI's chat protocol, images as data URLs before the text; without images the content is the text."""
    return [{"role": m.role, "content": _parts(m, loaded) if m.images else m.content} for m in messages]


def _parts(message: Message, loaded: Loaded) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(image.media_type, loaded[image.digest])}}
        for image in message.images
    ]
    return [*shown, {"type": "text", "text": message.content}] if message.content else shown


def data_url(media_type: str, content: bytes) -> str:
    """Content as an address that holds it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
