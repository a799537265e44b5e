/** The page "Which wheel would I get?": a form around core.js. It reads one file of this site. */

import { torchCommands, quoted, variantCommands } from "./commands.js";
import { LOWER, SM_ARCH, Rules, order } from "./core.js";
import { TargetError, Targets, nameKey } from "./targets.js";

const NO_GPU = "no NVIDIA GPU";
const FIELDS = ["gpu", "driver", "platform", "release"];
const element = (name) => document.getElementById(`which-${name}`);

/** What was read from files: a release's variants, and a machine with the text that stands for it. */
const dropped = { release: null, machine: null };
let tables;
let rules;
let targets;

async function start() {
  const address = new URL("../data/nvidia-data.json", import.meta.url);
  tables = await (await fetch(address)).json();
  rules = new Rules(tables);
  targets = new Targets(tables);
  fillGpus();
  fillReleases();
  element("gpu").addEventListener("input", machineChanged);
  for (const name of ["driver", "platform", "release"]) element(name).addEventListener("change", () => show());
  element("file").addEventListener("change", (event) => readFiles(event.target.files));
  const whole = document.getElementById("which");
  whole.addEventListener("dragover", (event) => event.preventDefault());
  whole.addEventListener("drop", (event) => {
    event.preventDefault();
    readFiles(event.dataTransfer.files);
  });
  restore();
}

/** A link to an answer has what was chosen behind the "#". */
function restore() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.has("gpu")) element("gpu").value = wanted.get("gpu");
  machineChanged();
  for (const name of FIELDS.slice(1)) {
    const rows = [...element(name).options].filter((row) => row.value === wanted.get(name));
    if (rows.length > 0) element(name).value = wanted.get(name);
  }
  show();
}

function remember() {
  if (dropped.machine || dropped.release) return;
  const chosen = FIELDS.map((name) => [name, element(name).value]).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}

function option(value, text = value) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function fillGpus() {
  const titles = tables.targets.map((target) => target.title);
  const others = tables.product_names.flatMap((row) => row.names);
  const all = [...new Set([...titles, NO_GPU, ...others])];
  element("gpus").replaceChildren(...all.map((title) => option(title)));
}

function fillReleases() {
  const releases = [...new Set(tables.torch_builds.map((row) => row.release))];
  const rows = releases.reverse().map((release) => option(release, `torch ${release}`));
  element("release").replaceChildren(...rows);
}

/** What the GPU field means: devices with the driver it names, a machine from a file, or why not. */
function chosen() {
  const text = element("gpu").value.trim();
  if (dropped.machine?.text === text) return { devices: [], driver: "", file: dropped.machine };
  if (!text || text === NO_GPU) return { devices: [], driver: "" };
  try {
    const { devices, driver } = targets.read(text);
    targets.machine(text);
    return { devices, driver };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return { devices: [], driver: "", problem: `${error.message}${similar(text)}` };
  }
}

/** Products whose names contain what was typed. */
function similar(text) {
  const key = nameKey(text.split("@")[0]);
  const titles = [...element("gpus").options].map((row) => row.value);
  const near = titles.filter((title) => key.length > 2 && nameKey(title).includes(key)).slice(0, 3);
  return near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
}

function machineChanged() {
  const { devices, driver, file, problem } = chosen();
  const titles = devices.map(({ title, capability }) => `${title}: compute capability ${capability}`);
  element("gpu-note").textContent = file ? `from ${file.name}` : titles.join("; ");
  if (problem) element("gpu-note").textContent = "not a known GPU";
  const rows = file ? [option("", fileDriver(file.document))] : drivers(devices, driver);
  element("driver").replaceChildren(...rows);
  element("driver").disabled = rows.length < 2;
  element("platform").replaceChildren(...platforms(devices, file?.document));
  show();
}

const fileDriver = (machine) =>
  machine.cuda_driver_version ? `CUDA ${machine.cuda_driver_version}` : "no usable driver";

/** Driver branches that serve the devices, newest first, or the JetPacks of a Jetson. */
function drivers(devices, named) {
  if (devices.length === 0) return [];
  const names = element("gpu").value.trim().split("@")[0];
  const cuda = (driver) => targets.machine(driver ? `${names}@${driver}` : names).cuda_driver_version;
  if (named) return [option(named, `${named.replace(/^(\d+)$/, "R$1")} (CUDA ${cuda(named)})`)];
  if (devices[0].tegra) {
    const served = tables.jetpacks.filter((row) => row.compute_capabilities.includes(devices[0].capability));
    return served.reverse().map((row) => option(`jetpack${row.version}`, `JetPack ${row.version} (CUDA ${row.cuda})`));
  }
  const first = Math.max(...devices.map((device) => device.listed));
  const last = Math.min(...devices.map((device) => device.ends));
  const usual = targets.branchFor(devices);
  const rows = tables.driver_branches.filter(({ branch }) => branch >= first && branch <= last);
  return rows.reverse().map((row) => {
    const made = option(String(row.branch), `R${row.branch} (CUDA ${row.cuda})`);
    made.selected = row.branch === usual;
    return made;
  });
}

function platforms(devices, document) {
  const { system, architecture } = document?.platform ?? {};
  if (architecture) return [option(`${system === "win32" ? "windows" : system}-${architecture}`)];
  const all = ["x86_64", "aarch64"];
  const shared = all.filter((name) => devices.every((device) => device.architectures.includes(name)));
  const preferred = devices[0]?.architectures[0];
  const sorted = [...shared].sort((a, b) => (b === preferred) - (a === preferred));
  const linux = sorted.map((name) => option(`linux-${name}`, `Linux ${name}`));
  return shared.includes("x86_64") ? [...linux, option("windows-x86_64", "Windows x86_64")] : linux;
}

/** The machine as the rules take it, and how our own command names it. */
function machine({ devices, driver, file }) {
  const system = element("platform").value.split("-")[0];
  if (file) {
    const given = file.document;
    return { given, option: `--machine ${quoted(file.name, system)}`, tegra: given.tegra ?? false };
  }
  if (devices.length === 0) return { given: { cuda_driver_version: null, gpus: [] }, option: "", tegra: false };
  const names = devices.map((device) => device.name).join("+");
  const target = `${names}@${driver || element("driver").value}`;
  return { given: targets.machine(target), option: `--target ${target}`, tegra: devices[0].tegra };
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
      if (document.variants) takeRelease(file.name, document);
      else if (Array.isArray(document.gpus)) takeMachine(file.name, document);
      else problems.push(`${file.name}: no variants and no GPUs; expected a -variants.json or detect --json`);
    } catch (error) {
      problems.push(`${file.name}: not JSON (${error.message})`);
    }
  }
  show(problems);
}

/** The file becomes a release to choose; any other one can be chosen again. */
function takeRelease(name, document) {
  dropped.release = { name, document };
  [...element("release").options].filter((row) => row.dataset.file).forEach((row) => row.remove());
  const made = option(name);
  made.dataset.file = name;
  element("release").prepend(made);
  element("release").value = name;
}

/** The GPU field names the machine of the file until something else is typed. */
function takeMachine(name, document) {
  const names = document.gpus.map((gpu) => gpu.name ?? `capability ${gpu.compute_capability}`);
  const text = names.length > 0 ? [...new Set(names)].join(" + ") : NO_GPU;
  dropped.machine = { name, document, text };
  element("gpu").value = text;
  machineChanged();
}

function show(problems = []) {
  const choice = chosen();
  const wrong = choice.problem ? [choice.problem, ...problems] : problems;
  if (choice.problem) {
    element("answer").replaceChildren(...wrong.map((text) => paragraph(text, "which-problem")));
    return;
  }
  const { given, option: named, tegra } = machine(choice);
  const platform = element("platform").value;
  const release = element("release").value;
  const file = element("release").selectedOptions[0]?.dataset.file ? dropped.release : null;
  const metadata = file?.document ?? torchRelease(release, platform, given.cuda_driver_version);
  const name = file?.name ?? `torch ${release} on ${element("platform").selectedOptions[0]?.text}`;
  const offers = { nvidia: rules.features(given) };
  const labels = file ? order(metadata, offers) : order(metadata, offers, newestFirst);
  const capabilities = given.gpus.map((gpu) => gpu.compute_capability).filter(Boolean);
  const told = { option: named, capabilities, cuda: counting(given), tegra };
  const system = platform.split("-")[0];
  const parts = [...wrong.map((text) => paragraph(text, "which-problem")), verdict(given, labels, metadata, name)];
  const fitting = isGpuBuild(metadata, labels[0]) || given.gpus.length === 0;
  const other = file || fitting ? null : otherRelease(given, platform, release);
  if (other) parts.push(paragraph(`torch ${other.release} has a build that fits: ${other.label}.`, "which-good"));
  parts.push(builds(given, labels, metadata));
  const best = other ?? { release, label: labels[0] };
  const index = tables.torch_index;
  if (file) parts.push(commands(variantCommands({ file: file.name, machine: told, system })));
  else if (fitting || other) parts.push(commands(torchCommands({ ...best, index, machine: told, system })));
  element("answer").replaceChildren(...parts);
  remember();
}

/** The CUDA version that counts for a machine: conda knows no rule for old GPUs. */
function counting(given) {
  const { cuda } = rules.counting(given);
  return cuda ? `${Math.floor(cuda / 100)}.${cuda % 100}` : "";
}

/** The nearest release that has a build for this machine: an older one before a newer one. */
function otherRelease(given, platform, release) {
  const releases = [...element("release").options].filter((row) => !row.dataset.file).map((row) => row.value);
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
    const good = verdicts.find((judged) => judged.supported);
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

function commands(rows) {
  const list = document.createElement("div");
  for (const [title, text] of rows) {
    const heading = document.createElement("p");
    heading.className = "which-command";
    heading.textContent = title;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.textContent = "Copy";
    copy.setAttribute("aria-label", `Copy the command for ${title}`);
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    });
    heading.append(copy);
    const code = document.createElement("pre");
    const inner = Object.assign(document.createElement("code"), { textContent: text });
    inner.tabIndex = 0; // what scrolls can be reached without a mouse
    code.append(inner);
    list.append(heading, code);
  }
  return list;
}

await start();
