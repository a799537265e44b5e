"""The JSON document of ``inspect``: device code per library, coverage, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nvidia_variant_provider.tools.binaries import elsewhere, gpu_shares, ptx, runtime
from nvidia_variant_provider.tools.binaries.findings import findings_of
from nvidia_variant_provider.tools.documents import FailureModel, JsonDocument, JsonModel
from nvidia_variant_provider.tools.findings.json_model import FindingModel
from nvidia_variant_provider.tools.findings.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvidia_variant_provider.tools.binaries.report import (
        Contents,
        Library,
        Profile,
        Tally,
    )
    from nvidia_variant_provider.tools.findings.selection import Selection


class ImageModel(JsonModel):
    """Images that are alike, counted together."""

    kind: Literal["ptx", "cubin", "lto", "tile", "other"]
    target: str = Field(description="number and suffix of the target, such as '90a'")
    arch: str | None = Field(description="SM architecture, such as '90a_real'; null for LTO")
    content: Literal["kernels", "stub", "presumed-kernels", "presumed-stub"]
    compression: Literal["none", "lz4", "zstd"]
    ptx_isa: str | None = Field(description="PTX ISA version, such as '8.7'; of PTX only")
    needs_cuda: str | None = Field(description="oldest CUDA driver version that compiles the PTX")
    count: int
    stored_bytes: int
    bytes: int

    @classmethod
    def of(cls, tally: Tally) -> ImageModel:
        """Build the model of one tally."""
        image = tally.image
        first = ptx.first_cuda(image.isa) if image.isa else None
        return cls.model_validate(
            {
                "kind": image.kind.value,
                "target": f"{image.number}{image.suffix}",
                "arch": str(image.arch) if image.arch else None,
                "content": image.content.value,
                "compression": image.compression,
                "ptx_isa": ".".join(map(str, image.isa)) if image.isa else None,
                "needs_cuda": str(first) if first else None,
                "count": tally.count,
                "stored_bytes": tally.stored,
                "bytes": tally.size,
            }
        )


class ProfileModel(JsonModel):
    """A set of architectures, and how many containers offer exactly that set."""

    archs: list[str]
    containers: int


class GpuModel(JsonModel):
    """Containers with kernels that serve the GPUs of one compute capability."""

    compute_capability: str
    native: int
    jit: int
    uncovered: int


class GpuSharesModel(JsonModel):
    """Kernel-bearing containers by GPU, and the three short answers."""

    containers: int
    gpus: list[GpuModel]
    union: list[str]
    full: list[str]
    dominant: list[str]
    profiles: list[ProfileModel]

    @classmethod
    def of(cls, profiles: Sequence[Profile]) -> GpuSharesModel:
        """Build the model for the profiles of one or more libraries."""
        matrix = gpu_shares.build_matrix(profiles)
        return cls(
            containers=sum(profile.count for profile in profiles),
            gpus=[_gpu(row) for row in matrix.rows],
            union=[str(arch) for arch in matrix.union],
            full=[str(arch) for arch in matrix.full],
            dominant=[str(arch) for arch in matrix.dominant],
            profiles=[
                ProfileModel(archs=[str(arch) for arch in profile.archs], containers=profile.count)
                for profile in profiles
            ],
        )


def _gpu(row: gpu_shares.GpuShare) -> GpuModel:
    return GpuModel(
        compute_capability=str(row.gpu), native=row.native, jit=row.jit, uncovered=row.uncovered
    )


class CudaLibraryModel(JsonModel):
    """A CUDA library that a file is linked with, and the CUDA majors that ship it."""

    file: str
    library: str
    cuda_majors: list[int]


class BoundsModel(JsonModel):
    """Oldest CUDA driver version: by minor-version compatibility, and strictly."""

    compatible: str | None
    strict: str | None
    evidence: list[str]

    @classmethod
    def of(cls, bounds: runtime.Bounds) -> BoundsModel:
        """Build the model of a pair of bounds."""
        return cls(
            compatible=str(bounds.compatible) if bounds.compatible else None,
            strict=str(bounds.strict) if bounds.strict else None,
            evidence=list(bounds.evidence),
        )


class LibraryModel(JsonModel):
    """One file with device code, or linked with CUDA."""

    path: str
    form: Literal["elf", "pe", "archive", "fatbin", "cubin", "ptx", "data"]
    machine: str
    bytes: int
    files: int = Field(description="above 1 where many loose cubins or PTX files are summed up")
    vendored: bool
    role: Literal[
        "own",
        "a copy of a library",
        "a fixture of tests",
        "a static archive for linking",
        "the same library once more",
        "a build with less beside the whole one",
    ] = Field(description="only the wheel's own libraries are counted")
    signs: list[str] = Field(description="signs of device code that is not embedded as such")
    containers: int
    places: dict[str, int]
    images: list[ImageModel]
    bare_images: list[ImageModel]
    toolkits: list[str]
    needed: list[str]
    cuda_libraries: list[CudaLibraryModel]
    cudart: Literal["none", "static", "dynamic", "hybrid"]
    bounds: BoundsModel
    coverage: GpuSharesModel

    @classmethod
    def of(cls, library: Library) -> LibraryModel:
        """Build the model of one library."""
        linked = runtime.cuda_libraries(library)
        return cls.model_validate(
            {
                "path": library.path,
                "form": library.form,
                "machine": library.machine,
                "bytes": library.size,
                "files": library.files,
                "vendored": library.vendored,
                "role": library.role.value,
                "signs": sorted(sign.value for sign in library.signs),
                "containers": library.containers,
                "places": dict(library.places),
                "images": [ImageModel.of(tally) for tally in library.images],
                "bare_images": [ImageModel.of(tally) for tally in library.bare],
                "toolkits": [str(toolkit) for toolkit in library.all_toolkits],
                "needed": list(library.needed),
                "cuda_libraries": [
                    {"file": link.file, "library": link.library, "cuda_majors": list(link.majors)}
                    for link in linked
                ],
                "cudart": runtime.cudart_of(library).value,
                "bounds": BoundsModel.of(runtime.library_bounds(library)),
                "coverage": GpuSharesModel.of(library.profiles),
            }
        )


class RequirementModel(JsonModel):
    """A requirement on a CUDA library in the wheel's metadata."""

    package: str
    text: str
    cuda: str
    optional: bool


class FileModel(JsonModel):
    """What lies in one file or folder that was asked for."""

    path: str
    form: str
    libraries: list[LibraryModel]
    other_files: int = Field(description="files read that neither hold device code nor use CUDA")
    requirements: list[RequirementModel]
    device_code: Literal["embedded", "elsewhere", "perhaps elsewhere", "unknown", "none"] = Field(
        description="whether the wheel has code of its own, and where else it comes from; `none`"
        " and `perhaps elsewhere` alone may be a CPU wheel"
    )
    cuda_evidence: list[str] = Field(
        description="what tells that code is made at run time or lies elsewhere"
    )
    coverage: GpuSharesModel
    bounds: BoundsModel
    alternatives: list[str] = Field(description="compatible bound of each CUDA major in the wheel")
    needs_driver: bool
    is_complete: bool = Field(
        description="false where a part could not be read or lies in an archive that was not"
    )
    findings: list[FindingModel] = Field(description="what is off in it; `key` is the member")

    @classmethod
    def of(cls, contents: Contents, path: str = "", selection: Selection = EVERYTHING) -> FileModel:
        """Build the model of all that was read; ``path`` names it otherwise than it was opened."""
        needs = runtime.runtime_of(contents)
        shown = [
            library for library in contents.libraries if runtime.is_cuda(library) or library.signs
        ]
        return cls(
            path=path or contents.path,
            form=contents.form,
            libraries=[LibraryModel.of(library) for library in shown],
            other_files=len(contents.libraries) - len(shown),
            requirements=[
                RequirementModel(
                    package=requirement.package,
                    text=requirement.text,
                    cuda=requirement.cuda,
                    optional=requirement.optional,
                )
                for requirement in contents.requirements
            ],
            device_code=elsewhere.place_of(contents).value,
            cuda_evidence=[clue.text for clue in elsewhere.evidence_of(contents)],
            coverage=GpuSharesModel.of(gpu_shares.merge(contents.own)),
            bounds=BoundsModel.of(needs.bounds),
            alternatives=[str(version) for version in needs.alternatives],
            needs_driver=needs.needs_driver,
            is_complete=not contents.unread and not contents.packed,
            findings=[
                FindingModel.of(finding, path) for finding in findings_of(contents, selection)
            ],
        )


class Inspection(JsonDocument):
    """The document that ``inspect --json`` prints."""

    files: list[FileModel]
    failures: list[FailureModel]

    @classmethod
    def of(
        cls,
        contents: Iterable[Contents],
        failures: Iterable[tuple[str, str]],
        selection: Selection = EVERYTHING,
    ) -> Inspection:
        """Build the document from what was read and what could not be read."""
        return cls(
            files=[FileModel.of(read, selection=selection) for read in contents],
            failures=[FailureModel(path=path, error=error) for path, error in failures],
        )
