"""Images over the API: a table with its ZIP in one upload, what became of them, and the pictures themselves."""

from __future__ import annotations

import io

from tests.api.conftest import BASE, Api
from tests.services.pictures.drawn import archive, data_url, picture


def test_a_table_comes_with_its_images(web: Api) -> None:
    table = f'image,text,kind\na.png,x,red\nnone.png,x,blue\n"{data_url(picture("JPEG"))}",,green\n'.encode()
    sent = {
        "file": (io.BytesIO(table), "cards.csv"),
        "images": (archive({"a.png": picture()}), "cards.zip"),
        "input_column": "text",
        "answer_column": "kind",
    }
    made = web.read(web.client.post(BASE + "/datasets", data=sent), 201)
    images = made["report"]["images"]
    assert (images["rows"], images["loaded"]) == (3, 2)
    assert images["problems"] == [{"row": 2, "reason": "none.png is not in the ZIP"}]
    first, second, third = (one["image"] for one in web.get("/datasets/cards/examples")["items"])
    assert (first["source"], first["media_type"], first["width"], first["height"]) == ("a.png", "image/png", 8, 6)
    assert (second["problem"], third["source"]) == ("none.png is not in the ZIP", "data URL")
    whole = web.client.get(f"{BASE}/datasets/images/{third['digest']}")
    assert (whole.mimetype, whole.data) == ("image/jpeg", picture("JPEG"))
    assert web.client.get(f"{BASE}/datasets/images/{third['digest']}?size=small").mimetype == "image/png"
    web.get("/datasets/images/" + "0" * 64, status=404)
    sent = {"file": (io.BytesIO(table), "b.csv"), "images": (io.BytesIO(b"no"), "b.zip")}
    refused = web.read(web.client.post(BASE + "/datasets", data=sent), 422)
    assert refused["errors"][0]["field"] == "images"
