/**
 * Commands to paste, for a build and a machine; pure, so that tests can run what they return.
 *
 * `machine` is `{ option, capabilities, cuda, tegra }`: the option by which our own command names
 * it (`--target gh200@580`, `--machine node.json`), and what conda is told. `system` is `linux` or
 * `windows`.
 */

const OURS = "nvidia-variant-provider";

/** A word as a shell takes it. */
export function quoted(text, system) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return system === "windows" ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Commands for a torch release: rows of a title and a text. `label` is a folder such as "cu126". */
export function torchCommands({ label, release, index, machine, system }) {
  const pin = `torch==${release}`;
  const install = `pip install ${pin} --index-url ${index}/${label}`;
  const rows = [];
  if (machine.option) {
    const run = `${OURS} run ${machine.option} -- pip install ${pin}`;
    rows.push(["pip, uv and others, without an address", run]);
  }
  rows.push(["pip", install]);
  rows.push(["uv", `uv pip install ${pin} --torch-backend ${label}`]);
  if (system === "linux") rows.push(["Dockerfile", `RUN ${install}`]);
  rows.push(["conda: the newest release of conda-forge", condaCommand({ label, machine, system })]);
  return rows;
}

/** Commands for a release of an index of variants: its metadata file names project and version. */
export function variantCommands({ file, machine, system }) {
  const [, project, version] = /^(.+)-([^-]+)-variants\.json$/.exec(file) ?? [];
  const explain = `${OURS} explain ${quoted(file, system)} ${machine.option}`.trim();
  const rows = [["The same answer in a terminal", explain]];
  if (!project) return rows;
  const pin = `${project.replaceAll("_", "-")}==${version}`;
  const run = `${OURS} run ${machine.option} --`.replace("  ", " ");
  rows.push(["pip, from your index", `${run} pip install ${pin}`]);
  rows.push(["uv, from your index", `${run} uv pip install ${pin}`]);
  if (system === "linux") rows.push(["Dockerfile", `RUN ${run} pip install ${pin}`]);
  return rows;
}

/** conda knows no rule for old GPUs: `machine.cuda` is the version that counts. */
function condaCommand({ label, machine, system }) {
  const variables = [["CONDA_OVERRIDE_CUDA", label === "cpu" ? "" : machine.cuda]];
  const lowest = [...machine.capabilities].sort((a, b) => Number(a) - Number(b))[0];
  if (label !== "cpu" && lowest) variables.push(["CONDA_OVERRIDE_CUDA_ARCH", lowest]);
  const tegra = label !== "cpu" && machine.tegra ? " 'arm-variant=*=tegra'" : "";
  const install = `conda install -c conda-forge pytorch${tegra}`;
  const set = ([name, value]) => (system === "windows" ? `$env:${name}="${value}";` : `${name}=${value}`);
  return [...variables.map(set), install].join(" ");
}
