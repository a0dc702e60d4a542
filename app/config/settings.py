"""Every operator setting: its type, range and default; the line below each one is its description everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from app.config import hosts
from app.config.calls import Access, Calls, Judge
from app.config.kinds import Name, Number, Section, Whole


class Training(Section):
    """Defaults of a new training; every one can be set for a single run."""

    epochs: Annotated[Whole, Field(ge=1, le=1000)] = 10
    """Most epochs of a training."""
    repeats: Annotated[Whole, Field(ge=1, le=20)] = 1
    """Answers to each validation and test example; more of them where the model gives another answer each time."""
    batch_size: Annotated[Whole, Field(ge=1, le=10_000)] = 16
    """Train examples that an epoch looks at."""
    patience: Annotated[Whole, Field(ge=1, le=1000)] = 3
    """Epochs without improvement before a training stops."""
    concurrency: Annotated[Whole, Field(ge=1, le=1000)] = 16
    """Model calls of one run under way at the same time."""
    min_improvement: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """A proposal is accepted when its mean score on validation is better by more than this."""
    acceptance: Literal["improvement", "confidence"] = "improvement"
    """Rule of acceptance: improvement (any at all), or confidence (only when significant at alpha)."""
    alpha: Annotated[Number, Field(gt=0, le=0.5)] = 0.05
    """Significance level of the confidence rule and of the verdict."""
    split: Annotated[str, Field(pattern=r"^\d{1,3}/\d{1,3}/\d{1,3}$")] = "60/20/20"
    """Shares of train, validation and test, in percent."""
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = 42
    """Seed of splits, batches and intervals."""
    scorer: Name = "exact_match"
    """How answers are scored: a scorer's name, or name:key=value."""
    temperature: Annotated[Number, Field(ge=0, le=2)] = 0.0
    """Temperature of the primary model."""
    max_output_tokens: Annotated[Whole, Field(ge=1, le=1_000_000)] = 2048
    """Most tokens of one answer."""
    max_prompt_tokens: Annotated[Whole, Field(ge=25, le=1_000_000)] = 3_000
    """Most tokens of a proposal's system and output prompt together, estimated at four bytes each."""
    max_prompt_chars: Annotated[Whole, Field(ge=100, le=1_000_000)] | None = None
    """Most characters of the same, in place of max_prompt_tokens; null means that the tokens count."""
    shorten: Literal["off", "offer"] = "off"
    """After the search: off, or offer (drop sentences that are not worth anything, and test the shorter prompt too)."""
    shorten_margin: Annotated[Number, Field(gt=0, le=0.5)] = 0.02
    """By how much of the mean score a shortened prompt may be worse at most."""
    shorten_answers: Annotated[Whole, Field(ge=1, le=10_000_000)] = 1_000
    """Most answers to validation examples that the shortening may take."""
    cache: Literal["reuse", "off"] = "reuse"
    """Replies to equal calls of earlier runs: reuse them at no cost, or off."""
    worth_points: Annotated[Number, Field(gt=0, lt=100)] = 5.0
    """Improvement that is worth finding, in points of a hundred; a plan says how many examples that takes."""
    pilot_examples: Annotated[Whole, Field(ge=2, le=1000)] = 16
    """Train examples that a plan asks twice."""


class Optimizer(Section):
    """Defaults of what makes the proposals."""

    strategy: Name = "auto"
    """How proposals are made: auto, full_rewrite, targeted_edit, example_addition, evolutionary or reflective_pareto."""
    temperature: Annotated[Number, Field(ge=0, le=2)] = 0.7
    """Temperature of the optimizer model."""
    max_output_tokens: Annotated[Whole, Field(ge=1, le=1_000_000)] = 8192
    """Most tokens of one proposal."""
    failures: Annotated[Whole, Field(ge=1, le=100)] = 8
    """Failed examples shown to the optimizer."""
    successes: Annotated[Whole, Field(ge=0, le=100)] = 2
    """Solved examples shown to the optimizer, marked as to be kept."""


class Budget(Section):
    """Defaults of what a run may use."""

    usd: Annotated[Number, Field(gt=0, le=1e9)] | None = None
    """Most US dollars of a run; null means no limit."""
    calls: Annotated[Whole, Field(ge=1, le=10**12)] | None = None
    """Most model calls of a run; null means no limit."""
    tokens: Annotated[Whole, Field(ge=1, le=10**12)] | None = None
    """Most tokens of a run; null means no limit."""
    minutes: Annotated[Number, Field(gt=0, le=1e7)] | None = None
    """Most minutes of work of a run; null means no limit."""
    confirm_usd: Annotated[Number, Field(ge=0)] = 5.0
    """A training that may cost more than this asks for a confirmation first."""
    stop_above_usd_per_point: Annotated[Number, Field(gt=0, le=1e9)] | None = None
    """US dollars that a further point of validation score may cost by forecast before a search stops; null means any price."""


class Code(Section):
    """What a person's code may use when the scorer python runs it."""

    timeout_s: Annotated[Number, Field(ge=0.1, le=600)] = 5.0
    """Most seconds of one call, by the clock and of the processor."""
    memory_mb: Annotated[Whole, Field(ge=64, le=65_536)] = 512
    """Most memory of one call, in megabytes."""
    processes: Annotated[Whole, Field(ge=1, le=64)] = 2
    """Calls at the same time for one run."""


class Uploads(Section):
    """What an imported file may be."""

    max_mb: Annotated[Whole, Field(ge=1, le=10_000)] = 200
    """Largest file, in megabytes."""
    max_rows: Annotated[Whole, Field(ge=1, le=100_000_000)] = 1_000_000
    """Most rows of a dataset."""
    max_columns: Annotated[Whole, Field(ge=2, le=10_000)] = 200
    """Most columns of a file."""
    max_cell_chars: Annotated[Whole, Field(ge=100, le=100_000_000)] = 1_000_000
    """Most characters of one cell."""
    max_unpacked_mb: Annotated[Whole, Field(ge=1, le=1_000_000)] = 2_000
    """Largest record of a run that is imported, in megabytes after unpacking."""


class Images(Section):
    """What the images of a dataset may be."""

    max_mb: Annotated[Whole, Field(ge=1, le=1000)] = 10
    """Largest image, in megabytes."""
    max_megapixels: Annotated[Whole, Field(ge=1, le=80)] = 40
    """Most pixels of an image, in millions: a small file can unpack to more memory than there is."""
    max_count: Annotated[Whole, Field(ge=1, le=1_000_000)] = 20_000
    """Most rows of a dataset that may have an image."""
    archive_max_mb: Annotated[Whole, Field(ge=1, le=100_000)] = 500
    """Largest ZIP of images, in megabytes."""
    fetch_s: Annotated[Number, Field(gt=0, le=600)] = 10.0
    """Most seconds for fetching one image from a web address."""
    fetch_total_s: Annotated[Number, Field(gt=0, le=86_400)] = 300.0
    """Most seconds for fetching all images of a dataset."""


class Retention(Section):
    """For how long records are kept; ``whetstone prune`` removes what is older."""

    calls_days: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Requests and replies of runs that ended more than this many days ago are removed; null keeps them."""
    events_days: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Waits in the logs of runs that ended more than this many days ago are removed; null keeps them."""
    runs_days: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Whole runs that ended more than this many days ago are removed; null keeps them."""


class Experiments(Section):
    """Where finished trainings are logged besides."""

    vertex: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?)?$")] = ""
    """Experiment of Vertex AI Experiments that gets a run for each finished training; empty logs nothing."""
    vertex_location: Name = "us-central1"
    """Google Cloud region that keeps the experiment."""


class Settings(Section):
    """All settings. Once loaded, folders are absolute and database_url is filled in."""

    project_id: str = ""
    """Google Cloud project for Vertex AI."""
    location: Name = "global"
    """Google Cloud location for Vertex AI."""
    primary_model: Name = "vertex_ai/gemini-3.5-flash"
    """Model that a new training trains for."""
    optimizer_model: Name = "vertex_ai/gemini-3.5-flash"
    """Model that proposes prompts in a new training."""
    judge_model: Name = "vertex_ai/gemini-3.5-flash"
    """Model that grades answers when a new training is scored by rubric."""

    host: Name = "127.0.0.1"
    """Address that the web server listens on."""
    port: Annotated[Whole, Field(ge=1, le=65535)] = 8000
    """Port of the web server."""
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Host names under which pages are served; in the environment separated by commas."""
    secret_key: Annotated[str, Field(repr=False)] = ""
    """Signs sessions and forms and encrypts keys; when empty, one is made at the first start and kept in the data folder."""
    former_secret_keys: Annotated[tuple[str, ...], Field(repr=False)] = ()
    """Earlier secret keys: what was encrypted under them can still be read; in the environment separated by commas."""
    private_hosts: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Private addresses where model servers may be reached: names, addresses, networks, each with :port if only that one."""
    api_needs_token: bool = False
    """Whether the JSON API answers only to requests that show a token."""
    web_threads: Annotated[Whole, Field(ge=2, le=1000)] = 64
    """Threads of the web server; every open event stream holds one."""
    max_streams: Annotated[Whole, Field(ge=1, le=1000)] = 48
    """Event streams open at the same time, all clients together."""
    max_streams_per_client: Annotated[Whole, Field(ge=1, le=1000)] = 8
    """Event streams open at the same time from one address."""

    data_dir: Path = Path("data")
    """Folder of the database, the uploads, the images and the embedded Redis."""
    experiments_dir: Path = Path("experiments")
    """Folder that runs are exported to."""
    database_url: Annotated[str, Field(repr=False)] = ""
    """sqlite:///path or postgresql://user:password@host/name; when empty, app.db in the data folder."""
    database_wait_s: Annotated[Number, Field(ge=0, le=86_400)] = 120.0
    """Seconds that a run waits for a database that does not answer, buying nothing, before its worker gives it up."""
    disk_min_mb: Annotated[Whole, Field(ge=0, le=10**9)] = 200
    """Free megabytes in the data folder (and at an SQLite database) below which runs pause instead of buying."""
    redis_url: Annotated[str, Field(repr=False)] = ""
    """The Redis to use; when empty, an embedded one is started on redis_port."""
    redis_port: Annotated[Whole, Field(ge=1, le=65535)] = 6390
    """Port of the embedded Redis on 127.0.0.1."""
    local_model_port: Annotated[Whole, Field(ge=0, le=65535)] = 6395
    """Port of the local model's server on 127.0.0.1, once it is installed (`make local`); 0: it is not started."""

    worker_processes: Annotated[Whole, Field(ge=1, le=256)] = 2
    """Runs that one worker drives at the same time."""
    lease_s: Annotated[Number, Field(ge=1, le=30)] = 20.0
    """A run whose worker has been silent for this many seconds is given to another one."""
    sweep_s: Annotated[Number, Field(ge=0.2, le=60)] = 5.0
    """Seconds between two looks of a worker for abandoned runs."""
    share_above: Annotated[Whole, Field(ge=0, le=10**9)] = 2000
    """Answers still to come from which on a run asks other workers for help; 0 means never."""
    share_with: Annotated[Whole, Field(ge=1, le=256)] = 4
    """Worker processes that are asked to help with one run."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""
    allow_code: bool = False
    """Whether the scorer python may run code of whoever can start a run."""

    training: Training = Training()
    optimizer: Optimizer = Optimizer()
    budget: Budget = Budget()
    calls: Calls = Calls()
    judge: Judge = Judge()
    access: Access = Access()
    code: Code = Code()
    rate_limits: dict[str, Annotated[Number, Field(gt=0, le=1e6)]] = {}  # noqa: RUF012 - pydantic copies it
    """Requests per minute by model or model@region, shared by all workers; in the environment as model=number,model=number."""
    uploads: Uploads = Uploads()
    images: Images = Images()
    vision: dict[str, bool] = {}  # noqa: RUF012 - pydantic copies it
    """Whether a model sees images, by its name, where the table is wrong; in the environment as model=yes,model=no."""
    retention: Retention = Retention()
    experiments: Experiments = Experiments()

    @field_validator("allowed_hosts", "former_secret_keys", "private_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("private_hosts")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            hosts.listed(one)
        return value

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _split_limits(cls, value: object) -> object:
        if not isinstance(value, str):
            return {} if value is None else value
        pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
        return {model.strip(): rpm.strip() for model, _, rpm in pairs}

    @field_validator("vision", mode="before")
    @classmethod
    def _split_vision(cls, value: object) -> object:
        if not isinstance(value, str):
            return {} if value is None else value
        pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
        return {model.strip(): sees.strip() for model, _, sees in pairs}

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return f"sqlite:///{info.data.get('data_dir', Path('data')) / 'app.db'}"
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return "postgresql" + value.removeprefix("postgres") if value.startswith("postgres://") else value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://")):
            raise ValueError("must begin with redis:// or rediss://")
        return value

    @property
    def redis_address(self) -> str:
        """Where Redis answers: redis_url, or the embedded one."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"
