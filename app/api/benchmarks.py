"""/benchmarks: what one would take, starting it, its results, and what people say of the answers."""

from __future__ import annotations

from contextlib import closing

from flask import Blueprint, Response, request, stream_with_context, url_for

from app import wiring
from app.api import benchmark_shapes as shapes
from app.api.context import answer, backend, body, session, text
from app.api.context import whole as given_whole
from app.api.openapi import Parameter, describe, whole
from app.api.shapes import StartedRun
from app.core.stats.recommendation import Weights
from app.ports.llm import Json
from app.services import benchmarks, documents, runs
from app.services.benchmarks import ballots, judgement, tables
from app.services.benchmarks import documents as told
from app.services.benchmarks.ballots import Ballot
from app.services.benchmarks.results import Place, Results, results
from app.services.benchmarks.statistics import statistics
from app.services.errors import Invalid, Problem
from app.services.training import adjustments
from app.store.models import Run

routes = Blueprint("benchmarks", __name__, url_prefix="/benchmarks")
WEIGHTS = {
    "quality": whole("weight of quality, 60 when left out", high=100),
    "speed": whole("weight of speed, 30 when left out", high=100),
    "cost": whole("weight of cost, 10 when left out", high=100),
}
WHOSE = {
    "prompt": Parameter("which prompt"),
    "repeat": whole("which answer to it, from 0"),
    "ranker": Parameter("whose ranking"),
}


@routes.post("/estimate")
@describe(shapes.BenchmarkEstimate, body=shapes.Benchmark)
def estimate() -> Response:
    """Calls, tokens and US dollars; usd is null when a price is unknown."""
    spec = _spec(body())
    found = documents.values(benchmarks.estimate(spec, gateway=backend().gateway))
    return answer({**found, "prompts": len(spec["cases"]), "adjustments": adjustments(spec)})


@routes.post("")
@describe(StartedRun, 201, body=shapes.NamedBenchmark)
def start() -> Response:
    """Start a benchmark; name is its name. hinted is false when Redis is away: the run then waits in the database."""
    given = body()
    name = text({"name": given.pop("name", "")}, "name")
    return _started(benchmarks.start(session(), _spec(given), name=name))


@routes.post("/<run_id>/review")
@describe(StartedRun, 201, body=shapes.ReviewAgain)
def review(run_id: str) -> Response:
    """Review the same answers again, in a new run: review_prompt, reviewer_model. Answers in the cache cost nothing."""
    given, run = body(), runs.get(session(), run_id)
    wanted = {name: text(given, name, "") for name in ("review_prompt", "reviewer_model")}
    raw = benchmarks.review_again(run, **wanted)
    return _started(benchmarks.start(session(), _spec(raw), name=text(given, "name", ""), cloned_from=run.id))


def _started(run: Run) -> Response:
    hinted = backend().enqueue(run.id)
    document = {**documents.run(run), "hinted": hinted, "adjustments": adjustments(run.spec)}
    return answer(document, 201, Location=url_for("api.runs.show", run_id=run.id))


def _spec(given: dict[str, Json]) -> Json:
    settings = backend().settings
    with closing(wiring.open_tools(settings)) as tools:
        return benchmarks.parse(session(), given, settings=settings, gateway=backend().gateway, tools=tools)


@routes.get("/<run_id>/form")
@describe(shapes.Benchmark)
def form(run_id: str) -> Response:
    """The fields that start the same benchmark again."""
    return answer(benchmarks.as_form(results(session(), runs.get(session(), run_id)).run.spec))


@routes.get("/configs")
@describe(shapes.AllConfigs)
def configs() -> Response:
    """Every config over all benchmarks."""
    return answer({"items": [told.statistic(one) for one in statistics(session())]})


def _results(run_id: str) -> Results:
    return results(session(), runs.get(session(), run_id))


@routes.get("/<run_id>")
@describe(shapes.BenchmarkResults, query=WEIGHTS)
def show(run_id: str) -> Response:
    """What it comes to: configs, recommendation, agreement. quality, speed, cost: weights of the recommendation, 0 to 100."""
    found = _results(run_id)
    given = {name: given_whole(name, usual, high=100) for name, usual in (("quality", 60), ("speed", 30), ("cost", 10))}
    try:
        weights = Weights.of(**given)
    except ValueError as error:
        raise Invalid([Problem("quality", str(error))]) from None
    return answer(told.benchmark(found, judgement.summary(found, weights)))


@routes.get("/<run_id>/prompts/<case>")
@describe(shapes.PromptAnswers)
def prompt(run_id: str, case: str) -> Response:
    """One prompt with every answer to it, what the reviewer gave, and people's rankings."""
    return answer(told.prompt(session(), _results(run_id), case))


@routes.get("/<run_id>/results.csv")
@describe({"text/csv": "every answer with what was said of it"})
def export(run_id: str) -> Response:
    """Every answer with what was said of it, as CSV."""
    found = _results(run_id)
    headers = {"Content-Disposition": f'attachment; filename="{found.run.id}-results.csv"'}
    rows = stream_with_context(tables.results_csv(session(), found))
    return Response(rows, mimetype="text/csv", headers=headers)


@routes.get("/<run_id>/rankings")
@describe(shapes.Rankings)
def rankings(run_id: str) -> Response:
    """The rankings of people, each compared with the reviewer's."""
    found = _results(run_id)
    return answer({"items": [told.ranking(found, row) for row in found.rankings]})


@routes.post("/<run_id>/rankings")
@describe(shapes.Ranking, 201, body=shapes.NewRanking)
def rank(run_id: str) -> Response:
    """Save a ranking: prompt, repeat, ranker, places (config to place, equal ones are ties), notes, seconds, blind, revision.

    revision: of the ranking that this one replaces, 0 for the first; another one that was saved meanwhile is a conflict (409).
    """
    given, found = body(), _results(run_id)
    places = given.get("places")
    if not isinstance(places, dict):
        raise Invalid([Problem("places", 'is needed: {"config": place, ...}')])
    row = ballots.save(
        session(),
        found,
        Ballot(
            Place(text(given, "prompt"), _number(given, "repeat")),
            text(given, "ranker"),
            places,
            text(given, "notes", ""),
            float(_number(given, "seconds")),
            given.get("blind") is True,
            _number(given, "revision"),
        ),
    )
    return answer(told.ranking(_results(run_id), row), 201)


def _number(given: dict[str, Json], field: str) -> int:
    value = given.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**31:
        raise Invalid([Problem(field, "must be a number from 0 on")])
    return int(value)


@routes.delete("/<run_id>/rankings")
@describe(None, 204, query=WHOSE)
def withdraw(run_id: str) -> Response:
    """Take a ranking back: prompt, repeat, ranker in the query."""
    place = Place(request.args.get("prompt", ""), given_whole("repeat", 0))
    ballots.withdraw(session(), runs.get(session(), run_id), place, request.args.get("ranker", ""))
    return Response(status=204)


@routes.post("/<run_id>/marks")
@describe(shapes.Marked, body=shapes.Mark)
def mark(run_id: str) -> Response:
    """Mark an answer: key, verdict (acceptable, unacceptable, or empty to take it back), by."""
    given, run = body(), runs.get(session(), run_id)
    ballots.mark(session(), run, text(given, "key"), text(given, "verdict", ""), by=text(given, "by", ""))
    return answer({"key": given["key"], "verdict": given.get("verdict", "")})
