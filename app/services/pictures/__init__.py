"""Images of a dataset from a cell of its table to a stored, checked file: every one that fails says why, and keeps its row."""

from app.services.pictures.archive import Archive, Folder, Nowhere, Place, open_archive
from app.services.pictures.decoding import BadImage, Checked, checked
from app.services.pictures.loading import Loader, Loading, as_cell, figures, kind_of, report

__all__ = [
    "Archive",
    "BadImage",
    "Checked",
    "Folder",
    "Loader",
    "Loading",
    "Nowhere",
    "Place",
    "as_cell",
    "checked",
    "figures",
    "kind_of",
    "open_archive",
    "report",
]
