"""Where requests may go: every notation is judged by what it resolves to, at the door, at the connection, at each redirect."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from app.config.hosts import listed
from app.llm.outbound import Forbidden, Guard, connected, forbidden
from app.llm.outbound_aiohttp import connector, get
from tests.fakes.serving import ThreadedServer


def names(**table: list[str]) -> Callable[[str, int], list[str]]:
    """A resolver that knows these names (with _ for the dot) and otherwise answers as the system does for numbers."""

    def resolve(host: str, port: int) -> list[str]:
        found = table.get(host.replace(".", "_"))
        if found is not None:
            return found
        return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]

    return resolve


FORBIDDEN = [
    "http://127.0.0.1/",
    "http://127.9.9.9:8080/v1",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://[::1]/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.0.10/",
    "http://100.64.0.1/",
    "http://[fd12:3456::1]/",
    "http://[fec0::1]/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://[::]/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.1.1/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://2130706433/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://１２７.0.0.1/",
    "http://user@8.8.8.8/",
    "http://:secret@8.8.8.8/",
    "http://inside.example/",
    "http://metadata.example./computeMetadata/v1/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "//8.8.8.8/",
    "http:///x",
    "http://8.8.8.8:99999/",
    "http://[::1",
    "",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_guard_without_a_list_lets_only_public_addresses_through(url: str) -> None:
    resolve = names(localhost=["127.0.0.1", "::1"], inside_example=["10.0.0.7"], metadata_example=["169.254.169.254"])
    with pytest.raises(Forbidden):
        Guard(resolve=resolve).look_up(url)


@pytest.mark.parametrize(
    "url",
    ["https://8.8.8.8/", "http://[2001:4860:4860::8888]:8080/v1", "https://API.example./v1", "https://bücher.example/"],
)
def test_public_addresses_pass(url: str) -> None:
    resolve = names(api_example=["8.8.4.4"], **{"xn--bcher-kva_example": ["8.8.4.4"]})
    assert Guard(resolve=resolve).look_up(url)


@pytest.mark.parametrize(
    ("entry", "url", "passes"),
    [
        ("127.0.0.0/8", "http://127.0.0.1:11434/v1", True),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]/", True),
        ("127.0.0.0/8", "http://10.0.0.7/", False),
        ("::1", "http://[::1]:1234/", True),
        ("10.0.0.7", "http://inside.example:8000/", True),
        ("10.0.0.7:8000", "http://inside.example:8000/", True),
        ("10.0.0.7:8000", "http://inside.example:22/", False),
        ("inside.example", "http://INSIDE.example./v1", True),
        ("inside.example:8000", "http://inside.example:8000/v1", True),
        ("inside.example:8000", "http://inside.example/v1", False),
        ("inside.example", "http://10.0.0.7/", False),
        ("[fd12::5]:8000", "http://[fd12::5]:8000/", True),
        ("fd12::/16", "http://[fd12::5]:8000/", True),
        ("169.254.0.0/16", "http://169.254.169.254/", False),
        ("metadata.example", "http://metadata.example/", False),
    ],
)
def test_what_the_operator_lists_passes_and_metadata_never(entry: str, url: str, passes: bool) -> None:
    guard = Guard.of([entry], names(inside_example=["10.0.0.7"], metadata_example=["169.254.169.254"]))
    if passes:
        assert guard.look_up(url)
    else:
        with pytest.raises(Forbidden):
            guard.look_up(url)


def test_a_name_with_a_good_and_a_bad_address_leads_to_the_good_one_only() -> None:
    assert Guard(resolve=names(both_example=["10.0.0.1", "8.8.8.8"])).look_up("http://both.example/") == ["8.8.8.8"]


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "a b", "host:99999", "http://host", "host:", "..", "[::1]:x"])
def test_an_entry_that_means_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="must be a host name"):
        listed(entry)


class Site(ThreadedServer):
    """Says ok, sends elsewhere, and writes down who came."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str | None]] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/to", self._send), web.get("/{rest:.*}", self._say)])
        return app

    async def _send(self, request: web.Request) -> web.Response:
        self._note(request)
        raise web.HTTPFound(request.query["where"])

    async def _say(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.Response(text="ok")

    def _note(self, request: web.Request) -> None:
        self.seen.append((request.path, request.headers.get("Authorization")))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    with Site() as server:
        assert isinstance(server, Site)
        yield server


async def fetch(guard: Guard, url: str, hops: int = 3) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(connector=connector(guard)) as session,
        get(session, guard, url, headers={"Authorization": "Bearer k"}, hops=hops) as response,
    ):
        return response.status, await response.text()


async def refused(guard: Guard, url: str) -> Forbidden:
    with pytest.raises((Forbidden, aiohttp.ClientError)) as caught:
        await fetch(guard, url)
    found = forbidden(caught.value)
    assert found is not None
    return found


async def test_a_listed_name_is_reached_and_an_unlisted_one_is_not_even_knocked_at(site: Site) -> None:
    resolve = names(model_example=["127.0.0.1"], other_example=["127.0.0.1"])
    guard = Guard.of(["model.example"], resolve)

    assert await fetch(guard, f"http://model.example:{site.port}/v1") == (200, "ok")
    told = await refused(guard, f"http://other.example:{site.port}/v1")
    assert "other.example leads to 127.0.0.1, which belongs to this machine" in str(told)
    await refused(guard, f"http://127.0.0.1:{site.port}/v1")
    await refused(guard, f"http://[::ffff:127.0.0.1]:{site.port}/v1")

    assert len(site.seen) == 1


async def test_a_name_that_changes_its_mind_gains_nothing(site: Site) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    guard = Guard(resolve=lambda host, port: next(answers))
    url = f"http://rebound.example:{site.port}/"

    assert guard.look_up(url) == ["8.8.8.8"]
    await refused(guard, url)

    assert site.seen == []


async def test_each_redirect_is_judged_and_takes_no_key_along(site: Site) -> None:
    resolve = names(a_example=["127.0.0.1"], b_example=["127.0.0.1"], c_example=["127.0.0.1"])
    guard = Guard.of(["a.example", "b.example"], resolve)
    base = f"http://a.example:{site.port}/to?where=http://"

    assert (await fetch(guard, f"{base}b.example:{site.port}/there"))[1] == "ok"
    assert site.seen == [("/to", "Bearer k"), ("/there", None)]
    for bad in (
        f"c.example:{site.port}/",
        f"127.0.0.1:{site.port}/",
        "169.254.169.254/",
        f"u:p@b.example:{site.port}/",
    ):
        await refused(guard, base + bad)
    assert (await fetch(guard, f"{base}b.example:{site.port}/there", hops=0))[0] == 302
    assert [path for path, _ in site.seen[2:]] == ["/to"] * 5


def test_a_plain_connection_is_judged_too(site: Site) -> None:
    connected(Guard.of(["127.0.0.0/8"]), site.url, 1)
    with pytest.raises(Forbidden):
        connected(Guard(), site.url, 1)
    with pytest.raises(OSError, match="refused"):
        connected(Guard.of(["127.0.0.0/8"]), "http://127.0.0.1:9/", 1)
