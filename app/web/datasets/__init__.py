"""The pages of datasets: the list, the upload with its preview, one dataset with its rows, figures and split."""

from app.web.datasets import browse, show, upload
from app.web.datasets.page import pages

__all__ = ["browse", "pages", "show", "upload"]
