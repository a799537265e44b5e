"""One release from two published wheels to three installs: ``python examples/publish/publish.py``.

Downloads the CUDA wheels of one torchvision release for x86_64 and aarch64, looks into them, tags
them with what their code says, verifies and lints the result, writes an index, serves it on
loopback and lets uv install from it as several machines. README.md tells the story.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

PROJECT: Final = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))

from examples.torch.clients import clean_environment, uv_executable  # noqa: E402
from nvidia_variant_provider.tools.demo.wheels import write_wheel  # noqa: E402
from nvidia_variant_provider.tools.wheels.name import WheelName  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RELEASE: Final = "torchvision==0.29.1"
PYTHON: Final = "3.12"
# What the release requires, in versions that fit it.
REQUIRED: Final = {"torch": "2.14.0", "numpy": "2.3.0", "pillow": "12.0.0"}
README: Final = Path(__file__).with_name("README.md")
# The block of README.md that a run writes, between its fences.
SUMMARY: Final = re.compile(r"(```text\n).*?(```\n)", re.DOTALL)
# The two platforms have different architectures, so one label cannot stand for both.
PLATFORMS: Final = {"x86_64": "cuda13.0_x86_64", "aarch64": "cuda13.0_aarch64"}


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
    Customer("h100@580", "x86_64", "13.0", "9.0", "cuda13.0_x86_64"),
    Customer("l4@580", "x86_64", "13.0", "8.9", "cuda13.0_x86_64"),
    Customer("gh200@580", "aarch64", "13.0", "9.0", "cuda13.0_aarch64"),
    Customer("gtx-1080@580", "x86_64", "13.0", "6.1", ""),
)


class StepError(Exception):
    """A step did not end as it should; the message holds what the program said."""


@dataclass
class Story:
    """The run so far: the folder that all commands run in, and what each step came to."""

    folder: Path
    outcomes: list[str] = field(default_factory=list)

    def step(self, title: str, why: str) -> None:
        """Begin a step, and say what it is for."""
        number = 1 + sum(not line.startswith(" ") for line in self.outcomes)
        print(f"\n== {number}. {title}\n{why}", flush=True)
        self.outcomes.append(f"{number}. {title}")

    def came_to(self, line: str) -> None:
        """Keep a line for the summary."""
        self.outcomes.append(f"   {line}")

    def tool(self, *arguments: object, expected: int = 0) -> str:
        """Run one of our commands, print what it says, and return it."""
        command = ["nvidia-variant-provider", *map(str, arguments)]
        print(f"\n$ {shlex.join(command)}", flush=True)
        here = [sys.executable, "-m", "nvidia_variant_provider", *command[1:]]
        done = subprocess.run(
            here,
            env={**clean_environment(), "PYTHONPATH": str(PROJECT)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
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
            # One exact file is asked for: what this machine is constrained to is not at issue. An
            # empty value would not take a configured constraint back, an empty file does.
            subprocess.run(command, check=True, env={**os.environ, "PIP_CONSTRAINT": os.devnull})
        (found[platform],) = place.glob("*.whl")
    return found


def bring(wheels: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Copy the wheels to a folder of their own; return their names relative to its parent."""
    folder.mkdir()
    for wheel in wheels.values():
        shutil.copy2(wheel, folder)
    return {platform: Path(folder.name, wheel.name) for platform, wheel in wheels.items()}


def look(story: Story, wheels: dict[str, Path]) -> None:
    """Show what device code the wheels hold."""
    story.step("inspect", "What device code is in the two wheels? Nothing is unpacked or run.")
    for platform, wheel in wheels.items():
        said = story.tool("inspect", wheel)
        found = next(line for line in said.splitlines() if line.startswith("in every container"))
        story.came_to(f"{platform}: {found}")


def refuse_one_label(story: Story, wheels: dict[str, Path]) -> None:
    """Show why one label for both platforms would not do: ``verify`` finds the contradiction."""
    story.step(
        "one label will not do",
        "The platforms have different architectures, and a label means one set of properties:\n"
        "tagged alike, the wheels contradict each other, and verify must say so (exit code 1).",
    )
    (story.folder / "one-label").mkdir()
    for wheel in wheels.values():
        story.tool("tag", wheel, "-o", "one-label")
    tagged = sorted(path.relative_to(story.folder) for path in story.folder.glob("one-label/*.whl"))
    said = story.tool("verify", "--select", "NV37", *tagged, expected=1)
    found = [line.strip() for line in said.splitlines() if "NV370" in line]
    if not found:
        raise StepError("verify did not name the label that means two things")
    story.came_to(found[0][found[0].index("NV370") :].partition(";")[0])


def publish(story: Story, wheels: dict[str, Path]) -> None:
    """Tag the wheels into a folder and make an index of it."""
    story.step("tag", "A label for each platform. What is stated is shown with its evidence.")
    (story.folder / "dist").mkdir()
    for platform, wheel in wheels.items():
        said = story.tool("tag", wheel, "-o", "dist", "--label", PLATFORMS[platform])
        story.came_to(said.splitlines()[-1])
    tagged = sorted(path.relative_to(story.folder) for path in story.folder.glob("dist/*.whl"))
    story.step("verify", "The tags are held to the code again, as anybody can who gets the wheels.")
    said = story.tool("verify", *tagged)
    for line in said.splitlines():
        if line.startswith("dist/") and "NV310" not in line:
            story.came_to(line.removeprefix("dist/"))
    story.step("index", "The metadata of the release, and pages that any file server can serve.")
    story.came_to(story.tool("index", "dist").strip())
    story.step(
        "lint",
        "What will installers make of it? NV409 is ignored on purpose: no CPU build of this\n"
        "release is published, and the CUDA wheel in its place would be installed on machines\n"
        "that cannot run it; without one they are told.",
    )
    said = story.tool("lint", "dist", "--ignore", "NV409")
    story.came_to(said.splitlines()[-1])


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


def write_dependencies(folder: Path) -> Path:
    """Write stand-ins for what the wheels require, torch of 500 MB above all; return their folder.

    The customers install with dependencies, as people do.
    """
    folder.mkdir()
    for name, version in REQUIRED.items():
        write_wheel(folder, WheelName(name, version, "", "py3", "none", "any", ""), None)
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the story free of the server's log."""


def install(customer: Customer, address: str, dependencies: Path, scratch: Path) -> str:
    """Install with uv as this machine; return the label that was installed, "" for none."""
    target = scratch / customer.target
    command = [uv_executable(), "pip", "install", "--preview-features", "wheel-variants"]
    command += ["--no-config", "--index-url", address, "--find-links", str(dependencies)]
    command += ["--target", str(target)]
    command += ["--python", sys.executable, "--python-version", PYTHON]
    command += ["--python-platform", f"{customer.platform}-manylinux_2_28", RELEASE]
    settings = {
        "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": customer.cuda,
        "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": customer.capability,
        "UV_CACHE_DIR": str(scratch / "cache"),
    }
    shown = [f"{name}={value}" for name, value in settings.items() if name.startswith("NV_")]
    print(f"\n$ {' '.join(shown)} \\\n    {shlex.join(['uv', *command[1:]])}", flush=True)
    done = subprocess.run(
        command,
        env={**clean_environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    labels = [path.parent for path in target.glob("torchvision-*.dist-info/variant.json")]
    print(done.stderr, end="", flush=True)
    if done.returncode or not labels:
        return ""
    if not list(target.glob("torch-*.dist-info")):
        raise StepError(f"{customer.target}: torchvision was installed without torch")
    from nvidia_variant_provider.tools.metadata.reading import parse_metadata

    (label,) = parse_metadata((labels[0] / "variant.json").read_bytes(), "variant.json").variants
    return label


def sell(story: Story, dependencies: Path) -> None:
    """Install as every customer from the served index, and say why each got what it got."""
    story.step(
        "install with uv, and explain",
        "Four machines install from the index on loopback: the two variables stand for a driver\n"
        "and a GPU that are not here. The last one must be refused.",
    )
    with served(story.folder / "dist") as address:
        for customer in CUSTOMERS:
            label = install(customer, address, dependencies, story.folder)
            if label != customer.label:
                raise StepError(f"{customer.target}: got {label!r}, expected {customer.label!r}")
            said = story.tool("explain", "dist", "--target", customer.target)
            chosen = re.search(rf"^ 1 +{re.escape(label)} +(.+?) *$", said, re.MULTILINE)
            why = chosen[1] if label and chosen else "no build fits, and uv says so"
            story.came_to(f"{customer.target}: {label or 'nothing'}: {why}")


def run(downloads: Path) -> list[str]:
    """Run the story in a temporary folder; return what each step came to."""
    with tempfile.TemporaryDirectory() as scratch:
        story = Story(Path(scratch))
        wheels = bring(download(downloads), story.folder / "wheels")
        look(story, wheels)
        refuse_one_label(story, wheels)
        publish(story, wheels)
        sell(story, write_dependencies(story.folder / "dependencies"))
        return story.outcomes


def main(argv: Sequence[str] | None = None) -> int:
    """Run the story; 0 if every step ended as it should and README.md says what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--downloads", type=Path, default=PROJECT / ".cache" / "publish")
    parser.add_argument("--readme", action="store_true", help="write the summary into README.md")
    args = parser.parse_args(argv)
    os.environ.setdefault("COLUMNS", "120")
    try:
        outcomes = run(args.downloads)
    except (StepError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    summary = "\n".join([f"{RELEASE}: published, and every machine got what it should", *outcomes])
    print(f"\n{summary}")
    text = README.read_text("utf-8")
    current = SUMMARY.sub(lambda match: f"{match[1]}{summary}\n{match[2]}", text)
    if args.readme:
        README.write_text(current, "utf-8")
    elif current != text:
        print("error: README.md shows another summary; --readme writes this one", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
