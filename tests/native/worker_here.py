"""Run the probe's worker as ``RealHost`` does, but not isolated, so that coverage can look on."""

from __future__ import annotations

import os
import sys

from nvidia_variant_provider.detect import worker

if __name__ == "__main__":
    sys.path.append(os.path.dirname(worker.__file__))
    worker.main(*sys.argv[1:])
