"""The link to the documentation that scikit-learn draws as a "?" in the HTML of an estimator."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

__all__ = ["DocumentationLink"]


@cache
def documentation_address() -> str:
    """Return the address of the documentation that the package names as its ``Documentation``, or an empty text."""
    try:
        addresses = metadata("ksparse").get_all("Project-URL") or []
    except PackageNotFoundError:  # used from a checkout
        return ""
    by_label = dict(address.split(", ", 1) for address in addresses)
    return by_label.get("Documentation", "").rstrip("/")


class DocumentationLink:
    """Estimators whose page in the documentation is found by their public name."""

    _doc_link_module = "ksparse"

    @property
    def _doc_link_template(self) -> str:
        address = documentation_address()
        return address and address + "/generated/ksparse.{estimator_name}.html"

    @_doc_link_template.setter
    def _doc_link_template(self, value: Any) -> None:
        raise AttributeError("the address of the documentation is that of the package")
