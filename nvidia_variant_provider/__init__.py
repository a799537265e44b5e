"""Variant provider for NVIDIA GPUs: the namespace ``nvidia`` of wheel variants.

The functions are the endpoint that PEP 850 infers where an entry has no ``plugin-api``: the package
itself. What they need is imported when they are called.
"""

# Type checkers know the name; importing it from typing would cost half a bare interpreter start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from nvidia_variant_provider.plugin import VariantFeatureConfig

__version__ = "0.1.0"


def get_supported_configs() -> "list[VariantFeatureConfig]":
    """Return what ``NvidiaVariantPlugin.get_supported_configs`` returns; raises likewise."""
    from nvidia_variant_provider.plugin import NvidiaVariantPlugin

    return NvidiaVariantPlugin.get_supported_configs()


def get_all_configs() -> "list[VariantFeatureConfig]":
    """Return every feature with every valid value, whatever the machine."""
    from nvidia_variant_provider.plugin import NvidiaVariantPlugin

    return NvidiaVariantPlugin.get_all_configs()
