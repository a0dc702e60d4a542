"""Work that may take longer than a person waits for a page: it goes on beside the request, and a page shows how far it is."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.services.errors import NotFound, ServiceError
from app.web.errors import is_fragment

pages = Blueprint("works", __name__, url_prefix="/works")

QUICK_S = 1.0
"""What is done within so many seconds is answered at once."""
KEPT_S = 3600.0
"""For so long the end of a work can be asked for."""
_TOKEN = re.compile("[0-9a-f]{32}")

log = logging.getLogger(__name__)


@dataclass
class Work:
    """One piece of work. conclude: answers whoever asks after its end, in that one's request.

    done of whole: how far it is, 0 of 0 before that is known. result: of the job. error: what it ended with instead, None when
    it went well; anything but a refusal is in the log, and stands here without its words.
    """

    title: str
    conclude: Callable[[Work], ResponseReturnValue]
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    begun: float = field(default_factory=time.monotonic)
    done: int = 0
    whole: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None

    @property
    def fraction(self) -> float | None:
        """Of the whole, None while unknown."""
        return self.done / self.whole if self.whole else None

    def tell(self, done: int, whole: int) -> None:
        """How far it is now."""
        self.done, self.whole = done, whole


_known: dict[str, Work] = {}


def begin(work: Work, job: Callable[[Work], Any]) -> ResponseReturnValue:
    """Do the job beside this request; answers with its end when it is quick, else with the page that shows its progress."""
    now = time.monotonic()
    for token in [one.token for one in list(_known.values()) if one.ended.is_set() and now - one.begun > KEPT_S]:
        _known.pop(token, None)
    _known[work.token] = work
    threading.Thread(target=_go, args=(work, job), name="work", daemon=True).start()
    if work.ended.wait(QUICK_S):
        return _concluded(work)
    return redirect(url_for("works.show", token=work.token), 303)


def _go(work: Work, job: Callable[[Work], Any]) -> None:
    try:
        work.result = job(work)
    except (ServiceError, OSError) as error:
        work.error = error
    except Exception as error:  # the door of the thread: whoever waits must hear that it is over
        log.exception("%s failed", work.title)
        work.error = error
    finally:
        work.ended.set()


def _concluded(work: Work) -> ResponseReturnValue:
    _known.pop(work.token, None)
    if work.error is not None and not isinstance(work.error, ServiceError | OSError):
        raise work.error
    return work.conclude(work)


@pages.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """How far it is; its end when it is over."""
    work = _known.get(token) if _TOKEN.fullmatch(token) else None
    if work is None:
        raise NotFound("That work is over, or this server was started anew since; its result is where it belongs.")
    if not is_fragment():
        return _concluded(work) if work.ended.is_set() else render_template("works/show.html", work=work)
    if work.ended.is_set():
        return Response(status=204, headers={"HX-Redirect": url_for("works.show", token=token)})
    return render_template("works/bar.html", work=work)
