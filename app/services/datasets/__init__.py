"""Datasets: looked at before the import, imported whole or not at all, listed, searched, divided, deleted."""

from app.services.datasets.export import export_csv
from app.services.datasets.importing import Columns, Preview, import_file, limits_of, preview
from app.services.datasets.library import delete, examples, get, list_datasets, searched_up_to, split_preview
from app.services.datasets.looks import Looks, looks
from app.services.datasets.pictures import has_images, marked_rows, pictures_of
from app.services.datasets.samples import BundledSample, import_sample, sample_files, samples_to_import

__all__ = [
    "BundledSample",
    "Columns",
    "Looks",
    "Preview",
    "delete",
    "examples",
    "export_csv",
    "get",
    "has_images",
    "import_file",
    "import_sample",
    "limits_of",
    "list_datasets",
    "looks",
    "marked_rows",
    "pictures_of",
    "preview",
    "sample_files",
    "samples_to_import",
    "searched_up_to",
    "split_preview",
]
