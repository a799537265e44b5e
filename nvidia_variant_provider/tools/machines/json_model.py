"""Machine files, machine records, and what ``detect --json`` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nvidia_variant_provider.tools.documents import JsonModel


class PlatformModel(JsonModel):
    """The interpreter's surroundings."""

    system: str = Field(description="sys.platform", examples=["linux", "win32"])
    architecture: str = Field(description="the interpreter's", examples=["x86_64", "aarch64"])
    libc: str = Field("", description="glibc, musl, or empty")


class GpuModel(JsonModel):
    """One GPU as far as it is known."""

    name: str
    uuid: str
    pci_address: str = Field(examples=["0000:02:00.0"])
    compute_capability: str | None = Field(examples=["9.0"])
    integrated: bool | None
    source: str = Field(description="who answered for the capability")
    memory_mib: int | None = Field(None, description="the GPU's memory in MiB", examples=[81559])


class NoteModel(JsonModel):
    """A remark: a stable code that docs/status.md explains, and a sentence."""

    code: str
    text: str


class MachineModel(JsonModel):
    """A machine: the input of the rules, and what NV_VARIANT_PROVIDER_MACHINE reads."""

    schema_version: Literal[1]
    platform: PlatformModel
    status: Literal[
        "ok",
        "driver-no-gpu",
        "gpu-no-driver",
        "blocked",
        "broken",
        "timeout",
        "none",
        "pinned",
    ]
    reason: str
    driver_release: str | None = Field(examples=["580.65.06"])
    driver_source: str
    cuda_driver_version: str | None = Field(examples=["13.0"])
    cuda_source: str
    cuda_derived: bool = Field(description="concluded from the driver branch")
    cuda_forced: bool = Field(default=False, description="set by the user")
    tegra: bool
    gpus: list[GpuModel]
    notes: list[NoteModel]


class BinaryFile(JsonModel):
    """A file that is looked at, not read."""

    size: int
    head: str = Field("", description="its first bytes in hexadecimal")


class PresentEntry(JsonModel):
    """A folder, a device node, or anything else that only has to exist."""

    present: Literal[True]


class LinkEntry(JsonModel):
    """A symbolic link, with the size and first bytes of what it leads to if that was looked at."""

    link: str
    size: int | None = None
    head: str = ""


class ErrorEntry(JsonModel):
    """A file that cannot be read."""

    error: str = Field(examples=["EACCES"])


class LibraryReply(JsonModel):
    """What a child process said that loaded a library."""

    api: Literal["nvml", "cuda", "devices", "health", "open"] = Field(
        description="devices: the configuration manager of Windows, asked what is present; health: "
        "NVML, asked why GPUs do not compute; open: the control node, and why it does not open"
    )
    path: str = Field(description="a full path, or the soname given to the loader")
    end: str = Field("exit 0", examples=["exit 0", "signal 11", "timeout", "not started: ..."])
    seconds: float = 0.0
    lines: list[str] = Field(examples=[["init\t0", "cuda\t0\t13000"]])


class ProgramReply(JsonModel):
    """What a program printed on its standard output."""

    arguments: list[str]
    end: str = "exit 0"
    seconds: float = 0.0
    lines: list[str]


class ObservedModel(JsonModel):
    """What a machine answered, in the raw."""

    platform: PlatformModel
    forged: bool = Field(False, description="a folder that stands for a machine was probed")  # noqa: FBT003
    environment: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str | BinaryFile | PresentEntry | LinkEntry | ErrorEntry] = Field(
        default_factory=dict, description="text of a file, or what is there; the rest is absent"
    )
    registry: list[str] = Field(
        default_factory=list, description="device ids of vendor 10de that Windows enumerated"
    )
    libraries: list[LibraryReply] = Field(default_factory=list)
    programs: list[ProgramReply] = Field(default_factory=list)


class AboutModel(JsonModel):
    """Where a state of the corpus comes from."""

    name: str
    group: str
    title: str
    sources: list[str]
    assumed: list[str] = Field(
        default_factory=list, description="what the source does not say and the record holds"
    )


class ExpectedModel(JsonModel):
    """What detection must make of the observations."""

    status: str
    driver_release: str | None
    cuda_driver_version: str | None
    cuda_derived: bool = False
    compute_capabilities: list[str]
    notes: list[str] = Field(default_factory=list, description="codes that must be among the notes")
    supported: list[str] = Field(default_factory=list, examples=[["sm_arch :: 90_real"]])
    unsupported: list[str] = Field(default_factory=list)


class RecordModel(JsonModel):
    """A machine record: observations, with the result then made of them or the one expected."""

    schema_version: Literal[1]
    recorded_by: str | None = None
    private_data: Literal["masked", "kept"] | None = None
    about: AboutModel | None = None
    observed: ObservedModel
    result: MachineModel | None = None
    expected: ExpectedModel | None = None


class StepModel(JsonModel):
    """One probe of the trail."""

    probe: str
    source: str
    found: bool
    detail: str
    seconds: float


class FeatureModel(JsonModel):
    """One feature that an installer gets, its most preferred value first."""

    name: str
    values: list[str]


class DetectionModel(MachineModel):
    """A machine file, with the trail, the advice, and what an installer gets."""

    code: str = Field(examples=["NVP-BLOCKED"])
    help: str = Field(description="the section of the documentation on this status")
    advice: list[str]
    rules: int
    features: list[FeatureModel]
    feature_notes: list[NoteModel]
    trail: list[StepModel]
