"""Which adapter answers for a model's name, at which address and with which key.

A key from the environment goes to the provider's own host, to the host that the environment names as its base, and to this
machine; to no other, so that nobody can collect it by typing an address into a form. A key that was entered here goes to the
address that it was entered for. A server's own key comes first, then the environment's, then the one entered for a provider.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import SplitResult, urlsplit

from app.llm import local
from app.llm.keyring import EMPTY, Keyring
from app.llm.known import KNOWN, Adapter, Known, litellm_providers
from app.llm.prices import bundled
from app.ports.llm import ModelRef, Unauthorized, UnknownModel

_AZURE_API_VERSION = "2024-10-21"


@dataclass(frozen=True, slots=True)
class Route:
    """provider: None when LiteLLM knows it and we do not. model: the name without its provider."""

    adapter: Adapter
    provider: Known | None
    model: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an OpenAI-compatible call goes. secrets: what must never be said. hint: said when the key is refused."""

    url: str
    headers: Mapping[str, str]
    model: str
    secrets: tuple[str, ...] = ()
    hint: str = ""


def route(model: ModelRef) -> Route:
    """The way to a model.

    Raises: UnknownModel with a sentence that says what to write instead.
    """
    first, slash, rest = model.name.partition("/")
    if slash and rest and first in KNOWN:
        return _known(KNOWN[first], rest, model.api_base)
    spoken = slash and rest and first in litellm_providers()
    if model.api_base and model.name:
        return Route("openai", KNOWN["openai"], rest if spoken else model.name)
    if spoken:
        return Route("litellm", None, rest)
    entry = bundled().get(model.name)
    if entry and entry.provider in KNOWN and not slash:
        return _known(KNOWN[entry.provider], model.name, None)
    return _unknown(model.name)


def _known(provider: Known, model: str, api_base: str | None) -> Route:
    if provider.adapter == "vertex" and not model.startswith(("gemini", "endpoints/", "projects/")):
        return Route("litellm", provider, model)
    if api_base and provider.adapter == "litellm" and not provider.own_protocol:
        return Route("openai", provider, model)
    return Route(provider.adapter, provider, model)


def _unknown(name: str) -> Route:
    first, slash, rest = name.partition("/")
    if not name.strip():
        raise UnknownModel("no model is named; write provider/model, for example openai/gpt-5-mini")
    if not slash or not rest or not first:
        raise UnknownModel(f"{name!r} names no provider; write provider/model, for example openai/{name.strip('/')}")
    near = get_close_matches(first, [*KNOWN, *litellm_providers()], n=1)
    meant = f"; did you mean {near[0]}/{rest}?" if near else ""
    raise UnknownModel(f"no provider is called {first!r}{meant or '; for a server of your own, give its api_base'}")


def endpoint(way: Route, api_base: str | None, environ: Mapping[str, str], keys: Keyring = EMPTY) -> Endpoint:
    """The address and headers of an OpenAI-compatible call.

    Raises: UnknownModel without a usable base URL, Unauthorized without a key.
    """
    provider = way.provider or KNOWN["openai"]
    base = base_of(provider, api_base, environ)
    key, hint = key_for(provider, base, environ, keys)
    url = _chat_url(base, way.model, provider, environ)
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
    if provider.name == local.PROVIDER:
        headers["Connection"] = "close"  # llama.cpp's server drops connections after a stream that it promised to keep
    if key:
        headers |= {"api-key": key} if provider.name == "azure" else {"Authorization": f"Bearer {key}"}
    return Endpoint(url, headers, way.model, (key,) if key else (), hint)


def base_of(provider: Known, api_base: str | None, environ: Mapping[str, str]) -> str:
    """The base URL in force: the call's own, else the environment's, else the provider's.

    Raises: UnknownModel when there is none or it is no URL.
    """
    if api_base:
        return checked(api_base, "api_base")
    for variable in provider.bases:
        if environ.get(variable):
            return checked(environ[variable], variable)
    if not provider.default_base:
        variables = " or ".join(provider.bases)
        raise UnknownModel(f"api_base is missing: give the address of your {provider.title} server, or set {variables}")
    return provider.default_base


def checked(url: str, what: str = "api_base") -> str:
    """The URL itself.

    Raises: UnknownModel saying what is wrong with it.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UnknownModel(f"{what} is not a URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise UnknownModel(f"{what} must look like http://host:port/v1, not {_without_password(parts, url)!r}")
    if parts.username or parts.password:
        raise UnknownModel(f"{what} holds a user name or password; keys belong into the environment")
    return url


def _without_password(parts: SplitResult, url: str) -> str:
    return url.replace(f"{parts.netloc.rpartition('@')[0]}@", "***@") if "@" in parts.netloc else url


def key_for(provider: Known, base: str, environ: Mapping[str, str], keys: Keyring = EMPTY) -> tuple[str, str]:
    """The key that may be sent to a base URL ("" for none), and what to say when it is refused.

    Raises: Unauthorized when the provider's own host is meant and no key is set.
    """
    if own := keys.of_server(base):
        return own, "(the key is the one that was entered with this server)"
    variables = " or ".join(provider.keys)
    key = key_in(environ, provider)
    trusted = {
        urlsplit(provider.default_base).hostname,
        *(urlsplit(environ.get(v, "")).hostname for v in provider.bases),
    }
    host = urlsplit(base).hostname or ""
    if not key and (entered := keys.of_provider(provider.name, base)):
        return entered, "(the key is the one that was entered on the page Providers)"
    if not key:
        if host == urlsplit(provider.default_base).hostname and not provider.local:
            raise Unauthorized(f"no key for {provider.title}: set {variables}, or enter one on the page Providers")
        return "", f"(no key was sent; set {variables})" if variables else ""
    if host in trusted or is_local(host):
        return key, f"(the key came from {variables})"
    where = " or ".join(provider.bases)
    return (
        "",
        f"(no key was sent: {variables} goes only to hosts that you trust; set {where or 'no other'} to {base})",
    )


def key_in(environ: Mapping[str, str], provider: Known) -> str:
    """The provider's key in the environment, "" without one."""
    return next((environ[name].strip() for name in provider.keys if environ.get(name, "").strip()), "")


def is_local(host: str) -> bool:
    """Whether a host name is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _chat_url(base: str, model: str, provider: Known, environ: Mapping[str, str]) -> str:
    base = base.rstrip("/")
    path = urlsplit(base).path
    if path.endswith("/chat/completions"):
        return base
    if provider.name == "azure" and not path.rstrip("/").endswith("/v1"):
        version = environ.get("AZURE_API_VERSION") or _AZURE_API_VERSION
        if "/deployments/" not in path:
            base += f"{'' if path.endswith('/openai') else '/openai'}/deployments/{model}"
        return f"{base}/chat/completions?api-version={version}"
    return f"{base}{'' if path else '/v1'}/chat/completions"
