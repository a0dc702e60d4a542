"""The OpenAPI document: every route is in it, and what it says is true of whatever is sent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import FORM, Api

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EACH = 2
"""Requests of each of the two ways to each operation, at a place that exists."""


@pytest.fixture
def filled(tmp_path: Any) -> Iterator[Api]:
    """An installation with a dataset, prompts, a config, and a finished run."""
    api = Api(tmp_path)
    api.upload(b"input,answer\n" + b"".join(b"say %d,%d\n" % (n, n % 3) for n in range(40)))
    api.post("/prompts/support/versions", {"system_prompt": "Answer {{topic}}."}, 201)
    api.post("/models", {"name": "support", "model": "simulated/primary"}, 201)
    run = api.post("/trainings", {**FORM, "epochs": 1, "scorer": "exact_match"}, 201)
    worker = threading.Thread(target=api.drive, args=(run["id"],))
    worker.start()
    worker.join()
    yield api
    api.database.engine.dispose()


def test_every_route_says_what_it_takes_and_gives(web: Api) -> None:
    about = web.client.get("/api/v1/openapi.json").json
    assert about
    assert about["openapi"].startswith("3.1")
    assert len(about["paths"]) > 30


def test_whatever_is_sent_is_answered_as_the_document_says(filled: Api) -> None:
    known = {
        "key": "tickets",
        "run_id": filled.get("/runs")["items"][0]["id"],
        "name": "support",
        "which": "1",
        "row": 1,
    }
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", filled.app)
    # What takes things away comes last, so that the others still find them.
    operations = sorted((one.ok() for one in schema.get_all_operations()), key=lambda one: one.method == "delete")
    assert len(operations) > 40
    for operation in operations:
        places = {one.name: known[one.name] for one in operation.path_parameters if one.name in known}
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _send(operation, mode, places)


def _send(operation: Any, mode: GenerationMode, places: dict[str, Any]) -> None:
    @settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode, **({"path_parameters": places} if places else {})))
    def send(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # where nothing is asked for, nothing can be wrong
        send()
