"""The order in which a machine is asked, and when it has been asked enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.answer import LibraryAnswer, parse_answer
from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.kernel import KernelView, PciGpu, is_open_module, read_kernel
from nvidia_variant_provider.detect.libraries import (
    WSL_FOLDERS,
    Candidate,
    candidates,
    installed_release,
    search_path,
    shadowing,
)
from nvidia_variant_provider.detect.observations import (
    REJECTED_INITS,
    Observations,
    wants_libcuda,
    wants_smi,
)
from nvidia_variant_provider.detect.outcome import Hit, Miss, MissReason, Step
from nvidia_variant_provider.detect.reconcile import answering_gpus, reconcile
from nvidia_variant_provider.model import Machine, Note, Status
from nvidia_variant_provider.value_types import dataclass, field, replace

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import End
    from nvidia_variant_provider.detect.host import Host
    from nvidia_variant_provider.detect.smi import SmiAnswer
    from nvidia_variant_provider.detect.surroundings import Surroundings

DEFAULT_SECONDS: Final = 10.0

# NVML may hang while libcuda answers, so this much time is left for libcuda, at most half of all.
# More would be taken from NVML, which was seen to need five seconds where an adapter fails.
CUDA_SECONDS: Final = 2.5
# The part of all time that is left for ending children that do not want to end.
RESERVE: Final = 0.05

# Listing the devices of Windows takes a fraction of this.
DEVICES_SECONDS: Final = 0.5

# Every candidate costs an interpreter start.
MAX_ATTEMPTS: Final = 5

# With these answers another copy of the library may do better; any other is about the machine.
_TRY_ANOTHER: Final = {"nvml": frozenset({12, 13, 18}), "cuda": REJECTED_INITS}


@dataclass(frozen=True, slots=True)
class Detection:
    """A machine and the trail of every probe that was tried, in order."""

    machine: Machine
    trail: tuple[Step, ...]
    surroundings: Surroundings | None = None


def detect(host: Host, seconds: float = DEFAULT_SECONDS, *, confirm: bool = False) -> Detection:
    """Find out what this machine is, within ``seconds``; never raises for a machine's condition.

    Raises ``OSError`` where this process has no descriptor left, or may start no other process and
    files do not tell enough: see ``WantError``.

    With ``confirm``, CUDA is started even where NVML has answered everything. That finds faults
    which matter to a person and change nothing of what an installer gets.
    """
    return Cascade(host, seconds, confirm).run()


@dataclass(slots=True)
class Cascade:
    """One detection while it goes on: what was asked, and the time that is left."""

    host: Host
    seconds: float
    confirm: bool = False
    trail: list[Step] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    started: float = 0.0
    foreign_files: bool = False
    dangling: str = ""
    reserved: float = 0.0
    surroundings: Surroundings | None = None
    not_started: End | None = None

    def run(self) -> Detection:
        """Find out what the machine is."""
        self.started = self.host.monotonic()
        system = self.host.platform.system
        if system == "linux":
            machine = self._linux()
        elif system == "win32":
            machine = self._windows()
        else:
            self.step("platform", system, found=False, detail="CUDA does not exist here")
            machine = Machine(self.host.platform, Status.NONE, f"there is no CUDA on {system}")
        if self.not_started is not None and not self.confirm and _is_open(machine):
            _raise_for_want(self.not_started)
        return Detection(machine, tuple(self.trail), self.surroundings)

    def left(self) -> float:
        """Return the seconds that may still be spent on children."""
        spent = self.host.monotonic() - self.started
        return max(0.0, self.seconds * (1 - RESERVE) - self.reserved - spent)

    def _linux(self) -> Machine:
        kernel = read_kernel(self.host.files)
        self._record_kernel(kernel)
        seen = Observations(self.host.platform, kernel)
        if not kernel.driver_present:
            if kernel.pci:
                seen = replace(seen, installed=installed_release(self.host))
            # Initialising NVML as root would load the module and make device nodes: without a
            # driver there is nothing to ask.
            seen = replace(seen, surroundings=self.look_around())
            return self._reconciled(seen)
        return self._ask_guarded(seen)

    def look_around(self) -> Surroundings:
        """Look where this process runs, as far as that matters to who asks."""
        from nvidia_variant_provider.detect.surroundings import read_surroundings

        self.surroundings = read_surroundings(self.host, for_a_person=self.confirm)
        return self.surroundings

    def _windows(self) -> Machine:
        from nvidia_variant_provider.detect.windows import known_gpus

        ids = self.host.windows_pci_ids()
        gpus = known_gpus([PciGpu("", device_id, "") for device_id in ids])
        self.step("registry", "Enum\\PCI", found=bool(ids), detail=f"{len(ids)} NVIDIA functions")
        # A list of devices that the driver's libraries cannot keep from being asked for.
        self.reserved = DEVICES_SECONDS if gpus else 0.0
        return self._ask_guarded(Observations(self.host.platform, remembered_gpus=gpus))

    def _present_gpus(self, seen: Observations) -> tuple[PciGpu, ...] | None:
        """Return the GPUs that Windows has now, where those it remembers may matter."""
        answered = any(answer.gpus and not answer.is_shim for answer in (*seen.nvml, *seen.cuda))
        if answered or not seen.remembered_gpus:
            return None
        from nvidia_variant_provider.detect.windows import API, LIBRARY, parse_devices

        self.reserved = 0.0
        reply = self.host.ask_library(API, LIBRARY, self.left())
        gpus = parse_devices(reply)
        detail = str(reply.end) if gpus is None else f"{len(gpus)} NVIDIA GPUs are present"
        self.step("devices", LIBRARY, found=bool(gpus), detail=detail, cost=reply.seconds)
        return gpus

    def _ask_guarded(self, seen: Observations) -> Machine:
        """Ask; a mistake of ours there must cost neither the install nor what the kernel said."""
        try:
            return self._ask(seen)
        except Exception as error:  # noqa: BLE001 - the tests hold that no state of a machine gets here
            raise_foreign(error)
            text = f"please report this: {type(error).__name__}: {error}"
            self.step("internal", "", found=False, detail=text)
            notes = (*self.notes, Note("internal-error", text))
            # As where no child can be started: nothing can be said of the driver's libraries.
            return reconcile(replace(seen, no_child=True, notes=notes))

    def _ask(self, seen: Observations) -> Machine:
        """Ask NVML, then libcuda, then nvidia-smi, each only for what is still open."""
        self._note_environment()
        if seen.platform.libc == "musl":
            self.step("libraries", "musl", found=False, detail="the driver's libraries need glibc")
            self.notes.append(
                Note("musl", "this interpreter is musl: wheels for glibc do not apply")
            )
        else:
            seconds = self.left() - min(CUDA_SECONDS, self.left() / 2)
            seen = replace(seen, nvml=self._ask_library("nvml", seconds, seen))
            if self.confirm or wants_libcuda(seen):
                cuda = self._ask_library("cuda", self.left(), seen)
                seen = replace(seen, cuda=cuda, no_libcuda=not cuda)
            else:
                self.step("libcuda", "", found=False, detail="not asked: NVML answered everything")
        answers = (*seen.nvml, *seen.cuda)
        no_child = bool(answers) and all(answer.never_asked for answer in answers)
        if no_child:
            self.not_started = answers[0].end
            self.notes.append(Note("no-child-process", f"no child process: {answers[0].end}"))
        seen = replace(seen, present_gpus=self._present_gpus(seen))
        if wants_smi(seen):
            seen = replace(seen, smi=self._ask_smi())
        if seen.release is None and seen.kernel is not None and seen.kernel.pci:
            seen = replace(seen, installed=installed_release(self.host))
        if seen.kernel is not None and not answering_gpus(seen):
            kernel = replace(seen.kernel, open_module=is_open_module(self.host.files))
            seen = replace(seen, kernel=kernel, surroundings=self.look_around())
        foreign = self.foreign_files
        notes = tuple(self.notes)
        seen = replace(seen, no_child=no_child, foreign_files=foreign, notes=notes)
        return self._reconciled(seen)

    def _reconciled(self, seen: Observations) -> Machine:
        if not self.confirm:
            return reconcile(seen)
        from nvidia_variant_provider.detect.person import reconcile_for_a_person

        return reconcile_for_a_person(self, seen)

    def _ask_library(
        self, api: str, seconds: float, seen: Observations
    ) -> tuple[LibraryAnswer, ...]:
        """Try the candidates of a library until one answers for the machine."""
        deadline = self.host.monotonic() + seconds
        answers: list[LibraryAnswer] = []
        wsl = seen.kernel is not None and seen.kernel.wsl
        for candidate in candidates(self.host, api, wsl=wsl):
            left = deadline - self.host.monotonic()
            if isinstance(candidate, Miss):
                self.foreign_files |= candidate.reason is MissReason.FOREIGN
                if candidate.detail.startswith("dangling"):
                    self.dangling = candidate.source
                self._miss(api, candidate)
            elif left <= 0 or len(answers) >= MAX_ATTEMPTS:
                break
            else:
                answers.append(self._attempt(api, candidate, left))
                if _is_final(api, answers[-1]):
                    if not any(before.loaded for before in answers[:-1]):
                        self._note_folder(api, candidate, answers[-1])
                    break
        return tuple(answers)

    def _attempt(self, api: str, candidate: Candidate, seconds: float) -> LibraryAnswer:
        reply = self.host.ask_library(api, candidate.path, seconds)
        answer = parse_answer(api, candidate.path, reply)
        has_answered = answer.init == 0 or answer.cuda is not None
        self.step(
            api, candidate.path, found=has_answered, detail=answer.describe(), cost=reply.seconds
        )
        return answer

    def _ask_smi(self) -> SmiAnswer | None:
        """Try each ``nvidia-smi`` until one answers; else return what says most of its failure."""
        from nvidia_variant_provider.detect.smi import find_programs

        paths = find_programs(self.host)
        if not paths:
            self._miss("nvidia-smi", Miss("nvidia-smi", MissReason.ABSENT))
        answers: list[SmiAnswer] = []
        for path in paths:
            answers.append(self._run_smi(path))
            if answers[-1].answered or answers[-1].end.timed_out or not self.left():
                break
        return max(
            answers, key=lambda answer: (answer.answered, answer.code is not None), default=None
        )

    def _run_smi(self, path: str) -> SmiAnswer:
        from nvidia_variant_provider.detect.smi import ask_smi

        before = self.host.monotonic()
        answer = ask_smi(self.host, path, self.left)
        cost = self.host.monotonic() - before
        self.step("nvidia-smi", path, found=answer.answered, detail=answer.describe(), cost=cost)
        return answer

    def _note_environment(self) -> None:
        visible = self.host.environ.get("CUDA_VISIBLE_DEVICES")
        if visible is not None:
            text = f"CUDA_VISIBLE_DEVICES={visible[:60]!r} describes a job and was ignored"
            self.notes.append(Note("cuda-visible-devices", text))

    def _note_folder(self, api: str, candidate: Candidate, answer: LibraryAnswer) -> None:
        """Say where the library was, if programs may not find it there by themselves."""
        folder = candidate.path.rpartition("/")[0]
        if candidate.by_loader or not answer.loaded or self.host.platform.system != "linux":
            return
        if folder.startswith(WSL_FOLDERS[0].rpartition("/")[0]):
            shadow = shadowing(self.host) if api == "cuda" or not answer.init else ""
            if shadow and all(note.code != "wsl-shadowed" for note in self.notes):
                text = f"{shadow} of a Linux driver package hides the library that works: remove it"
                self.notes.append(Note("wsl-shadowed", text))
            return
        if folder in search_path(self.host) or any(
            note.code == "library-folder" for note in self.notes
        ):
            return
        text = (
            f"{candidate.path} was found by its full path; programs find it only if the loader "
            f"searches {folder} (ldconfig, or LD_LIBRARY_PATH)"
        )
        self.notes.append(Note("library-folder", text, (("folder", folder),)))

    def _record_kernel(self, kernel: KernelView) -> None:
        release = kernel.release
        if isinstance(release, Hit):
            self.step("kernel", release.source, found=True, detail=f"driver {release.value}")
        else:
            self._miss("kernel", release)
        for gpu in kernel.pci:
            detail = f"{gpu.as_gpu().name}, bound to {gpu.driver or 'nothing'}"
            self.step("pci", gpu.address, found=True, detail=detail)
        nodes = ", ".join((*kernel.nodes[:8], *(("dxg",) if kernel.wsl else ())))
        self.step("devices", "/dev", found=bool(nodes), detail=nodes or "no NVIDIA device node")

    def _miss(self, probe: str, miss: Miss) -> None:
        detail = f"{miss.reason.value}: {miss.detail}" if miss.detail else miss.reason.value
        self.step(probe, miss.source, found=False, detail=detail)

    def step(self, probe: str, source: str, *, found: bool, detail: str, cost: float = 0.0) -> None:
        """Add a step to the trail; ``cost`` is what it took, in seconds."""
        self.trail.append(Step(probe, source, found, detail, round(cost, 4)))


def _is_final(api: str, answer: LibraryAnswer) -> bool:
    """Tell whether another copy of the library could not do better."""
    if answer.timed_out or answer.never_asked:
        return True
    return answer.init is not None and answer.init not in _TRY_ANOTHER[api]


def _is_open(machine: Machine) -> bool:
    """Tell whether a driver is here of which files do not say what an installer needs."""
    if machine.status is Status.DRIVER_NO_GPU:
        return False
    known = bool(machine.gpus) and all(gpu.capability is not None for gpu in machine.gpus)
    return machine.cuda is None or not known


def _raise_for_want(end: End) -> None:
    """Raise where no child could be started for want of descriptors, processes or memory.

    That is no condition of the machine: an empty answer would be the CPU build, and no word why.
    """
    if end.for_want:
        raise OSError(end.for_want, f"no child process: {end.detail}")
