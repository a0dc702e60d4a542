"""The pages of datasets: the list, the upload with its preview, one dataset with its rows, figures and split,
its labels and versions."""

from app.web.datasets import browse, labels, show, upload
from app.web.datasets.page import pages

__all__ = ["browse", "labels", "pages", "show", "upload"]
