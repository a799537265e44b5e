"""Addresses with spaces and letters of any language, as they are sent."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.tools.releases.addresses import encoded


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://host/simple/?a=b", "https://host/simple/?a=b"),
        ("https://host/a b/x%20y.whl", "https://host/a%20b/x%20y.whl"),
        ("https://host/\u00e9/?q=\u00e9 1", "https://host/%C3%A9/?q=%C3%A9%201"),
        ("file:///a b/x+cu126.whl", "file:///a%20b/x+cu126.whl"),
    ],
)
def test_what_cannot_be_sent_is_percent_encoded_and_the_rest_stays(address: str, sent: str) -> None:
    assert (encoded(address), encoded(sent)) == (sent, sent)
