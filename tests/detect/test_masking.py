"""What is private does not leave the machine; what was one thing stays one thing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvidia_variant_provider.detect.masking import Masker, masker_for

UUID = "GPU-f15ae561-21b1-6003-c768-861fc285203b"
PLAIN = "f15ae56121b16003c768861fc285203b"
MASKED = "GPU-00000000-0000-0000-0000-000000000001"

uuids = st.uuids().map(str)


def test_one_uuid_has_one_mask_in_every_spelling() -> None:
    masker = Masker()
    texts = [
        f"uuid\t0\t0\t{UUID}",
        f"uuid\t0\t0\t{PLAIN}",
        UUID.upper(),
        UUID[:12],
    ]

    masked = [masker.mask_text(text) for text in texts]

    assert masked == [f"uuid\t0\t0\t{MASKED}", f"uuid\t0\t0\t{1:032x}", MASKED, MASKED]


@given(st.lists(uuids, min_size=2, max_size=5, unique=True))
def test_different_uuids_have_different_masks_and_none_is_left(found: list[str]) -> None:
    masker = Masker()

    masked = [masker.mask_text(f"GPU-{uuid}, MIG-{uuid}") for uuid in found]

    assert len(set(masked)) == len(found)
    assert not any(uuid in text for uuid in found for text in masked if uuid.strip("0-"))


def test_masking_twice_is_masking_once() -> None:
    masker = Masker()
    once = masker.mask_text(f"{UUID} MIG-{PLAIN[:8]}-21b1-6003-c768-861fc285203c")

    assert masker.mask_text(once) == once


def test_an_all_zero_uuid_stays_since_it_means_that_there_is_none() -> None:
    text = f"uuid\t0\t0\t{'0' * 32}"

    assert Masker().mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/home/alice/lib:/usr/lib64", "/home/user/lib:/usr/lib64"),
        ("/data/people/alice/cuda", "/home/user/cuda"),
        ("C:\\Users\\Alice B\\x", "C:\\Users\\user B\\x"),
        ("Release Build  (alice@gpu-box)  Mon", "Release Build  (builder@host)  Mon"),
        ("owned by alice on gpu-box", "owned by user on host"),
        ("malice on gpu-boxes", "malice on gpu-boxes"),
    ],
)
def test_names_and_homes_are_masked_and_look_alikes_are_not(text: str, masked: str) -> None:
    masker = masker_for({"USER": "alice", "HOME": "/data/people/alice"}, "gpu-box.example")

    assert masker.mask_text(text) == masked


def test_a_user_called_nvidia_does_not_mask_the_trade() -> None:
    masker = masker_for({"USER": "nvidia", "HOME": "/home/nvidia"}, "ubuntu")

    assert masker.mask_text("/proc/driver/nvidia/version") == "/proc/driver/nvidia/version"
    assert masker.mask_text("/home/nvidia/lib") == "/home/user/lib"


@pytest.mark.parametrize(
    ("user", "masked"), [("eve", "owned by user"), ("ed", "owned by ed")], ids=["three", "two"]
)
def test_names_of_two_letters_would_mask_too_much(user: str, masked: str) -> None:
    assert masker_for({"USER": user}, "").mask_text(f"owned by {user}") == masked


def test_keys_and_nested_values_are_masked() -> None:
    value = {"files": {"/home/alice/libcuda.so.1": {"link": [UUID, 3, None]}}}

    masked = json.dumps(Masker().mask(value))

    assert (
        masked == f'{{"files": {{"/home/user/libcuda.so.1": {{"link": ["{MASKED}", 3, null]}}}}}}'
    )
