"""Reads a list that was put in order by hand, as macros/arrange.html sends it: the best first, ties together."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from flask import request

from app.services.errors import Invalid, Problem
from app.web.params import clean

LONGEST = 4


def groups(name: str, allowed: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """The values in groups of equal place, best group first; within a group as they were sent.

    Raises Invalid, with the field named, unless every allowed value is there exactly once with a place from 1 on.
    """
    values, places = (
        [clean(one) for one in request.form.getlist(name)],
        [clean(one) for one in request.form.getlist(f"{name}_place")],
    )
    if sorted(values) != sorted(allowed):
        raise Invalid([Problem(name, "the list has changed meanwhile; look at it again and put it in order")])
    if len(places) != len(values) or not all(_is_place(one) for one in places):
        raise Invalid([Problem(name, "every place must be a whole number from 1 on")])
    ordered = sorted(zip(map(int, places), values, strict=True), key=lambda pair: pair[0])
    return tuple(tuple(value for _, value in tied) for _, tied in groupby(ordered, key=lambda pair: pair[0]))


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST and int(text) > 0
