"""What is known to fail before anything is spent: unknown providers, missing keys, addresses that are wrong or silent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from app.llm import local, outbound
from app.llm.around import Around
from app.llm.known import KNOWN, Known
from app.llm.outbound import Forbidden, Guard
from app.llm.routes import Route, base_of, checked, endpoint, is_local, key_for, route
from app.ports.llm import ModelRef, Permanent, UnknownModel


def problem(model: ModelRef, around: Around) -> str | None:
    """Why no call to this model can work, in one sentence; None when none is known. Connects nowhere.

    A sentence about the base URL begins with "api_base".
    """
    environ = around.environ
    try:
        way = route(model)
        if way.adapter == "simulated":
            models = KNOWN["simulated"].examples
            return None if model.name in models else f"the simulated models are {', '.join(models)}"
        if (
            model.name.startswith(f"{local.PROVIDER}/")
            and not model.api_base
            and (flaw := local.problem(way.model, environ))
        ):
            return flaw
        if way.adapter == "openai":
            around.guard.check(endpoint(way, model.api_base, environ, around.keys).url)
            return None
        if model.api_base:
            typed(way, model.api_base, around.guard)
        if way.adapter == "vertex" or (way.provider and way.provider.name == "vertex_ai"):
            return None if model.api_base else vertex_problem(environ, around.project)
        return _litellm_problem(way.provider, model.api_base, around)
    except Forbidden as error:
        return f"api_base: {error}"
    except Permanent as error:
        return str(error)


def typed(way: Route, api_base: str, guard: Guard) -> str:
    """A base URL that was given for a call of another adapter than the OpenAI-compatible one.

    Raises: UnknownModel for no URL, and for a place where the provider's credentials do not belong; Forbidden.
    """
    base = checked(api_base)
    guard.check(base)
    domains = way.provider.only_at if way.provider and way.adapter == "litellm" else ()
    host = (urlsplit(base).hostname or "").rstrip(".")
    if domains and not host.endswith(tuple(f".{domain}" for domain in domains)):
        title = way.provider.title if way.provider else ""
        raise UnknownModel(
            f"api_base: what is sent to {title} holds its credentials and goes to {' or '.join(domains)} only"
        )
    return base


def _litellm_problem(provider: Known | None, api_base: str | None, around: Around) -> str | None:
    environ = around.environ
    if provider is None or api_base:
        return None  # LiteLLM itself will say what it needs
    if provider.name == "bedrock":
        return bedrock_problem(provider, environ)
    if provider.default_base:
        key_for(provider, base_of(provider, None, environ), environ, around.keys)
    elif not any(environ.get(name) for name in provider.keys):
        return f"no key for {provider.title}: set {' or '.join(provider.keys)}"
    return None


def bedrock_problem(provider: Known, environ: Mapping[str, str]) -> str | None:
    """Why Amazon Bedrock cannot be called; None when there are credentials (a role of the machine is not looked for)."""
    file = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or _home(environ) / ".aws" / "credentials")
    role = any(environ.get(name) for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"))
    if role or file.is_file() or any(environ.get(name) for name in provider.keys):
        return None
    return f"no credentials for {provider.title}: set {' or '.join(provider.keys)}, or run `aws configure`"


def project_of(environ: Mapping[str, str], project: str = "") -> str:
    """The Google Cloud project: the setting, else the environment's; "" when neither names one."""
    return project or environ.get("GOOGLE_CLOUD_PROJECT") or environ.get("VERTEXAI_PROJECT") or ""


def vertex_problem(environ: Mapping[str, str], project: str = "") -> str | None:
    """Why Vertex AI cannot be called; None when a project is named and there are credentials."""
    if not project_of(environ, project):
        return "no project for Vertex AI: set project_id in config.yaml or GOOGLE_CLOUD_PROJECT"
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if named and not Path(named).is_file():
        return "GOOGLE_APPLICATION_CREDENTIALS names a file that does not exist"
    if not adc_source(environ):
        return "no credentials for Vertex AI: run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"
    return None


def adc_source(environ: Mapping[str, str]) -> str:
    """Where Application Default Credentials would come from, in words; "" when nowhere."""
    if environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return "GOOGLE_APPLICATION_CREDENTIALS"
    folder = Path(environ.get("CLOUDSDK_CONFIG") or _home(environ) / ".config" / "gcloud")
    if (folder / "application_default_credentials.json").is_file():
        return "gcloud's application default credentials"
    if any(environ.get(name) for name in ("K_SERVICE", "CLOUD_RUN_JOB", "GCE_METADATA_HOST")) or _on_google():
        return "the service account of this machine"
    return ""


def _on_google() -> bool:
    name = Path("/sys/class/dmi/id/product_name")
    try:
        return "Google" in name.read_text()
    except OSError:
        return False


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or os.path.expanduser("~"))


def unreachable(model: ModelRef, around: Around, timeout_s: float = 2.0) -> str | None:
    """Why the base URL of a model does not answer, in one sentence; None when something listens there.

    Only addresses that somebody typed in, or that are local, are tried: one TCP connection, nothing is sent.
    """
    try:
        way = route(model)
        if way.adapter in ("simulated", "vertex") or way.provider is None:
            return None
        base = base_of(way.provider, model.api_base, around.environ) if way.adapter == "openai" else model.api_base
    except Permanent as error:
        return str(error)
    if base is None or (base == way.provider.default_base and not way.provider.local):
        return None
    flaw = reachable(base, around.guard, timeout_s)
    if flaw and way.provider.name == local.PROVIDER and not model.api_base:
        return "the local model's server does not answer: `whetstone up` starts it"
    return flaw


def reachable(base: str, guard: Guard, timeout_s: float = 2.0) -> str | None:
    """None when something listens at a URL, else what went wrong in one sentence that begins with "api_base"."""
    parts = urlsplit(base)
    if getproxies().get(parts.scheme) and not is_local(parts.hostname or ""):
        return None  # it is the proxy that would answer
    try:
        outbound.connected(guard, base, timeout_s)
    except Forbidden as error:
        return f"api_base: {error}"
    except OSError as error:
        why = "it does not answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        return f"api_base {parts.scheme}://{parts.netloc} cannot be reached: {why}"
    return None
