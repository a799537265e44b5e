"""The answer of ``torch-backend`` in sentences: the verdict, the reasons, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tables.torch_builds import NO_CUDA, Confidence
from nvidia_variant_provider.tools.torch.builds import has_label, release_order
from nvidia_variant_provider.tools.torch.catalogue import ASSUMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvidia_variant_provider.tools.torch.answer import TorchAnswer
    from nvidia_variant_provider.tools.torch.backend import Backend, Judgement

_LAST_TORCHAUDIO: Final = "2.11.0"


def assumptions(answer: TorchAnswer, *, named: bool) -> Iterator[str]:
    """Yield what was assumed of torch: its release, its builds, their device code."""
    release, chosen = answer.backend.release, answer.backend.chosen
    if not named:
        yield f"no torch version was named: {release.text} is assumed, {_why(answer)}"
    if release.assumed and answer.index:
        yield f"torch {release.text} is not in the table of builds: {_device_code(answer)}"
    elif release.assumed:
        yield (
            f"torch {release.text} is not in the table of builds: those of {release.known_as} "
            "are assumed"
        )
    if chosen and chosen.build.confidence is Confidence.UNVERIFIED:
        yield (
            f"which GPUs {chosen.path} of torch {release.text} has code for is not verified "
            f"(source: {chosen.build.source})"
        )


def _device_code(answer: TorchAnswer) -> str:
    """Say whence the device code of an unknown release is known, of the builds that count."""
    release, cuda = answer.backend.release, answer.machine.cuda
    guessed = [
        judged.path
        for judged in answer.backend.judged
        if judged.build.source.endswith(ASSUMED) and cuda and judged.build.cuda.major <= cuda.major
    ]
    if not guessed:
        return "what its wheels state counts"
    troubles = [answer.catalogue.troubles.get((release.text, path), "") for path in guessed]
    trouble = next((f" ({text})" for text in troubles if text), "")
    return f"the device code of {release.known_as} is assumed{trouble}"


def _why(answer: TorchAnswer) -> str:
    if not answer.passed:
        # A newer release than the table's is known from nothing but an index.
        is_read = answer.index or answer.backend.release.assumed
        return "the newest on the index" if is_read else "the newest known"
    return f"the newest with a build that fits ({', '.join(answer.passed)}: none)"


def reasons(answer: TorchAnswer) -> Iterator[str]:
    """Yield why the chosen build and no newer one, or why none."""
    backend = answer.backend
    chosen = backend.chosen
    yield f"torch {backend.release.text} for {backend.platform}"
    if nothing := NO_CUDA.get(backend.platform):
        yield nothing
    for judged in backend.judged:
        if chosen and judged.build.cuda < chosen.build.cuda:
            break
        yield _reason(answer, judged)
    if chosen and not chosen.serves_all:
        yield f"no build has code for every GPU; {chosen.path} serves the most of them"


def _reason(answer: TorchAnswer, judged: Judgement) -> str:
    if judged is not answer.backend.chosen:
        return f"{'unknown' if judged.fits is None else 'not'} {judged.path}: {judged.reason}"
    needs = f"; it needs driver {judged.oldest_driver} or newer"
    return f"{judged.path}: {judged.reason}{'' if answer.machine.tegra else needs}"


def comparisons(backend: Backend, path: str) -> Iterator[str]:
    """Yield what uv's own choice and plain pip would take."""
    if backend.uv is None:
        yield "uv --torch-backend=auto goes by the driver's number, which is not known here"
    elif backend.uv != path:
        yield (
            f"uv --torch-backend=auto takes {backend.uv}: it goes by the driver's number alone, "
            "not by the GPU"
        )
    default = backend.default_wheel
    yield (
        f"pip without an index takes a wheel {f'for CUDA {default}' if default else 'without CUDA'}"
    )


def companions(answer: TorchAnswer) -> Iterator[str]:
    """Yield what to install beside the chosen build, and how its wheels are named."""
    backend, release, pair = answer.backend, answer.backend.release, answer.partners
    if pair.torchvision:
        vision = f"torch {release.text} pairs with torchvision {pair.torchvision}"
        audio = f" and torchaudio {pair.torchaudio}" if pair.torchaudio else ""
        yield vision + (audio or f"; torchaudio ended with {_LAST_TORCHAUDIO}")
    if not has_label(release, backend.platform):
        yield (
            f"these wheels have no local version: ask for torch=={release.text}, without a label"
        )


def hints(answer: TorchAnswer) -> Iterator[str]:
    """Yield what would help where no build fits: another torch, a newer driver, another index."""
    if answer.other and answer.other.chosen:
        release, path = answer.other.release.text, answer.other.chosen.path
        which = "oldest newer" if _is_newer(release, answer) else "newest older"
        yield f"the {which} torch with a build that fits: {release} {path} (--torch {release})"
    yield from drivers_that_would_do(answer)
    yield from jetson_index(answer)
    if not answer.allow_cpu:
        yield "to take the build without CUDA: --allow-cpu"


def drivers_that_would_do(answer: TorchAnswer) -> Iterator[str]:
    """Yield the drivers that builds lack, where that is all they lack; the oldest driver first."""
    lacking = {judged.needs_driver: judged for judged in answer.backend.judged[::-1]}
    for driver, judged in lacking.items():
        if driver is not None and answer.machine.gpus:
            release = answer.backend.release.text
            yield f"with driver {driver} or newer, {judged.path} of torch {release} fits"


def jetson_index(answer: TorchAnswer) -> Iterator[str]:
    """Yield how to install from NVIDIA's index for Jetson, where PyTorch's has no build."""
    if answer.jetson:
        yield (
            "NVIDIA has an index of builds for Jetson, with other versions of torch: "
            f"pip install torch --index-url {answer.jetson.address}"
        )


def _is_newer(release: str, answer: TorchAnswer) -> bool:
    return release_order(release) > release_order(answer.backend.release.text)


def command(answer: TorchAnswer) -> str:
    """Return the pip command for the chosen build, with the torchvision that pairs."""
    release, vision = answer.backend.release, answer.partners.torchvision
    beside = f" torchvision=={vision}" if vision else ""
    if answer.address is None:
        return f"pip install torch=={release.text}+{answer.path}{beside}"
    return f"pip install torch=={release.text}{beside} --index-url {answer.address}"
