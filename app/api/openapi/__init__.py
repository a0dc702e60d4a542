"""The OpenAPI document of the JSON API, made from what each route says about itself."""

from app.api.openapi.describe import Parameter, describe, paged, whole
from app.api.openapi.document import document

__all__ = ["Parameter", "describe", "document", "paged", "whole"]
