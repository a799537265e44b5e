"""One release from two published wheels to three installs: ``python examples/publish/publish.py``.

Downloads the CUDA wheels of one torchvision release for x86_64 and aarch64, looks into them, tags
them with what their code says, verifies and lints the result, writes an index, serves it on
loopback and lets uv install from it as several machines. README.md tells the story.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

PROJECT: Final = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))

from examples.torch.clients import clean_environment, uv_executable  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RELEASE: Final = "torchvision==0.29.2"
PYTHON: Final = "3.12"
# The two platforms have different architectures, so one label cannot stand for both.
PLATFORMS: Final = {"x86_64": "cuda13.2_x86_64", "aarch64": "cuda13.2_aarch64"}


@dataclass(frozen=True)
class Customer:
    """A machine that installs: our name for it, what uv is told, and the label it should get.

    ``label`` is "" where no build fits, so that the install has to fail.
    """

    target: str
    platform: str
    cuda: str
    capability: str
    label: str


CUSTOMERS: Final = (
    Customer("h100@595", "x86_64", "13.2", "9.0", "cuda13.2_x86_64"),
    Customer("l4@595", "x86_64", "13.2", "8.9", "cuda13.2_x86_64"),
    Customer("gh200@595", "aarch64", "13.2", "9.0", "cuda13.2_aarch64"),
    Customer("gtx-1080@580", "x86_64", "13.0", "6.1", ""),
)


class StepError(Exception):
    """A step did not end as it should; the message holds what the program said."""


def tool(*arguments: object, expected: int = 0) -> str:
    """Run one of our commands, print what it says, and return it."""
    command = ["nvidia-variant-provider", *map(str, arguments)]
    print(f"\n$ {' '.join(command)}", flush=True)
    here = [sys.executable, "-m", "nvidia_variant_provider", *command[1:]]
    done = subprocess.run(
        here, env=clean_environment(), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    print(done.stdout + done.stderr, end="", flush=True)
    if done.returncode != expected:
        raise StepError(f"exit code {done.returncode}, expected {expected}: {done.stderr}")
    return done.stdout


def download(folder: Path) -> dict[str, Path]:
    """Fetch the published wheels, by platform."""
    found = {}
    for platform in PLATFORMS:
        place = folder / platform
        if not list(place.glob("*.whl")):
            chosen = ["--platform", f"manylinux_2_28_{platform}", "--python-version", PYTHON]
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--only-binary", ":all:", *chosen, "--dest", str(place), RELEASE]
            subprocess.run(command, check=True)
        (found[platform],) = place.glob("*.whl")
    return found


def publish(wheels: dict[str, Path], dist: Path) -> None:
    """Tag the wheels into a folder and make an index of it."""
    for platform, wheel in wheels.items():
        tool("inspect", wheel)
        tool("tag", wheel, "-o", dist, "--label", PLATFORMS[platform])
    tool("verify", *sorted(dist.glob("*.whl")))
    tool("index", dist)
    # No CPU build of this release is published. The CUDA wheel in its place would be installed on
    # machines that cannot run it; without one they are told.
    tool("lint", dist, "--ignore", "NV409")


def refuse_one_label(wheels: dict[str, Path], folder: Path) -> None:
    """Show why one label for both platforms would not do: ``verify`` finds the contradiction."""
    for wheel in wheels.values():
        tool("tag", wheel, "-o", folder)
    said = tool("verify", "--select", "NV37", *sorted(folder.glob("*.whl")), expected=1)
    if "NV370" not in said:
        raise StepError("verify did not name the label that means two things")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback and give the address of its index."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the story free of the server's log."""


def install(customer: Customer, address: str, scratch: Path) -> str:
    """Install with uv as this machine; return the label that was installed, "" for none."""
    target = scratch / customer.target
    command = [uv_executable(), "pip", "install", "--preview-features", "wheel-variants"]
    command += ["--no-config", "--no-deps", "--index-url", address, "--target", str(target)]
    command += ["--python", sys.executable, "--python-version", PYTHON]
    command += ["--python-platform", f"{customer.platform}-manylinux_2_28", RELEASE]
    settings = {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": customer.cuda,
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": customer.capability,
        "UV_CACHE_DIR": str(scratch / "cache"),
    }
    done = subprocess.run(
        command,
        env={**clean_environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    labels = [path.parent for path in target.glob("*.dist-info/variant.json")]
    print(f"\n{customer.target}: uv ends with {done.returncode}\n{done.stderr}", end="", flush=True)
    if done.returncode or not labels:
        return ""
    from nvidia_variant_provider.metadata.reading import parse_metadata

    (label,) = parse_metadata((labels[0] / "variant.json").read_bytes(), "variant.json").variants
    return label


def sell(dist: Path, scratch: Path) -> None:
    """Install as every customer from the served index, and say why each got what it got."""
    with served(dist) as address:
        for customer in CUSTOMERS:
            label = install(customer, address, scratch)
            if label != customer.label:
                raise StepError(f"{customer.target}: got {label!r}, expected {customer.label!r}")
            tool("explain", dist, "--target", customer.target)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the story; 0 if every step ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--downloads", type=Path, default=PROJECT / ".cache" / "publish")
    args = parser.parse_args(argv)
    os.environ.setdefault("COLUMNS", "120")
    with tempfile.TemporaryDirectory() as scratch:
        dist, one_label = Path(scratch, "dist"), Path(scratch, "one-label")
        dist.mkdir()
        one_label.mkdir()
        try:
            wheels = download(args.downloads)
            refuse_one_label(wheels, one_label)
            publish(wheels, dist)
            sell(dist, Path(scratch))
        except (StepError, subprocess.CalledProcessError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(f"\n{RELEASE}: published, and every machine got what it should")
    return 0


if __name__ == "__main__":
    sys.exit(main())
