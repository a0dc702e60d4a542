"""A client of the JSON API of an application in a data folder of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import api
from app.config import ROOT, Settings
from app.llm.gateway import Gateway
from app.services import drive
from app.store.database import Database
from app.web import create_app
from app.web.context import Backend

BASE = "/api/v1"
FORM = {
    "dataset": "tickets",
    "system_prompt": "Classify the customer's message.",
    "output_prompt": "Answer with the label.",
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
    "epochs": 2,
}


class Api:
    """A client of the API of an application in a data folder of its own. hints: the runs that workers were told of."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.hints: list[str] = []
        self.settings = Settings(data_dir=folder / "data", experiments_dir=folder / "experiments", **settings)
        self.settings.data_dir.mkdir()
        self.database = Database(self.settings.database_url)
        self.database.upgrade()
        self.app: Flask = api.attach(create_app(self._backend()))
        self.client: FlaskClient = self.app.test_client()

    def _backend(self) -> Backend:
        return Backend(self.settings, self.database.engine, self._hint, start_checks=lambda: None)

    def _hint(self, run_id: str) -> bool:
        self.hints.append(run_id)
        return True

    def get(self, path: str, status: int = 200) -> Any:
        return self.read(self.client.get(BASE + path), status)

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        return self.read(self.client.post(BASE + path, json={} if body is None else body, **more), status)

    def upload(self, content: bytes, filename: str = "tickets.csv", status: int = 201, **fields: str) -> Any:
        data = {"file": (io.BytesIO(content), filename), **fields}
        return self.read(self.client.post(BASE + "/datasets", data=data), status)

    def errors(self, answer: Any) -> dict[str, str]:
        return {error["field"]: error["message"] for error in answer["errors"]}

    def read(self, response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.text
        assert response.mimetype == "application/json"
        self.check(response)
        return json.loads(response.text)

    def check(self, response: TestResponse) -> None:
        """Hold an answer against what the OpenAPI document says about it."""
        method, path = response.request.method, response.request.path
        endpoint, _ = self.app.url_map.bind("").match(path, method)
        if endpoint == "api.unknown" or response.status_code in (400, 405):
            return
        document = self.app.extensions["openapi"]
        said = next(
            one
            for methods in document["paths"].values()
            for one in methods.values()
            if one["operationId"] == endpoint.removeprefix("api.")
        )["responses"][str(response.status_code)]
        said = document["components"]["responses"][said["$ref"].rpartition("/")[2]] if "$ref" in said else said
        schema = said["content"]["application/json"]["schema"]
        rules = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
        assert not [f"{e.json_path}: {e.message[:300]}" for e in rules.iter_errors(json.loads(response.text))]

    def drive(self, run_id: str) -> None:
        """Do a worker's work."""
        drive.drive(
            run_id, database=self.database, open_llm=lambda: Gateway(self.settings, {}), owner="test", lease_s=20
        )


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Api]:
    """The API with one dataset, tickets."""
    it = Api(tmp_path)
    it.upload((ROOT / "data/samples/support_intents.csv").read_bytes())
    yield it
    it.database.close()
