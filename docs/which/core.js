/**
 * The rules of the namespace `nvidia` and the choice of a variant, for pages and for installers.
 *
 * Written from docs/properties.md; no code is shared with the Python package. The numbers come
 * from docs/data/nvidia-data.json, and the conformance cases check both:
 * `nvidia-variant-provider conformance --command "node docs/which/conformance.js"`.
 *
 * @example
 * const rules = new Rules(await (await fetch("nvidia-data.json")).json());
 * rules.features({ cuda_driver_version: "12.8", gpus: [{ compute_capability: "9.0" }] });
 */

export const LOWER = "cuda_version_lower_bound";
export const UPPER = "cuda_version_upper_bound";
export const SM_ARCH = "sm_arch";

/** "12.8" as a number that compares: 1208. A bare major means its .0. */
function version(text) {
  const [major, minor = "0"] = text.split(".");
  return Number(major) * 100 + Number(minor);
}

const shown = (number) => `${Math.floor(number / 100)}.${number % 100}`;

/** "9.0" as the number in names of SM architectures: 90. */
const capabilityNumber = (text) => Number(text.replace(".", ""));
const capabilityText = (number) => `${Math.floor(number / 10)}.${number % 10}`;

export class Rules {
  /** @param tables the content of nvidia-data.json */
  constructor(tables) {
    const { constants, catalogue, sm_targets: targets } = tables;
    this.bounds = catalogue.find((row) => row.name === LOWER).values;
    this.archs = catalogue.find((row) => row.name === SM_ARCH).values;
    this.tegraMixesFrom = version(constants.tegra_mixes_from_cuda);
    this.firstOfCuda13 = capabilityNumber(constants.first_capability_of_cuda_13);
    this.countsAs = version(constants.counts_as_below_it);
    this.displayGpuMib = constants.display_gpu_mib;
    this.displayGpuShare = constants.display_gpu_share;
    this.newest = version(this.bounds[0]);
    this.oldest = version(this.bounds.at(-1));
    this.mostMinors = this.newest % 100;
    this.devices = new Map();
    this.islands = new Set();
    for (const row of targets) {
      this.devices.set(row.target, capabilityNumber(row.device));
      if (row.tegra_island) this.islands.add(capabilityNumber(row.device));
    }
  }

  /** What a GPU is called today: 10.1 is 11.0 since CUDA 13. */
  present(number) {
    return this.devices.get(String(number)) ?? number;
  }

  /** The CUDA version that the bounds are compared with, and why it is not the driver's. */
  counting(machine) {
    const cuda = machine.cuda_driver_version;
    if (!cuda) return { why: "there is no usable NVIDIA driver" };
    const stated = version(cuda);
    if (stated < this.oldest) {
      return { why: `the driver supports CUDA ${cuda}; variants start at ${shown(this.oldest)}` };
    }
    const gpus = this.capabilities(this.withoutDisplayGpus(machine));
    const old = gpus.length > 0 && gpus.every((gpu) => gpu !== null && gpu < this.firstOfCuda13);
    if (old && stated > this.countsAs) {
      const why = `the driver says CUDA ${cuda}, but no toolkit after ${shown(this.countsAs)} builds for this GPU`;
      return { cuda: this.countsAs, why };
    }
    const capped = Math.min(stated, this.newest);
    const known = Math.floor(capped / 100) * 100 + Math.min(capped % 100, this.mostMinors);
    return { cuda: known, why: "" };
  }

  /** The machine without GPUs that are there for the screen, unless `every_gpu` says otherwise. */
  withoutDisplayGpus(machine) {
    const gpus = machine.gpus ?? [];
    const largest = Math.max(0, ...gpus.map((gpu) => gpu.memory_mib ?? 0));
    const counts = ({ memory_mib: memory = null, name = "", uuid = "" }) =>
      memory === null ||
      memory > this.displayGpuMib ||
      memory * this.displayGpuShare >= largest ||
      uuid.startsWith("MIG-") ||
      /\bMIG\b|-\d{1,3}[ABCQ]$/.test(name);
    return machine.every_gpu ? machine : { ...machine, gpus: gpus.filter(counts) };
  }

  /** The capabilities of the GPUs as numbers, null for an unknown one, in the machine's order. */
  capabilities(machine) {
    return (machine.gpus ?? []).map((gpu) =>
      gpu.compute_capability ? capabilityNumber(gpu.compute_capability) : null,
    );
  }

  /** The supported features of a machine in rule set 1, most preferred first. */
  features(machine) {
    const { cuda } = this.counting(machine);
    if (cuda === undefined) return [];
    const counted = this.withoutDisplayGpus(machine);
    const distinct = [...new Set(this.capabilities(counted).filter((gpu) => gpu !== null))];
    distinct.sort((a, b) => a - b);
    const stack = version(machine.cuda_driver_version);
    const archs = new Set(distinct.flatMap((gpu) => this.codeFor(gpu, stack)));
    const found = this.named(
      this.bounds.filter((value) => version(value) <= cuda),
      this.bounds.filter((value) => version(value) > cuda),
      [...archs],
    );
    // No single GPU stands for a machine with several kinds: what its GPUs can run leads.
    if (distinct.length > 1) found.sort((a, b) => (b.name === SM_ARCH) - (a.name === SM_ARCH));
    return found;
  }

  named(lower, upper, archs) {
    return [
      { name: LOWER, values: lower, multi_value: false },
      { name: UPPER, values: upper, multi_value: false },
      { name: SM_ARCH, values: archs, multi_value: true },
    ].filter((feature) => feature.values.length > 0);
  }

  /** Everything that runs on one GPU, best first: the catalogue is in that order already. */
  codeFor(gpu, stack) {
    return this.archs.filter((value) => this.runs(value, gpu, stack).supported);
  }

  /** Does device code such as "90a_real" run on a GPU? `stack` is the CUDA driver version. */
  runs(value, gpu, stack) {
    const [target, kind] = value.split("_");
    const number = parseInt(target, 10);
    const suffix = target.slice(String(number).length);
    // PTX goes by its own number; the cubin of a renamed one belongs to the device of today.
    const built = kind === "virtual" && !suffix ? number : this.present(number);
    const device = this.present(gpu);
    const onGpu = `this GPU is ${capabilityText(device)}`;
    const from = capabilityText(built);
    const major = Math.floor(built / 10);
    const sameMajor = major === Math.floor(device / 10);
    if (suffix === "a") {
      return { supported: built === device, reason: `runs on ${from} exactly, ${onGpu}` };
    }
    const family = `runs on ${from} to ${major}.9, ${onGpu}`;
    if (suffix === "f") return { supported: sameMajor && built <= device, reason: family };
    if (kind === "virtual") {
      return { supported: built <= device, reason: `is PTX for ${from} and newer, ${onGpu}` };
    }
    if (built === device) return { supported: true, reason: "is built for this GPU" };
    if (!sameMajor || built > device) return { supported: false, reason: family };
    const apart = this.islands.has(built) || this.islands.has(device);
    const mixes = Math.floor(device / 10) === 8 && stack >= this.tegraMixesFrom;
    if (!apart || mixes) return { supported: true, reason: family };
    const from132 = shown(this.tegraMixesFrom);
    return { supported: false, reason: `Tegra and desktop code mix from CUDA ${from132} on, ${onGpu}` };
  }

  /** Rule set 0: what the providers 0.0.x and uv report. `forced`: the version was an override. */
  features0(machine, { forced = false } = {}) {
    if (!machine.cuda_driver_version) return [];
    const cuda = version(machine.cuda_driver_version);
    if (!forced && (cuda < this.oldest || cuda > this.newest)) return [];
    const gpus = this.capabilities(machine).filter((gpu) => gpu !== null);
    const strongest = Math.max(0, ...gpus);
    const archs = [];
    if (strongest >= 50) {
      const major = Math.floor(strongest / 10);
      for (let minor = strongest % 10; minor >= 0; minor--) archs.push(`${major}${minor}_real`);
      archs.push(`${major}0_virtual`);
    }
    return this.named(this.lower0(cuda), this.upper0(cuda), archs);
  }

  lower0(cuda) {
    const found = [];
    const oldest = Math.floor(this.oldest / 100);
    for (let major = Math.floor(cuda / 100); major >= oldest; major--) {
      const top = major === Math.floor(cuda / 100) ? cuda % 100 : this.mostMinors;
      for (let minor = top; minor >= 0; minor--) found.push(`${major}.${minor}`);
      found.push(String(major));
    }
    return found;
  }

  upper0(cuda) {
    const found = [];
    const own = Math.floor(cuda / 100);
    for (let major = Math.floor(this.newest / 100); major >= own; major--) {
      const bottom = major === own ? (cuda % 100) + 1 : 0;
      for (let minor = this.mostMinors; minor >= bottom; minor--) found.push(`${major}.${minor}`);
      if (major > own) found.push(String(major));
    }
    return found;
  }

  /** Why a property is supported or not: `{ supported, reason }`, in the words of a person. */
  judge(machine, feature, value) {
    const { cuda, why } = this.counting(machine);
    if (cuda === undefined) return { supported: false, reason: why };
    const driver = `this driver counts as CUDA ${shown(cuda)}${why ? ` (${why})` : ""}`;
    if (feature === LOWER) {
      return { supported: version(value) <= cuda, reason: `needs CUDA ${value} or newer; ${driver}` };
    }
    if (feature === UPPER) {
      return { supported: version(value) > cuda, reason: `needs a driver below CUDA ${value}; ${driver}` };
    }
    const counted = this.withoutDisplayGpus(machine);
    const gpus = [...new Set(this.capabilities(counted).filter((gpu) => gpu !== null))];
    if (gpus.length === 0) return { supported: false, reason: "the GPU's compute capability is not known" };
    const stack = version(machine.cuda_driver_version);
    const verdicts = gpus.sort((a, b) => a - b).map((gpu) => this.runs(value, gpu, stack));
    const best = verdicts.find((verdict) => verdict.supported) ?? verdicts[0];
    return { supported: best.supported, reason: `${value} ${best.reason}` };
  }
}

/**
 * The variants of a release in the order in which an installer tries them, best first.
 *
 * `offers` maps namespaces to features as `Rules.features` returns them. Variants that state an
 * unsupported property are left out. The null variant, without properties, comes last (PEP 825).
 * `ties` compares two labels that nothing else tells apart: by their text, unless it is given.
 */
export function order(metadata, offers, ties = (a, b) => (a < b ? -1 : 1)) {
  const offered = { ...offers };
  for (const [namespace, provider] of Object.entries(metadata.providers ?? {})) {
    const fixed = provider["static-properties"];
    if (fixed) offered[namespace] = Object.entries(fixed).map(([name, values]) => ({ name, values }));
  }
  const namespaces = metadata["default-priorities"].namespace;
  const end = [Infinity];
  const ranked = [];
  for (const [label, stated] of Object.entries(metadata.variants)) {
    const keys = [];
    let usable = true;
    for (const [namespace, wanted] of Object.entries(stated)) {
      const features = offered[namespace] ?? [];
      for (const [name, values] of Object.entries(wanted)) {
        const place = features.findIndex((feature) => feature.name === name);
        const ranks = place < 0 ? [] : values.map((value) => features[place].values.indexOf(value));
        const best = Math.min(...ranks.filter((rank) => rank >= 0));
        if (best === Infinity) usable = false;
        keys.push([namespaces.indexOf(namespace), place, best]);
      }
    }
    if (usable) ranked.push({ label, keys: [...keys.sort(compare), end] });
  }
  ranked.sort((a, b) => compareLists(a.keys, b.keys) || ties(a.label, b.label));
  return ranked.map((row) => row.label);
}

function compare(a, b) {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    if (a[at] !== b[at]) return a[at] - b[at];
  }
  return 0;
}

function compareLists(a, b) {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const found = compare(a[at], b[at]);
    if (found) return found;
  }
  return a.length - b.length;
}
