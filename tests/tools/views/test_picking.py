"""pip's own finder takes from a view what the view says it takes, and never a silent CPU build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.tags import Tag, compatible_tags, cpython_tags
from pip._internal.index.package_finder import (
    CandidateEvaluator,
    LinkEvaluator,
)
from pip._internal.models.candidate import InstallationCandidate
from pip._internal.models.link import Link
from pip._internal.models.target_python import TargetPython
from pip._vendor.packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.views.model import Interpreter, Source, View, Wanted
from nvidia_variant_provider.tools.views.picking import pick
from nvidia_variant_provider.tools.views.selecting import make_view
from tests.tools.views.machines import machine

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.views.model import Shown

PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64"]
TAGS = [
    "cp310-cp310-manylinux_2_28_x86_64",
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp312-cp312-linux_x86_64",
    "cp310-abi3-manylinux_2_17_x86_64",
    "py3-none-any",
    "cp312-cp312-win_amd64",
]
TARGETS = ["", "v100@580", "h100@550", "rtx-5090@580", "v100+h100@580", "gtx-1080-ti@470"]
MACHINES = {target: machine(target) for target in TARGETS}
files = st.builds(
    lambda version, label, tags, yanked, python: PageFile(
        f"torch-{version}{label}-{tags}.whl",
        f"https://index.example/torch-{version}{label}-{tags}.whl",
        yanked=yanked,
        requires_python=python,
    ),
    st.sampled_from(["2.9.0", "2.13.0", "2.14.1", "2.15.0", "2.16.0rc1"]),
    st.sampled_from(["", "", "+cpu", "+cu126", "+cu129", "+cu130", "+cu132"]),
    st.sampled_from(TAGS),
    st.sampled_from([None, None, None, ""]),
    st.sampled_from(["", "", ">=3.11"]),
)
pages = st.lists(files, max_size=12, unique_by=lambda it: it.name)
targets = st.sampled_from(TARGETS)
pythons = st.sampled_from([(3, 10), (3, 12)])


def interpreter(python: tuple[int, int]) -> Interpreter:
    tags: list[Tag] = [
        *cpython_tags(python, platforms=PLATFORMS),
        *compatible_tags(python, f"cp{python[0]}{python[1]}", PLATFORMS),
    ]
    return Interpreter(tuple(tags), f"{python[0]}.{python[1]}.0")


def view_of(page: list[PageFile], target: str, python: Interpreter | None) -> View:
    source = Source("torch", tuple(page), is_cuda_project=True)
    return make_view(source, Wanted(MACHINES[target], python))


def pip_takes(view: View, python: tuple[int, int]) -> str | None:
    """Ask pip's finder which of a page's files it would install."""
    target = TargetPython(platforms=PLATFORMS, py_version_info=python, implementation="cp")
    evaluator = LinkEvaluator(
        project_name="torch",
        canonical_name=canonicalize_name("torch"),
        formats=frozenset({"binary"}),
        target_python=target,
        allow_yanked=False,
    )
    found = []
    for shown in view.files:
        link = Link(
            f"https://view.example/{shown.name}",
            requires_python=shown.file.requires_python or None,
            yanked_reason=shown.file.yanked,
        )
        outcome, version = evaluator.evaluate_link(link)
        if outcome.name == "candidate":
            found.append(InstallationCandidate("torch", str(version), link))
    finder = CandidateEvaluator.create("torch", target_python=target)
    best = finder.compute_best_candidate(found).best_candidate
    return best.link.filename if best else None


def name_of(shown: Shown | None) -> str | None:
    return shown.name if shown else None


@given(pages, targets, pythons, st.booleans())
@settings(max_examples=300)
def test_pip_takes_what_is_predicted(
    page: list[PageFile],
    target: str,
    python: tuple[int, int],
    is_known: bool,  # noqa: FBT001
) -> None:
    known = interpreter(python)
    view = view_of(page, target, known if is_known else None)

    assert pip_takes(view, python) == name_of(pick(view, known))


@given(pages, targets, pythons)
@settings(max_examples=300)
def test_no_cpu_build_is_taken_while_a_version_has_one_for_the_gpu(
    page: list[PageFile], target: str, python: tuple[int, int]
) -> None:
    known = interpreter(python)
    view = view_of(page, target, known)
    taken = pick(view, known)
    with_gpu = [
        it
        for it in view.versions
        if it.best is not None and it.best.tier.is_gpu
        and not it.version.is_prerelease and not it.is_yanked
    ]  # fmt: skip

    if MACHINES[target].cuda is not None and with_gpu:
        assert taken is not None
        assert taken.build is not None
        assert taken.build.tier.is_gpu


@given(pages, targets, pythons)
def test_what_is_shown_was_on_the_page_and_each_name_stands_once(
    page: list[PageFile], target: str, python: tuple[int, int]
) -> None:
    view = view_of(page, target, interpreter(python))
    names = [it.name for it in view.files]

    assert len(names) == len(set(names))
    assert {it.file for it in view.files} <= set(page)
