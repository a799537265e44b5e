"""NV2xx: who answers for a namespace, and whether the installers accept that entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nvidia_variant_provider import __version__
from nvidia_variant_provider.tools.findings.model import Problem, Severity, Uv
from nvidia_variant_provider.tools.findings.registry import Registry
from nvidia_variant_provider.tools.installers.table import UV
from nvidia_variant_provider.tools.metadata.as_written import Document, Kind
from nvidia_variant_provider.tools.metadata.document import (
    NVIDIA_ENDPOINT,
    NVIDIA_NAMESPACE,
    NVIDIA_PACKAGE,
    SCHEMA_850,
    SCHEMA_850_VARIANTLIB,
    UV_PROVIDER_VERSION,
)
from nvidia_variant_provider.tools.metadata.strict import PROVIDER_KINDS
from nvidia_variant_provider.tools.parsed import mapping, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROVIDER: Final[Registry[Document]] = Registry()

# The schema with providers, under its two names.
_SCHEMAS: Final = frozenset({SCHEMA_850, SCHEMA_850_VARIANTLIB})


@PROVIDER.check("NV201", Severity.ERROR, Uv.REFUSES, "a namespace is not in default-priorities")
def check_namespaces_listed(document: Document) -> Iterator[Problem]:
    """Report namespaces that a variant uses and the priorities do not list."""
    used: dict[str, str] = {}
    for label, variant in document.variants.items():
        for namespace in variant:
            used.setdefault(namespace, label)
    for namespace in sorted(set(used) - set(document.namespaces)):
        message = f"{namespace}, which {used[namespace]} uses, is not listed"
        yield Problem(document.source, "default-priorities/namespace", message)


@PROVIDER.check("NV202", Severity.ERROR, Uv.REFUSES, "providers and priorities differ")
def check_providers_match(document: Document) -> Iterator[Problem]:
    """Report namespaces with a provider and no priority, and the other way round."""
    if "providers" not in document.raw:
        return
    entries = set(mapping(document.raw.get("providers")))
    for namespace in sorted(entries - set(document.namespaces)):
        message = "the namespace is not in default-priorities/namespace"
        yield Problem(document.source, f"providers/{namespace}", message)
    for namespace in sorted(set(document.namespaces) - entries):
        yield Problem(document.source, "providers", f"no entry for the namespace {namespace}")


@PROVIDER.check(
    "NV203", Severity.ERROR, Uv.SKIPS, "no providers: nothing answers for the namespaces"
)
def check_no_providers(document: Document) -> Iterator[Problem]:
    """Report a file of PEP 825: uv passes over all variants but null, variantlib refuses it."""
    if document.namespaces and "providers" not in document.raw and document.schema not in _SCHEMAS:
        message = "without providers uv uses no variant but null, and variantlib refuses the file"
        yield Problem(document.source, "", message)


@PROVIDER.check("NV204", Severity.ERROR, Uv.REFUSES, "no providers under the schema of PEP 850")
def check_providers_of_850(document: Document) -> Iterator[Problem]:
    """Report a file that names the schema with providers and has none."""
    if "providers" not in document.raw and document.schema in _SCHEMAS:
        yield Problem(document.source, "providers", "PEP 850 requires an entry for every namespace")


@PROVIDER.check("NV205", Severity.ERROR, Uv.REFUSES, "a provider entry has no kind, or two")
def check_kind(document: Document) -> Iterator[Problem]:
    """Report entries without exactly one of requires, static-properties and builtin."""
    for namespace, provider in document.providers.items():
        known = PROVIDER_KINDS + (("build-requires",) if document.kind is Kind.PYPROJECT else ())
        kinds = [key for key in known if key in provider]
        if len(kinds) != 1:
            seen = " and ".join(kinds) or "none"
            message = f"seen {seen}, expected one of {', '.join(known)}"
            yield Problem(document.source, f"providers/{namespace}", message)


@PROVIDER.check("NV206", Severity.ERROR, Uv.REFUSES, "keys of one entry contradict each other")
def check_entry(document: Document) -> Iterator[Problem]:
    """Report orders that do not fit the features, and a plugin-api without a plugin."""
    for namespace, provider in document.providers.items():
        where = f"providers/{namespace}"
        static = mapping(provider.get("static-properties"))
        order = texts(provider.get("feature-order"))
        if "feature-order" in provider and sorted(order) != sorted(static):
            message = f"expected every feature of static-properties once: {', '.join(static)}"
            yield Problem(document.source, f"{where}/feature-order", message)
        if len(static) > 1 and "feature-order" not in provider:
            yield Problem(document.source, where, "several static features need a feature-order")
        if "plugin-api" in provider and not {"requires", "build-requires"} & set(provider):
            message = "plugin-api is there without requires"
            yield Problem(document.source, f"{where}/plugin-api", message)


@PROVIDER.check(
    "NV207", Severity.ERROR, Uv.SKIPS, "an entry of requires is not a valid requirement"
)
def check_requirements(document: Document) -> Iterator[Problem]:
    """Report texts that are not of the form of PEP 508, and an empty list."""
    for namespace, provider in document.providers.items():
        where = f"providers/{namespace}/requires"
        if provider.get("requires") == []:
            yield Problem(document.source, where, "the list is empty")
        for text in texts(provider.get("requires")):
            if _requirement(text) is None:
                message = f"seen {text!r:.60}, expected a requirement such as 'name>=1.0'"
                yield Problem(document.source, where, message)


@PROVIDER.check("NV208", Severity.ERROR, Uv.SKIPS, "an unknown builtin")
def check_builtin(document: Document) -> Iterator[Problem]:
    """Report other builtins than the one of PEP 850."""
    for namespace, provider in document.providers.items():
        if provider.get("builtin", "abi_dependency") != "abi_dependency":
            message = f"seen {provider['builtin']!r:.60}, expected 'abi_dependency'"
            yield Problem(document.source, f"providers/{namespace}/builtin", message)


@PROVIDER.check("NV209", Severity.ERROR, Uv.SKIPS, "static-properties that offer nothing")
def check_static_values(document: Document) -> Iterator[Problem]:
    """Report a static provider without features, and a static feature without values."""
    for namespace, provider in document.providers.items():
        where = f"providers/{namespace}/static-properties"
        if provider.get("static-properties") == {}:
            yield Problem(document.source, where, "no features")
        for feature, values in mapping(provider.get("static-properties")).items():
            if values == []:
                yield Problem(document.source, f"{where}/{feature}", "no values")


@PROVIDER.check("NV211", Severity.WARNING, Uv.SKIPS, "nvidia asks for another package")
def check_package(document: Document) -> Iterator[Problem]:
    """Report a provider of ``nvidia`` that is not this one: uv's own copy answers for this one."""
    for where, requirement in _nvidia_requirements(document):
        if canonicalize_name(requirement.name) != NVIDIA_PACKAGE:
            yield Problem(
                document.source, where, f"seen {requirement.name}, expected {NVIDIA_PACKAGE}"
            )


@PROVIDER.check("NV212", Severity.WARNING, Uv.SKIPS, "nvidia has several requirements")
def check_one_requirement(document: Document) -> Iterator[Problem]:
    """Report more than one requirement: uv wants exactly one."""
    count = len(texts(_nvidia(document).get("requires")))
    if count > 1:
        message = f"{count} requirements; uv uses the provider only with exactly one"
        yield Problem(document.source, f"providers/{NVIDIA_NAMESPACE}/requires", message)


@PROVIDER.check("NV213", Severity.WARNING, Uv.SKIPS, "nvidia has an extra, a marker or a URL")
def check_plain_requirement(document: Document) -> Iterator[Problem]:
    """Report a requirement that says more than a name and versions."""
    for where, requirement in _nvidia_requirements(document):
        parts = {
            "an extra": requirement.extras,
            "a marker": requirement.marker,
            "a URL": requirement.url,
        }
        if present := [name for name, part in parts.items() if part]:
            message = f"{' and '.join(present)}; uv uses the provider only without"
            yield Problem(document.source, where, message)


@PROVIDER.check("NV214", Severity.WARNING, Uv.SKIPS, "the versions exclude uv's copy")
def check_admits_uv(document: Document) -> Iterator[Problem]:
    """Report a specifier without 0.0.1, the version of the copy inside uv."""
    for where, requirement in _nvidia_requirements(document):
        if UV_PROVIDER_VERSION not in requirement.specifier:
            message = (
                f"seen {requirement.specifier}, which excludes {UV_PROVIDER_VERSION},"
                " the version of the copy inside uv"
            )
            yield Problem(document.source, where, message)


@PROVIDER.check("NV215", Severity.WARNING, Uv.SKIPS, "plugin-api of nvidia is not spelled out")
def check_endpoint(document: Document) -> Iterator[Problem]:
    """Report a missing or other ``plugin-api``: uv compares the text, blanks included."""
    provider = _nvidia(document)
    if texts(provider.get("requires")) and provider.get("plugin-api") != NVIDIA_ENDPOINT:
        seen = provider.get("plugin-api")
        shown = "nothing" if seen is None else f"{seen!r:.60}"
        message = f"seen {shown}, expected '{NVIDIA_ENDPOINT}'"
        yield Problem(document.source, f"providers/{NVIDIA_NAMESPACE}/plugin-api", message)


@PROVIDER.check("NV216", Severity.WARNING, Uv.SKIPS, "the provider is optional")
def check_optional(document: Document) -> Iterator[Problem]:
    """Report optional providers: installers leave them out unless the user asks for them."""
    for namespace, provider in document.providers.items():
        if provider.get("optional") is True:
            message = "uv does not use an optional provider, so it ignores its variants"
            yield Problem(document.source, f"providers/{namespace}/optional", message)


@PROVIDER.check("NV217", Severity.WARNING, Uv.NONE, "nvidia is answered by fixed values")
def check_static_nvidia(document: Document) -> Iterator[Problem]:
    """Report a static entry for ``nvidia``: its builds then fit machines without a GPU."""
    if "static-properties" in _nvidia(document):
        message = "fixed values replace detection: a machine without a GPU gets a CUDA build"
        yield Problem(document.source, f"providers/{NVIDIA_NAMESPACE}/static-properties", message)


@PROVIDER.check("NV218", Severity.WARNING, Uv.NONE, "the versions exclude this provider")
def check_admits_this_provider(document: Document) -> Iterator[Problem]:
    """Report a specifier without the version of the provider that lints."""
    for where, requirement in _nvidia_requirements(document):
        if not requirement.specifier.contains(__version__, prereleases=True):
            message = f"seen {requirement.specifier}, which excludes {NVIDIA_PACKAGE} {__version__}"
            yield Problem(document.source, where, message)


@PROVIDER.check("NV219", Severity.NOTE, Uv.NONE, "uv has no provider for the namespace")
def check_answered_by_uv(document: Document) -> Iterator[Problem]:
    """Report plugins of other namespaces: uv runs none, so it passes over their variants."""
    for namespace, provider in document.providers.items():
        is_plugin = "requires" in provider and "static-properties" not in provider
        if is_plugin and namespace not in UV.answers:
            message = f"uv runs no plugins: it ignores every variant that uses {namespace}"
            yield Problem(document.source, f"providers/{namespace}", message)


def _nvidia(document: Document) -> Mapping[str, object]:
    return document.providers.get(NVIDIA_NAMESPACE, {})


def _nvidia_requirements(document: Document) -> Iterator[tuple[str, Requirement]]:
    for text in texts(_nvidia(document).get("requires")):
        requirement = _requirement(text)
        if requirement is not None:
            yield f"providers/{NVIDIA_NAMESPACE}/requires", requirement


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
