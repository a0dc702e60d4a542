"""From a run's page to what failed in it, and on to asking it again."""

from __future__ import annotations

from flask.testing import FlaskClient

from app.services import runs
from app.store.database import Database
from tests.services.test_unprocessed import failing, trained


def test_pages_lead_there(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        run = trained(session, failing(session, trained(session)))
        failed = runs.count_unprocessed(session, run)
    assert f"{failed} answers have no score" in client.get(f"/runs/{run.id}").text
    page = client.get(f"/runs/{run.id}/unprocessed").text
    assert page.count("does not like this input") == failed
    assert f"/runs/{run.id}/rejudge?missing=retry" in page
    assert '<option value="retry" selected>' in client.get(f"/runs/{run.id}/rejudge?missing=retry").text
    assert client.get(f"/runs/{run.id}/rejudge?missing=never").status_code == 422
    assert client.get(f"/runs/{run.id}/samples.failed").text.count("provider_error") == failed
