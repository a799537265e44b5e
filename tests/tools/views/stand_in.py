"""Indexes on loopback: a plain one, and one laid out as PyTorch's, with wheels of a few bytes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import json
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from nvidia_variant_provider.tools.demo.wheels import release_metadata

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

Act: TypeAlias = "Callable[[BaseHTTPRequestHandler], None]"
JSON: Final = "application/vnd.pypi.simple.v1+json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
LINUX: Final = "manylinux_2_28_x86_64"
ARM: Final = "manylinux_2_28_aarch64"
# The interpreters of torch's wheels; abi3 stands for all of them, so that any Python takes part.
PYTHON: Final = "cp310-abi3"

# What PyTorch's indexes have: release to builds, and the CUDA of the main index's wheel.
TORCH: Final = {
    "2.13.0": ("cpu", "cu126", "cu129", "cu130", "cu132"),
    "2.14.1": ("cpu", "cu126", "cu130", "cu132"),
    "2.15.0": ("cpu", "cu130", "cu132"),
}
MAIN_BUILD: Final = {"2.13.0": "cu130", "2.14.1": "cu130", "2.15.0": "cu132"}
VISION: Final = {"2.13.0": "0.28.0", "2.14.1": "0.29.1", "2.15.0": "0.30.0"}


def make_wheel(name: str, requires: Sequence[str] = (), files: Mapping[str, str] | None = None,
               python: str = ">=3.8") -> bytes:  # fmt: skip
    """Return a wheel by its file name, complete enough for every installer."""
    (
        project,
        version,
        *_,
    ) = name.split("-")
    tags = name.removesuffix(".whl").split("-")[2:5]
    dist_info = f"{project}-{version}.dist-info"
    metadata = [
        f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n",
        f"Requires-Python: {python}\n",
        *(f"Requires-Dist: {it}\n" for it in requires),
    ]
    members = {
        f"{project}/__init__.py": f"build = {name!r}\n",
        **(files or {}),
        f"{dist_info}/METADATA": "".join(metadata),
        f"{dist_info}/WHEEL": "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\n"
        f"Tag: {'-'.join(tags)}\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(text.encode())}\n"
                     for path, text in members.items())  # fmt: skip
    members[f"{dist_info}/RECORD"] = f"{record}{dist_info}/RECORD,,\n"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in members.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text)
    return data.getvalue()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def metadata_of(wheel: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(it for it in archive.namelist() if it.endswith(".dist-info/METADATA"))
        return archive.read(name)


@dataclass(slots=True)
class StandIn:
    """An index in memory: bodies by path, each with its type; and what it was asked for.

    ``missing`` is the status of what is not there: PyTorch's store says 403. ``login`` is
    ``user:password``, without which nothing is answered. ``acts`` answer by themselves, by path.
    """

    missing: int = 404
    login: str = ""
    address: str = ""
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    acts: dict[str, Act] = field(default_factory=dict)

    def add_page(
        self,
        path: str,
        project: str,
        wheels: Mapping[str, bytes],
        *,
        where: str = "files",
        as_html: bool = False,
        metadata: bool = True,
        extra: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """Add a project's page and its files; names are as on the page."""
        entries = []
        for name, data in wheels.items():
            folder = where if "{" not in where else where.format(label=_label(name))
            address = f"/{folder}/{quote(name)}"
            self.bodies[unquote(address)] = ("application/octet-stream", data)
            entry: dict[str, object] = {
                "filename": name,
                "url": address,
                "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                "size": len(data),
                **(extra or {}).get(name, {}),
            }
            if metadata and name.endswith(".whl"):
                sidecar = metadata_of(data)
                self.bodies[f"{unquote(address)}.metadata"] = ("text/plain", sidecar)
                entry["core-metadata"] = {"sha256": hashlib.sha256(sidecar).hexdigest()}
            entries.append(entry)
        page = f"{path}{project}/"
        self._list(path, project)
        if as_html:
            self.bodies[page] = ("text/html", _html(entries))
        else:
            document = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
            self.bodies[page] = (JSON, json.dumps(document).encode())

    def _list(self, path: str, project: str) -> None:
        """Add a project to the list of all, which indexes have at their root."""
        _, known = self.bodies.get(path, ("", b""))
        link = f'<a href="{project}/">{project}</a>\n'.encode()
        self.bodies[path] = ("text/html", known + link)

    @contextlib.contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Serve while the block runs; gives the address without a slash at the end."""
        index = self

        class Handler(_Handler):
            stand_in = index

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            if tls is not None:
                # The handshake belongs to the connection's thread: a client may never finish it.
                server.socket = tls.wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False
                )
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                scheme = "http" if tls is None else "https"
                yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()


def _label(name: str) -> str:
    match = re.search(r"\+(cpu|cu\d+)-", name)
    return match[1] if match else "cpu"


def _html(entries: Sequence[Mapping[str, object]]) -> bytes:
    lines = []
    for entry in entries:
        hashes, sidecar = entry["hashes"], entry.get("core-metadata")
        fragment = f"#sha256={hashes['sha256']}" if isinstance(hashes, dict) and hashes else ""
        stated = (
            f' data-core-metadata="sha256={sidecar["sha256"]}"' if isinstance(sidecar, dict) else ""
        )
        lines.append(f'<a href="{entry["url"]}{fragment}"{stated}>{entry["filename"]}</a><br>')
    return ("<!DOCTYPE html><html><body>\n" + "\n".join(lines) + "\n</body></html>").encode()


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        index = self.stand_in
        index.asked.append(path)
        index.headers.append({name.lower(): value for name, value in self.headers.items()})
        wanted = "Basic " + base64.b64encode(index.login.encode()).decode()
        if index.login and self.headers.get("Authorization") != wanted:
            self._send(401, {"WWW-Authenticate": "Basic"}, b"who are you?")
        elif path in index.acts:
            self.close_connection = True
            with contextlib.suppress(OSError):
                index.acts[path](self)
        elif path in index.answers:
            self._send(*index.answers[path])
        elif path in index.bodies:
            kind, body = index.bodies[path]
            self._ranged(kind, body)
        else:
            self._send(index.missing, {}, b"nothing here")

    def _ranged(self, kind: str, body: bytes) -> None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        headers = {"Content-Type": kind, "Accept-Ranges": "bytes"}
        if match is None:
            self._send(200, headers, body)
            return
        size = len(body)
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._send(206, headers, body[start:end])

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: ``asked`` says it all."""

    def handle(self) -> None:
        # A client that does not accept the certificate hangs up in the handshake.
        with contextlib.suppress(OSError):
            super().handle()


def nvidia_of(label: str) -> str:
    """Return the requirement of a build on CUDA's libraries; "" for the CPU build."""
    if label == "cpu":
        return ""
    return f"nvidia-cublas-cu{label[2:4]}==1.{label[2:]}; platform_system == 'Linux'"


def torch_wheels(*, main: bool) -> dict[str, bytes]:
    """Return torch's wheels of the main index, or of the per-CUDA indexes."""
    found = {}
    for version, labels in TORCH.items():
        for label in (MAIN_BUILD[version],) if main else labels:
            for platform in (LINUX, ARM):
                local = "" if main else f"+{label}"
                requires = [it for it in ("typing-extensions", nvidia_of(label)) if it]
                name = f"torch-{version}{local}-{PYTHON}-{platform}.whl"
                found[name] = make_wheel(name, requires)
    return found


def vision_wheels(*, main: bool) -> dict[str, bytes]:
    """Return torchvision's, which require the torch they pair with."""
    found = {}
    for torch, version in VISION.items():
        for label in (MAIN_BUILD[torch],) if main else TORCH[torch]:
            for platform in (LINUX, ARM):
                local = "" if main else f"+{label}"
                name = f"torchvision-{version}{local}-{PYTHON}-{platform}.whl"
                found[name] = make_wheel(name, [f"torch=={torch}"])
    return found


def add_others(index: StandIn) -> None:
    """Add what torch requires, and a project that has nothing to do with GPUs."""
    for name, version in (("typing_extensions", "4.12.0"), ("numpy", "2.0.0")):
        file = f"{name}-{version}-py3-none-any.whl"
        index.add_page("/simple/", name.replace("_", "-"), {file: make_wheel(file)})
    for major in ("12", "13"):
        labels = {it for labels in TORCH.values() for it in labels if it.startswith(f"cu{major}")}
        files = [f"nvidia_cublas_cu{major}-1.{it[2:]}-py3-none-any.whl" for it in sorted(labels)]
        index.add_page("/simple/", f"nvidia-cublas-cu{major}", {it: make_wheel(it) for it in files})


def main_index() -> StandIn:
    """Return a main index: torch with the default build, its requirements, and others."""
    index = StandIn()
    add_others(index)
    index.add_page("/simple/", "torch", torch_wheels(main=True))
    index.add_page("/simple/", "torchvision", vision_wheels(main=True))
    return index


def cuda_index() -> StandIn:
    """Return PyTorch's layout: one HTML page for all builds, 403 for what is not there."""
    index = StandIn(missing=403)
    for project, wheels in (
        ("torch", torch_wheels(main=False)),
        ("torchvision", vision_wheels(main=False)),
    ):
        index.add_page("/whl/", project, wheels, where="whl/{label}", as_html=True)
    return index


def add_folders(index: StandIn) -> None:
    """Add a page for each project in each folder of per-CUDA indexes."""
    folders: dict[tuple[str, str], dict[str, bytes]] = {}
    for path, (_, data) in index.bodies.items():
        match = re.fullmatch(r"/whl/(cpu|cu\d+)/(([a-z]+)-[^/]*\.whl)", path)
        if match:
            folders.setdefault((match[1], match[3]), {})[match[2]] = data
    for (label, project), wheels in folders.items():
        page = f"/whl/{label}/"
        index.add_page(page, project, wheels, where="whl/{label}", as_html=True)


VARIANTS: Final = {
    "cuda12.6": {
        "nvidia": {
            "cuda_version_lower_bound": ("12.0",),
            "sm_arch": ("50_real", "60_real", "70_real", "80_real", "90_real"),
        }
    },
    "cuda13.0": {
        "nvidia": {
            "cuda_version_lower_bound": ("13.0",),
            "sm_arch": ("75_real", "80_real", "90_real", "100_real", "120_real"),
        }
    },
    "null": {},
}
# As torch's variant builds have them: libraries of one toolkit, for one label.
MARKED: Final = (
    "typing-extensions",
    "nvidia-cublas-cu12==1.126; variant_label == 'cuda12.6' and platform_system == 'Linux'",
    "nvidia-cublas-cu13==1.130; variant_label == 'cuda13.0'",
)


def variant_wheels(
    requires: Sequence[str] = MARKED, platforms: Sequence[str] = (LINUX,)
) -> dict[str, bytes]:
    """Return a release whose labels require other libraries, and its metadata file."""
    metadata = release_metadata(VARIANTS)
    found = {}
    for platform, label in itertools.product(platforms, VARIANTS):
        name = f"torch-2.16.0-{PYTHON}-{platform}-{label}.whl"
        stated = {"torch-2.16.0.dist-info/variant.json": metadata.of_label(label).to_json()}
        found[name] = make_wheel(name, requires, stated)
    return {**found, "torch-2.16.0-variants.json": metadata.to_json().encode()}


def variant_index(*, metadata: bool = True, platforms: Sequence[str] = (LINUX,)) -> StandIn:
    """Return an index with one release that has variants, and what it requires."""
    index = StandIn()
    add_others(index)
    wheels = variant_wheels(platforms=platforms)
    index.add_page("/simple/", "torch", wheels, metadata=metadata)
    return index
