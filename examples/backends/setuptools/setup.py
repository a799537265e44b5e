"""Compiles one library with nvcc; which GPUs it is for comes from ``NVCC_APPEND_FLAGS``."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCE = Path(__file__).resolve().parents[2] / "saxpy" / "saxpy.cu"


class BuildWithNvcc(build_ext):
    """Hands the source to nvcc."""

    def build_extension(self, ext: Extension) -> None:
        """Compile and link in one step."""
        home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
        output = Path(self.get_ext_fullpath(ext.name)).with_name("libsaxpy.so")
        output.parent.mkdir(parents=True, exist_ok=True)
        options = ["-shared", "-Xcompiler=-fPIC", f"-L{home}/lib", "-o", str(output)]
        subprocess.run([f"{home}/bin/nvcc", *options, str(SOURCE)], check=True)


class AnyPython(bdist_wheel):
    """The library is loaded with ctypes: one wheel serves every Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tag of the platform alone."""
        return "py3", "none", sysconfig.get_platform().replace("-", "_").replace(".", "_")


setup(
    ext_modules=[Extension("saxpy.libsaxpy", sources=[])],
    cmdclass={"build_ext": BuildWithNvcc, "bdist_wheel": AnyPython},
)
