/** The page "Which wheel would I get?": a form around core.js. It reads one file of this site. */

import { LOWER, SM_ARCH, Rules, order } from "./core.js";

const SYSTEMS = { linux: "Linux", windows: "Windows" };
const NO_GPU = "no NVIDIA GPU";
const element = (name) => document.getElementById(`which-${name}`);

/** What was read from files: a release's variants and a machine. */
const dropped = { release: null, machine: null };
let tables;
let rules;

async function start() {
  const address = new URL("../data/nvidia-data.json", import.meta.url);
  tables = await (await fetch(address)).json();
  rules = new Rules(tables);
  fillGpus();
  fillReleases();
  element("gpu").addEventListener("input", machineChanged);
  element("driver").addEventListener("change", show);
  element("platform").addEventListener("change", show);
  element("release").addEventListener("change", show);
  element("file").addEventListener("change", (event) => readFiles(event.target.files));
  const whole = document.getElementById("which");
  whole.addEventListener("dragover", (event) => event.preventDefault());
  whole.addEventListener("drop", (event) => {
    event.preventDefault();
    readFiles(event.dataTransfer.files);
  });
  machineChanged();
}

function option(value, text = value) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function fillGpus() {
  const titles = tables.targets.map((target) => target.title);
  element("gpus").replaceChildren(...[...titles, NO_GPU].map((title) => option(title)));
}

function fillReleases() {
  const releases = [...new Set(tables.torch_builds.map((row) => row.release))];
  const rows = releases.reverse().map((release) => option(release, `torch ${release}`));
  element("release").replaceChildren(...rows);
}

/** The product that a text means: its title, its name or an alias, whatever the case. */
function chosenTarget() {
  const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(element("gpu").value.replace(/^nvidia|geforce/gi, ""));
  const names = (target) => [target.title, target.name, ...target.aliases].map(plain);
  const exact = tables.targets.find((target) => names(target).includes(wanted));
  return exact ?? tables.targets.find((target) => wanted && names(target).some((name) => name.startsWith(wanted)));
}

function machineChanged() {
  const target = chosenTarget();
  const none = element("gpu").value === NO_GPU;
  const title = target ? `${target.title}: compute capability ${target.compute_capability}` : "";
  element("gpu-note").textContent = none || target ? title : "not a known product: choose one of the list";
  element("driver").replaceChildren(...(none ? [] : drivers(target)));
  element("driver").disabled = none;
  element("platform").replaceChildren(...platforms(target).map(([value, text]) => option(value, text)));
  dropped.machine = null;
  show();
}

/** Driver branches that know the product, newest first, or the JetPacks of a Jetson. */
function drivers(target) {
  if (!target) return [];
  const { first_branch: first, last_branch: last, jetpacks } = target.drivers;
  if (jetpacks.length > 0) {
    const rows = tables.jetpacks.filter((row) => jetpacks.includes(row.version));
    return rows.reverse().map((row) => option(row.cuda, `JetPack ${row.version} (CUDA ${row.cuda})`));
  }
  const known = ({ branch }) => branch >= (first ?? 0) && branch <= (last ?? Infinity);
  const rows = tables.driver_branches.filter(known).reverse();
  const made = rows.map(({ branch, cuda }) => {
    const row = option(cuda, `R${branch} (CUDA ${cuda})`);
    row.dataset.branch = branch;
    row.selected = `driver branch R${branch}` === target.drivers.default;
    return row;
  });
  return made;
}

function platforms(target) {
  const architectures = target?.architectures ?? ["x86_64", "aarch64"];
  const linux = architectures.map((name) => [`linux-${name}`, `Linux ${name}`]);
  const windows = architectures.includes("x86_64") ? [["windows-x86_64", "Windows x86_64"]] : [];
  return [...linux, ...windows];
}

function machine() {
  if (dropped.machine) return dropped.machine;
  const target = chosenTarget();
  if (!target || element("gpu").value === NO_GPU) return { cuda_driver_version: null, gpus: [] };
  return {
    cuda_driver_version: element("driver").value,
    gpus: [{ name: target.title, compute_capability: target.compute_capability }],
  };
}

/** The builds of a torch release on a platform, as a release with variants would state them. */
function torchRelease(release, platform, cuda) {
  const variants = { cpu: {} };
  for (const row of tables.torch_builds) {
    if (row.release !== release || row.platform !== platform) continue;
    // A driver older than the toolkit cannot read its PTX.
    const archs = row.sm_archs.filter((arch) => arch.endsWith("_real") || isAtLeast(cuda, row.cuda));
    variants[row.label] = { nvidia: { [LOWER]: [row.lower_bound], [SM_ARCH]: archs } };
  }
  return { variants, "default-priorities": { namespace: ["nvidia"] }, providers: {} };
}

function isAtLeast(cuda, other) {
  const [major = 0, minor = 0] = (cuda ?? "").split(".").map(Number);
  const [otherMajor, otherMinor] = other.split(".").map(Number);
  return major > otherMajor || (major === otherMajor && minor >= otherMinor);
}

async function readFiles(files) {
  const problems = [];
  for (const file of files) {
    try {
      const document = JSON.parse(await file.text());
      if (document.variants) dropped.release = { name: file.name, document };
      else if (Array.isArray(document.gpus)) dropped.machine = document;
      else problems.push(`${file.name}: no variants and no GPUs; expected a -variants.json or detect --json`);
    } catch (error) {
      problems.push(`${file.name}: not JSON (${error.message})`);
    }
  }
  show(problems);
}

function show(problems = []) {
  const given = machine();
  const platform = element("platform").value;
  const release = element("release").value;
  const metadata = dropped.release?.document ?? torchRelease(release, platform, given.cuda_driver_version);
  const name = dropped.release?.name ?? `torch ${release} on ${element("platform").selectedOptions[0]?.text}`;
  const offers = { nvidia: rules.features(given) };
  const labels = dropped.release ? order(metadata, offers) : order(metadata, offers, newestFirst);
  const parts = [verdict(given, labels, metadata, name), builds(given, labels, metadata)];
  if (!dropped.release) {
    const fitting = isGpuBuild(metadata, labels[0]) || given.gpus.length === 0;
    const other = fitting ? null : otherRelease(given, platform, release);
    if (other) parts.splice(1, 0, paragraph(`torch ${other.release} has a build that fits: ${other.label}.`, "which-good"));
    if (fitting) parts.push(commands(labels[0], release));
    else if (other) parts.push(commands(other.label, other.release));
  }
  for (const problem of Array.isArray(problems) ? problems : []) {
    parts.unshift(paragraph(problem, "which-problem"));
  }
  element("answer").replaceChildren(...parts);
}

/** The nearest release that has a build for this machine: an older one before a newer one. */
function otherRelease(given, platform, release) {
  const releases = [...element("release").options].map((row) => row.value);
  const at = releases.indexOf(release);
  for (const candidate of [...releases.slice(at + 1), ...releases.slice(0, at).reverse()]) {
    const metadata = torchRelease(candidate, platform, given.cuda_driver_version);
    const [label] = order(metadata, { nvidia: rules.features(given) }, newestFirst);
    if (isGpuBuild(metadata, label)) return { release: candidate, label };
  }
  return null;
}

/** Builds for several minor versions of one CUDA run on the same drivers: the newest is best. */
function newestFirst(a, b) {
  return b.localeCompare(a, "en", { numeric: true });
}

const isGpuBuild = (metadata, label) => Object.keys(metadata.variants[label] ?? {}).length > 0;

function verdict(given, labels, metadata, name) {
  const [label] = labels;
  const gpu = given.gpus.length > 0;
  if (label !== undefined && isGpuBuild(metadata, label)) {
    return paragraph(`${label} is selected for ${name}.`, "which-good");
  }
  const what = label === undefined ? "No variant fits" : `The CPU build (${label}) is selected`;
  const why = gpu ? ": no build fits this GPU and driver." : ": there is no NVIDIA GPU.";
  return paragraph(`${what} for ${name}${why}`, gpu ? "which-problem" : "which-good");
}

function paragraph(text, kind) {
  const made = document.createElement("p");
  made.className = kind;
  made.textContent = text;
  return made;
}

function builds(given, labels, metadata) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const text of ["variant", "result", "reason"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    head.append(cell);
  }
  const body = table.createTBody();
  const refused = Object.keys(metadata.variants).filter((label) => !labels.includes(label));
  labels.forEach((label, at) => {
    row(body, label, at === 0 ? "selected" : `choice ${at + 1}`, reason(given, metadata, label));
  });
  refused.forEach((label) => row(body, label, "does not fit", reason(given, metadata, label)));
  const frame = document.createElement("div");
  frame.className = "which-table";
  frame.append(table);
  return frame;
}

function row(body, ...texts) {
  const made = body.insertRow();
  for (const text of texts) made.insertCell().textContent = text;
}

/** Why a variant fits or not: the first feature that refuses it, or what it runs with. */
function reason(given, metadata, label) {
  const stated = metadata.variants[label].nvidia ?? {};
  let fits = "";
  for (const [feature, values] of Object.entries(stated)) {
    const verdicts = values.map((value) => rules.judge(given, feature, value));
    const good = verdicts.find((found) => found.supported);
    if (!good) return nearest(verdicts, values, feature, given);
    fits = good.reason;
  }
  const others = Object.keys(metadata.variants[label]).filter((namespace) => namespace !== "nvidia");
  if (others.length > 0) return `needs ${others.join(", ")}, which this page does not ask for`;
  return fits || "states nothing: fits every machine";
}

function nearest(verdicts, values, feature, given) {
  if (feature !== SM_ARCH || !given.cuda_driver_version) return verdicts[0].reason;
  const gpus = given.gpus.map((gpu) => gpu.compute_capability).join(", ");
  return `no device code for ${gpus || "this machine"}: it has ${values.join(", ")}`;
}

/** Commands to paste, for the selected build. */
function commands(label, release) {
  const list = document.createElement("div");
  const target = chosenTarget();
  const branch = element("driver").selectedOptions[0]?.dataset.branch;
  const name = target && (branch ? `${target.name}@${branch}` : target.name);
  const index = tables.torch_index;
  const rows = [];
  if (label && name) {
    const run = `nvidia-variant-provider run --target ${name} -- `;
    rows.push(["pip, on this machine or for another", `${run}pip install torch==${release}`]);
  }
  rows.push(["pip, with an index URL", `pip install torch==${release} --index-url ${index}/${label ?? "cpu"}`]);
  rows.push(["uv", `uv pip install torch==${release} --torch-backend ${label ?? "cpu"}`]);
  const dockerfile = `RUN pip install torch==${release} --index-url ${index}/${label ?? "cpu"}`;
  rows.push(["Dockerfile", dockerfile]);
  if (target && label !== "cpu" && element("driver").value) {
    const cuda = conda(target, element("driver").value);
    const archs = `CONDA_OVERRIDE_CUDA_ARCH=${target.compute_capability}`;
    rows.push(["conda", `CONDA_OVERRIDE_CUDA=${cuda} ${archs} conda install pytorch=${release}`]);
  }
  for (const [title, text] of rows) {
    const heading = document.createElement("p");
    heading.textContent = title;
    const code = document.createElement("pre");
    const inner = Object.assign(document.createElement("code"), { textContent: text });
    inner.tabIndex = 0; // what scrolls can be reached without a mouse
    code.append(inner);
    list.append(heading, code);
  }
  return list;
}

/** conda knows no rule for old GPUs: the version that counts is what it has to be told. */
function conda(target, cuda) {
  const counting = rules.counting({
    cuda_driver_version: cuda,
    gpus: [{ compute_capability: target.compute_capability }],
  }).cuda;
  return `${Math.floor(counting / 100)}.${counting % 100}`;
}

await start();
