"""Whatever a page can do, the API can do: a table of both, so that nobody adds a button without its request."""

from __future__ import annotations

from flask import Flask

from tests.api.conftest import Api

SAME = {
    "benchmarks.estimate": "benchmarks.estimate",
    "benchmarks.review_again": "benchmarks.review",
    "benchmarks.review_delete": "reviews.delete",
    "benchmarks.review_duplicate": "reviews.duplicate",
    "benchmarks.review_save": "reviews.save",
    "benchmarks.save_ranking": "benchmarks.rank",
    "benchmarks.set_mark": "benchmarks.mark",
    "benchmarks.start": "benchmarks.start",
    "benchmarks.withdraw": "benchmarks.withdraw",
    "comparisons.estimate": "comparisons.estimate",
    "comparisons.start": "comparisons.start",
    "datasets.confirm": "datasets.import_file",
    "datasets.delete": "datasets.delete",
    "datasets.make_version": "labels.make_version",
    "datasets.rescore": "runs.rejudge",
    "datasets.rule": "labels.rule",
    "datasets.take_sample": "datasets.take_sample",
    "datasets.upload": "datasets.import_file",
    "models.check_access": "models.check",
    "models.clone": "models.clone",
    "models.create": "models.create",
    "models.delete": "models.delete",
    "models.save": "models.save",
    "models.set_active": "models.save",
    "models.take_in": "models.take_in",
    "playground.estimate": "tries.estimate",
    "playground.example": "tries.example",
    "playground.panel": "tries.start",
    "playground.start": "tries.start",
    "playground.stop": "runs.cancel",
    "prompts.about": "prompts.about",
    "prompts.create": "prompts.save",
    "prompts.delete": "prompts.delete",
    "prompts.label": "prompts.set_label",
    "prompts.restore": "prompts.restore",
    "prompts.save": "prompts.save",
    "prompts.take_in": "prompts.import_text",
    "prompts.unlabel": "prompts.remove_label",
    "providers.delete_server": "providers.delete_server",
    "providers.enter_key": "providers.enter_key",
    "providers.forget_key": "providers.forget_key",
    "providers.new_server": "providers.add_server",
    "providers.server": "providers.change_server",
    "providers.test_server": "providers.test_server",
    "runs.cancel": "runs.cancel",
    "runs.count_missing": "runs.missing",
    "runs.delete": "runs.delete",
    "runs.folder": "runs.folder",
    "runs.pause": "runs.pause",
    "runs.rename": "runs.rename",
    "runs.resume": "runs.resume",
    "runs.take_in": "transfer.import_run",
    "runs.start_rejudging": "runs.rejudge",
    "trainings.estimate": "trainings.estimate",
    "trainings.start": "trainings.start",
    "trainings.start_planned": "trainings.start",
}
"""What a page sends, and the request of the API that does the same."""
ONLY_HERE = frozenset({"reference.create", "reference.revoke"})
"""Tokens are made where a person sits (on the page, or with whetstone tokens), so that no token makes another."""


def actions(app: Flask) -> set[str]:
    """The endpoints of pages that change something."""
    rules = (rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("api."))
    return {rule.endpoint for rule in rules if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}}


def test_every_action_of_a_page_has_its_request(web: Api) -> None:
    assert actions(web.app) == set(SAME) | ONLY_HERE
    known = {rule.endpoint for rule in web.app.url_map.iter_rules()}
    assert {f"api.{name}" for name in SAME.values()} <= known
