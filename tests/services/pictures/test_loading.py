"""An image is what its content is; what is none says why; whatever a cell holds, nothing is raised and nothing gets out."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.llm.outbound import Guard
from app.ports.images import ImageGone
from app.ports.llm import Json
from app.services.errors import Invalid
from app.services.pictures import Folder, Loader, Nowhere, as_cell, open_archive
from tests.fakes.serving import ThreadedServer
from tests.services.pictures.drawn import archive, bomb, data_url, loader, picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def load(with_: Loader, *cells: str) -> list[Json]:
    """What becomes of the images in some cells."""
    loading = with_.begin()
    for row, cell in enumerate(cells, 1):
        loading.take(row, cell)
    found = loading.finish()
    return [found.get(row) for row in range(1, len(cells) + 1)]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_what_every_provider_takes_is_kept_as_it_is(tmp_path: Path, form: str) -> None:
    here, content = loader(tmp_path), picture(form)
    (one,) = load(here, data_url(content, f"image/{form.lower()}"))
    assert (one["media_type"], one["width"], one["height"]) == (f"image/{form.lower()}", 8, 6)
    assert here.files.read(one["digest"]) == content
    assert "note" not in one
    small = Image.open(io.BytesIO(here.files.read_small(one["digest"])))
    assert (small.format, small.size) == ("PNG", (8, 6))


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (picture("BMP"), "BMP, kept as PNG"),
        (picture("GIF"), "GIF, kept as PNG"),
        (picture("GIF", frames=3), "the first frame of an animated GIF, kept as PNG"),
        (picture("WEBP", frames=3), "the first frame of an animated WEBP, kept as PNG"),
    ],
)
def test_the_rest_becomes_png_and_says_so(tmp_path: Path, content: bytes, note: str) -> None:
    here = loader(tmp_path)
    (one,) = load(here, data_url(content))
    kept = Image.open(io.BytesIO(here.files.read(one["digest"])))
    assert (one["media_type"], one["note"]) == ("image/png", note)
    red, green, _ = kept.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert (red > 240, green < 20) == (True, True), "of an animation the first frame"


def test_a_lying_type_is_found_out(tmp_path: Path) -> None:
    (one,) = load(loader(tmp_path), data_url(picture("JPEG"), "image/png"))
    assert (one["media_type"], one["note"]) == ("image/jpeg", "it was called image/png and is image/jpeg")


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (data_url(b""), "it is empty"),
        (data_url(b"hello"), "it is no JPEG"),
        (data_url(SVG, "image/svg+xml"), "it is no JPEG"),
        (data_url(picture()[:48]), "it is damaged"),
        (data_url(picture("JPEG", size=(60, 60))[:-120]), "it is damaged"),
        (data_url(bomb()), "million pixels (setting images.max_megapixels)"),
        (data_url(bomb(7_000)), "million pixels (setting images.max_megapixels)"),
        (data_url(picture() + b"\0" * 2**20), "more than 1 MB (setting images.max_mb)"),
        ("data:image/png;base64,%%%", "its data is not base64"),
        ("data:image/png;base64", "it has no comma"),
        ("sha256:" + "0" * 64, "is not in the data folder any more"),
        ("sha256:../../etc/passwd", "no digest"),
        ("one.png", "no ZIP with the images came with the table"),
    ],
)
def test_what_is_no_image_says_why_and_stores_nothing(tmp_path: Path, cell: str, why: str) -> None:
    (one,) = load(loader(tmp_path, max_mb=1), cell)
    assert why in one["problem"]
    assert not list(tmp_path.rglob("*"))


def test_names_lead_into_the_archive_and_nowhere_else(tmp_path: Path) -> None:
    files = {"set/a.png": picture(), "b.png": picture("BMP"), "../up.png": picture(), "x/c.png": b"", "y/c.png": b"",
             "big.png": b"\0" * (3 * 2**20)}  # fmt: skip
    here = loader(tmp_path, open_archive(archive(files)), max_mb=1)
    names = (
        "set/a.png",
        "a.png",
        "set\\a.png",
        "../up.png",
        "/etc/passwd",
        "c.png",
        "x/c.png",
        "no.png",
        "big.png",
        "C:\\a",
    )
    found = load(here, *names)
    assert found[0]["digest"] == found[1]["digest"] == found[2]["digest"]
    whys = [one.get("problem", "")[-42:] for one in found[3:]]
    assert "without / at the start and without .." in whys[0]
    assert "without / at the start and without .." in whys[1]
    assert "c.png is not in the ZIP" in whys[2], "two files have that name"
    assert "it is empty (0 bytes)" in whys[3]
    assert "no.png is not in the ZIP" in whys[4]
    assert "more than 1 MB" in whys[5]
    assert "without .." in whys[6]
    with pytest.raises(Invalid, match="no ZIP"):
        open_archive(io.BytesIO(b"PK\x03\x04 no"))


def test_names_lead_into_the_folder_and_not_out_of_it_by_links(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.png").write_bytes(picture())
    (tmp_path / "out.png").write_bytes(picture())
    (inside / "link.png").symlink_to(tmp_path / "out.png")
    found = load(loader(tmp_path, Folder(inside)), "a.png", "link.png", "../out.png", "b.png", "\0", ".")
    assert found[0]["source"] == "a.png"
    assert "leads out of the folder of the images" in found[1]["problem"]
    assert "without .." in found[2]["problem"]
    assert "No such file" in found[3]["problem"]
    assert all("cannot be read in the folder of the images" in one["problem"] for one in found[4:])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300).map(data_url), st.text(max_size=60).map(lambda t: "data:" + t), st.text(max_size=60)
    )
)
def test_nothing_that_a_cell_can_hold_raises(tmp_path: Path, cell: str) -> None:
    if cell.strip().lower().startswith("http"):
        return
    for one in load(loader(tmp_path, open_archive(archive({"a.png": picture()}))), cell):
        assert one is None or one.get("problem") or one.get("digest")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP"]), st.data())
def test_no_damage_to_an_image_raises(tmp_path: Path, form: str, data: st.DataObject) -> None:
    content = bytearray(picture(form, size=(20, 20)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (one,) = load(loader(tmp_path), data_url(bytes(content)))
    assert one.get("problem") or one["digest"]


def test_an_image_is_stored_once_and_a_cell_brings_it_back(tmp_path: Path) -> None:
    here = loader(tmp_path, open_archive(archive({"a.png": picture(), "b.png": picture()})))
    by_name, twin, in_cell = load(here, "a.png", "b.png", data_url(picture()))
    assert by_name["digest"] == twin["digest"] == in_cell["digest"]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2, "the image and its small one"
    assert (as_cell(by_name), as_cell(in_cell)) == ("a.png", f"sha256:{in_cell['digest']}")
    (again,) = load(loader(tmp_path), as_cell(in_cell))
    assert again["digest"] == in_cell["digest"]
    with pytest.raises(ImageGone):
        here.files.read("0" * 64)


class _Site(ThreadedServer):
    """Serves pictures, redirects and delays."""

    def application(self) -> web.Application:
        async def slow(request: web.Request) -> web.Response:
            import asyncio

            await asyncio.sleep(5)
            return web.Response()

        async def away(request: web.Request) -> web.Response:
            raise web.HTTPFound(request.query["to"])

        async def good(request: web.Request) -> web.Response:
            return web.Response(body=picture(), content_type="text/html")

        async def large(request: web.Request) -> web.Response:
            return web.Response(body=b"\0" * (2 * 2**20))

        app = web.Application()
        pages = {"/good.png": good, "/slow.png": slow, "/away": away, "/large.png": large}
        app.add_routes([web.get(path, handler) for path, handler in pages.items()])
        return app


@pytest.fixture
def site() -> Iterator[_Site]:
    with _Site() as site:
        yield site


def test_web_addresses_are_fetched_within_limits_and_never_on_private_networks(tmp_path: Path, site: _Site) -> None:
    """The site stands for a public one: the guard is told that its name is, and the rest of this machine is not."""
    names = {"pictures.test": ["127.0.0.1"], "inside.test": ["10.0.0.7"]}

    def resolve(host: str, port: int) -> list[str]:
        if host not in names:
            raise socket.gaierror(f"{host} is not known")
        return names[host]

    public = f"http://pictures.test:{site.port}"
    base = loader(tmp_path, max_mb=1, fetch_s=0.5)
    here = Loader(base.files, base.limits, Nowhere(), Guard.of([f"pictures.test:{site.port}"], resolve))
    good, redirected, *failed = load(
        here,
        f"{public}/good.png",
        f"{public}/away?to=/good.png",
        f"{public}/away?to=http://127.0.0.1:{site.port}/good.png",
        f"{public}/away?to=http://inside.test/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://inside.test/a.png",
        f"http://127.0.0.1:{site.port}/good.png",
        f"{public}/none.png",
        f"{public}/slow.png",
        f"{public}/large.png",
        "http://nobody.test/a.png",
        "https://user:secret@pictures.test/a.png",
    )
    assert good["digest"] == redirected["digest"]
    assert good["media_type"] == "image/png", "whatever the server calls it"
    whys = [one["problem"] for one in failed]
    assert [("public addresses only" in why or "no request may go to" in why) for why in whys[:5]] == [True] * 5
    assert "status 404" in whys[5]
    assert "did not answer within 0.5 s" in whys[6]
    assert "more than 1 MB" in whys[7]
    assert "no answer" in whys[8]
    assert "no user name" in whys[9]
