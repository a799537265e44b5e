"""What ``explain`` reports as findings: its checks that fail, and its warnings."""

from __future__ import annotations

from typing import Final, NamedTuple

from nvidia_variant_provider.tools.findings.model import Finding, Problem, Rule, Severity

NO_GPU_BUILD: Final = Rule(
    "no-gpu-build", Severity.ERROR, "the selected build is not for the GPU, as --require-gpu asks"
)
OTHER_VARIANT: Final = Rule(
    "other-variant", Severity.ERROR, "another variant than --expect names is selected"
)
EXPLAIN_WARNING: Final = Rule(
    "explain-warning", Severity.WARNING, "a warning about the release and this machine"
)

RULES: Final = (NO_GPU_BUILD, OTHER_VARIANT, EXPLAIN_WARNING)
"""Every rule, in the order of a report; docs/explain.md has a section for each."""


class Failure(NamedTuple):
    """A check that fails for a machine, in a sentence that names the machine."""

    rule: Rule
    text: str

    def of_machine(self, name: str) -> Failure:
        """Return the failure with the machine's name in front, where the sentence lacks it."""
        return Failure(self.rule, f"{name}: {self.text}")

    def in_source(self, source: str) -> Finding:
        """Return it as a finding, in the form that every tool shares."""
        return Finding(self.rule, Problem(source, "", self.text))
