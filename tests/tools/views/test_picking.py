"""pip's own finder takes from a view what the view says it takes, and never a silent CPU build."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.version import Version
from pip._internal.index.package_finder import (
    CandidateEvaluator,
    LinkEvaluator,
)
from pip._internal.models.candidate import InstallationCandidate
from pip._internal.models.link import Link
from pip._internal.models.target_python import TargetPython
from pip._vendor.packaging.specifiers import SpecifierSet as PipSpecifierSet
from pip._vendor.packaging.utils import canonicalize_name

from nvidia_variant_provider.tools.demo.wheels import release_metadata
from nvidia_variant_provider.tools.releases.pages import PageFile
from nvidia_variant_provider.tools.views.model import Interpreter, Source, View, Wanted
from nvidia_variant_provider.tools.views.picking import pick
from nvidia_variant_provider.tools.views.selecting import make_view
from tests.tools.views.machines import machine
from tests.tools.views.stand_in import VARIANTS

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.views.model import Shown

TAGS = [
    "cp310-cp310-manylinux_2_28_x86_64",
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp312-cp312-linux_x86_64",
    "cp313-cp313t-manylinux_2_28_x86_64",
    "cp310-abi3-manylinux_2_17_x86_64",
    "cp310-abi3-manylinux_2_28_aarch64",
    "py3-none-any",
    "cp312-cp312-win_amd64",
]
TARGETS = ["", "v100@580", "h100@550", "rtx-5090@580", "v100+h100@580", "gtx-1080-ti@470"]
MACHINES = {target: machine(target) for target in TARGETS}
RELEASES = ["2.9.0", "2.13.0", "2.14.1", "2.15.0", "2.16.0rc1"]
# 2.17.0 has variants. Of the local versions one is no build of CUDA.
LABELLED = "2.17.0"
LOCALS = ["", "", "+cpu", "+cu126", "+cu129", "+cu130", "+cu132", "+rocm6.3"]
FOLDERS = ["cpu", "cu126", "cu130", "cu132"]


class Python(NamedTuple):
    """An interpreter: its version, its ABI where that is another one, its platforms."""

    version: tuple[int, int]
    abis: tuple[str, ...] = ()
    platforms: tuple[str, ...] = (
        "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64",
    )  # fmt: skip

    @property
    def interpreter(self) -> Interpreter:
        """The tags as ``packaging`` has them."""
        name = f"cp{self.version[0]}{self.version[1]}"
        tags: list[Tag] = [
            *cpython_tags(self.version, self.abis or None, self.platforms),
            *compatible_tags(self.version, name, self.platforms),
        ]
        return Interpreter(tuple(tags), f"{self.version[0]}.{self.version[1]}.0")

    @property
    def target(self) -> TargetPython:
        """The same for pip."""
        return TargetPython(
            platforms=list(self.platforms),
            py_version_info=self.version,
            abis=list(self.abis) or None,
            implementation="cp",
        )


# The tests run with the pip of their environment, which may be of 2023.
IS_OLD = find_spec("pip._internal.models.release_control") is None
PYTHONS = [
    Python((3, 10)),
    Python((3, 12)),
    # Of a Python without a lock pip knew nothing then.
    *(() if IS_OLD else (Python((3, 13), ("cp313t",)),)),
    Python((3, 12), (), ("manylinux_2_28_aarch64",)),
    Python((3, 12), (), ("win_amd64",)),
]


def file_of(name: str, yanked: str | None, python: str) -> PageFile:
    address = f"https://index.example/{name}"
    return PageFile(name, address, yanked=yanked, requires_python=python)


yanks = st.sampled_from([None, None, None, ""])
bounds = st.sampled_from(["", "", ">=3.11"])
builds = st.sampled_from(["", "", "-1", "-2_0"])
wheels = st.builds(
    lambda version, label, build, tags, yanked, python: file_of(
        f"torch-{version}{label}{build}-{tags}.whl", yanked, python
    ),
    st.sampled_from(RELEASES), st.sampled_from(LOCALS), builds, st.sampled_from(TAGS), yanks,
    bounds,
)  # fmt: skip
variants = st.builds(
    lambda label, tags, yanked: file_of(f"torch-{LABELLED}-{tags}-{label}.whl", yanked, ""),
    st.sampled_from([*VARIANTS, "unknown"]),
    st.sampled_from(TAGS),
    yanks,
)
sdists = st.builds(
    lambda version, yanked, python: file_of(f"torch-{version}.tar.gz", yanked, python),
    st.sampled_from(RELEASES),
    yanks,
    bounds,
)
of_folder = st.builds(
    lambda folder, version, has_local, tags, yanked: (
        folder,
        file_of(f"torch-{version}{f'+{folder}' if has_local else ''}-{tags}.whl", yanked, ""),
    ),
    st.sampled_from(FOLDERS), st.sampled_from(RELEASES), st.booleans(), st.sampled_from(TAGS),
    yanks,
)  # fmt: skip
specifiers = st.sampled_from(
    ["", "", "", "==2.14.1", "==2.14.1+cu126", "==2.14.*", "<2.15", ">=2.16.0rc1", "===2.15.0"]
)


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """Make a project: its page on the main index, and the folders of per-CUDA indexes."""
    page = draw(
        st.lists(
            st.one_of(wheels, wheels, variants, sdists), max_size=12, unique_by=lambda it: it.name
        )
    )
    by_label: dict[str, tuple[PageFile, ...]] = {}
    for folder, file in draw(st.lists(of_folder, max_size=8, unique_by=lambda it: it[1].name)):
        by_label[folder] = (*by_label.get(folder, ()), file)
    metadata = {Version(LABELLED): release_metadata(VARIANTS)}
    return Source("torch", tuple(page), by_label, metadata, is_cuda_project=True)


class Question(NamedTuple):
    """What is asked for, by whom; ``is_known`` tells whether the view knows the interpreter."""

    target: str
    python: Python
    asked: str = ""
    prereleases: bool = False
    is_known: bool = True

    def view_of(self, source: Source) -> View:
        """Return the view as ``run`` and ``explain --through-view`` make it."""
        known = self.python.interpreter if self.is_known else None
        asked = {source.project: self.asked} if self.asked else {}
        wanted = Wanted(MACHINES[self.target], known, prereleases=self.prereleases, asked=asked)
        return make_view(source, wanted)

    def predicted(self, view: View) -> Shown | None:
        """Return the file that ``explain --through-view`` says."""
        return pick(view, self.python.interpreter, self.asked, prereleases=self.prereleases)


questions = st.builds(
    Question, st.sampled_from(TARGETS), st.sampled_from(PYTHONS), specifiers, st.booleans(),
    st.booleans(),
)  # fmt: skip


def _prereleases(are_wanted: bool) -> dict[str, Any]:  # noqa: FBT001 - pip's own argument
    """Return what tells a pip of its age whether prereleases are wanted."""
    if IS_OLD:
        return {"allow_all_prereleases": are_wanted}
    control = import_module("pip._internal.models.release_control").ReleaseControl()
    if are_wanted:
        control.handle_mutual_excludes(":all:", control.all_releases, control.only_final, "x")
    return {"release_control": control}


def pip_takes(view: View, question: Question) -> str | None:
    """Ask pip's finder which of a page's files it would install."""
    target, specifier = question.python.target, PipSpecifierSet(question.asked)
    evaluator = LinkEvaluator(
        project_name="torch",
        canonical_name=canonicalize_name("torch"),
        formats=frozenset({"binary", "source"}),
        target_python=target,
        allow_yanked=True,
    )
    candidates = []
    for shown in view.files:
        link = Link(
            f"https://view.example/{shown.name}",
            requires_python=shown.file.requires_python or None,
            yanked_reason=shown.file.yanked,
        )
        outcome, version = evaluator.evaluate_link(link)
        if outcome.name == "candidate":
            candidates.append(InstallationCandidate("torch", str(version), link))
    finder = CandidateEvaluator.create(
        "torch", target_python=target, specifier=specifier, **_prereleases(question.prereleases)
    )
    usable = finder.get_applicable_candidates(candidates)
    # As its resolver has it, which takes the last one: yanked files are for pins that nothing else
    # satisfies.
    is_pinned = any(
        clause.operator in {"==", "==="} and not clause.version.endswith(".*")
        for clause in specifier
    )
    are_yanked = is_pinned and all(candidate.link.is_yanked for candidate in usable)
    names = [it.link.filename for it in usable if are_yanked or not it.link.is_yanked]
    return names[-1] if names else None


def check(source: Source, question: Question) -> None:
    """Hold what is predicted, and what is said of its version, to what pip takes."""
    view = question.view_of(source)
    predicted = question.predicted(view)

    assert pip_takes(view, question) == (predicted.name if predicted else None)
    if predicted is None or predicted.wheel is None or not question.is_known:
        return
    row = next(it for it in view.versions if predicted in it.shown)

    assert not row.hidden
    assert row.best == predicted.build


# The CPU build has more interpreters and the newer version for pip: it must not be shown.
WORSE_FOR_ALL = Source(
    "torch",
    tuple(
        file_of(f"torch-2.14.1{local}-{tags}.whl", None, "")
        for local, tags in (("", TAGS[1]), ("+cpu", TAGS[4]))
    ),
    is_cuda_project=True,
)


# A yanked version is enough for pip not to take a prerelease, and is not taken itself.
YANKED_AND_PRE = Source(
    "torch",
    (
        file_of(f"torch-2.15.0-{TAGS[1]}.whl", "", ""),
        file_of(f"torch-2.16.0rc1-{TAGS[1]}.whl", None, ""),
    ),
    is_cuda_project=True,
)


@given(sources(), questions)
@example(YANKED_AND_PRE, Question("v100@580", PYTHONS[1]))
@example(WORSE_FOR_ALL, Question("rtx-5090@580", PYTHONS[1]))
@settings(max_examples=120)
def test_pip_takes_what_is_predicted(source: Source, question: Question) -> None:
    check(source, question)


@pytest.mark.deep
@given(sources(), questions)
def test_pip_takes_what_is_predicted_of_fresh_pages(source: Source, question: Question) -> None:
    check(source, question)


@given(sources(), questions)
@settings(max_examples=60)
def test_no_cpu_build_is_taken_while_a_version_has_one_for_the_gpu(
    source: Source, question: Question
) -> None:
    question = question._replace(asked="", is_known=True)
    view = question.view_of(source)
    taken = question.predicted(view)
    with_gpu = [
        it
        for it in view.versions
        if it.best is not None and it.best.tier.is_gpu
        and (question.prereleases or not it.version.is_prerelease) and not it.is_yanked
    ]  # fmt: skip

    if MACHINES[question.target].cuda is not None and with_gpu:
        assert taken is not None
        # A newer version that is there as source alone is what pip takes with or without a view.
        assert taken.wheel is None or (taken.build is not None and taken.build.tier.is_gpu)


@given(sources(), questions)
@settings(max_examples=60)
def test_a_build_that_is_asked_for_by_its_label_is_the_one_that_is_taken(
    source: Source, question: Question
) -> None:
    question = question._replace(asked="==2.14.1+cu126")
    taken = pip_takes(question.view_of(source), question)

    assert taken is None or taken.startswith("torch-2.14.1+cu126-")


@given(sources(), questions)
def test_what_is_shown_was_on_the_page_and_each_name_stands_once(
    source: Source, question: Question
) -> None:
    view = question.view_of(source)
    names = [it.name for it in view.files]
    listed = {*source.files, *(file for files in source.cuda_files.values() for file in files)}

    assert len(names) == len(set(names))
    assert {it.file for it in view.files} <= listed
