"""A file as pages list it: what every installer can read, and old ones do not stumble over."""

from __future__ import annotations

from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.releases.rendering import entry_of, link_to

FILE = PageFile("demo-1.0-py3-none-any.whl", "demo.whl", sha256="aa", core_metadata="bb")


def test_metadata_beside_a_wheel_has_no_name_that_pip_23_0_reads() -> None:
    assert link_to(FILE) == (
        '<a href="demo.whl#sha256=aa" data-core-metadata="sha256=bb">demo-1.0-py3-none-any.whl</a>'
        "<br>"
    )
    assert entry_of(FILE) == {
        "filename": "demo-1.0-py3-none-any.whl",
        "url": "demo.whl",
        "hashes": {"sha256": "aa"},
        "core-metadata": {"sha256": "bb"},
    }
