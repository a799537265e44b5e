/**
 * Machines by name: "gh200@580", "a10+t4", "sm_90@cuda12.8", "jetson-orin@jetpack6", and products
 * as people and drivers write them: "NVIDIA GeForce RTX 4090", "Tesla V100-SXM2-16GB", "rtx4090".
 *
 * Written from docs/targets.md; no code is shared with the Python package, which also knows cloud
 * instances and virtual GPUs.
 *
 * @example
 * new Targets(tables).machine("gh200@580"); // { cuda_driver_version: "13.0", gpus: [...] }
 */

/** A text that names no machine; the message says why. */
export class TargetError extends Error {}

const numbers = (text) => String(text).split(".").map(Number);

/** Below zero if the first version is older, zero if both are the same. */
function compare(one, other) {
  const [a, b] = [numbers(one), numbers(other)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether two versions are the same as far as both go: 6 and 6.2. */
function agree(one, other) {
  const [a, b] = [numbers(one), numbers(other)];
  return a.slice(0, b.length).every((number, i) => number === b[i]);
}

/** Words that say who made a GPU, which slot, memory or housing it has: the chip is the same. */
const DROPPED = new RegExp(
  "^(nvidia|geforce|tesla|corporation|gpu|nvgpu|graphics|generation|edition|design|with|" +
    "workstation|server|laptop|mobile|embedded|maxq|oem|active|mega|hgx|nvlink|nvl|pcie|" +
    "sxm\\d?|hbm\\d?e?|\\d{1,3}gb)$",
);
const MAKERS = ["nvidiageforce", "nvidia", "geforce", "tesla"];
const GLUED = /^(\d{1,3}gb|sxm\d?|pcie|nvlink|nvl|hbm\d?e?|mega|server)$/;
const BARE_MEMORY = /^([ahvp]100)(12|16|32|40|64|80|94|96)$/;
/** What schedulers append to the names of shared and partitioned GPUs. */
const SHARING = /[-_ ](shared\b.*|mig\b.*|\d{1,2}c?\.?\d{0,2}g\.\d+gb.*)$/i;

/** What tells a product's name apart: "rtx4090" of "NVIDIA GeForce RTX 4090". */
export function nameKey(name) {
  const text = name.toLowerCase().replace(/^q(?= rtx)/, "quadro").replaceAll("max-q", "maxq");
  const words = text.replace(/(\d)[ _-]gb\b/g, "$1gb").split(/[^a-z0-9]+/);
  return words.filter((word) => word && !DROPPED.test(word)).join("");
}

/** A name as labels of Kubernetes have it: "geforce-rtx-4090". */
const label = (name) => name.toLowerCase().trim().replaceAll(" ", "-").replace(/^nvidia-/, "");

/** Shorter spellings of a product: the series is left out, so several products can share one. */
function shortKeys(key, title) {
  const without = (text, ending) => (text.endsWith(ending) ? text.slice(0, -ending.length) : text);
  const keys = [];
  if (key.startsWith("quadro")) keys.push(key.slice(6));
  const [, digits] = (title.startsWith("GeForce") && /^[rg]tx?(\d{3,4}\w*)$/.exec(key)) || [];
  if (digits) keys.push(digits);
  if (key.startsWith("rtxa")) keys.push(key.slice(3));
  if (key.endsWith("ada")) keys.push(key.replace(/^rtx/, ""), without(key, "ada"));
  if (key.startsWith("rtxpro")) {
    const bare = without(key, "blackwell");
    keys.push(bare, bare.replace("pro", ""), key.replace("pro", ""), bare.slice(3), key.slice(3));
  }
  if (key.includes("titan")) {
    const bare = key.replace(/^gtx/, "");
    keys.push(bare, without(bare, "pascal"));
  }
  return keys;
}

/** A key, then what is left without glued makers, memory and form factors. */
function candidates(key) {
  const waiting = [key];
  for (const candidate of waiting) {
    const [, memory] = BARE_MEMORY.exec(candidate) ?? [];
    const makers = MAKERS.filter((maker) => candidate.startsWith(maker));
    const shorter = [memory, ...makers.map((maker) => candidate.slice(maker.length))];
    for (let length = 3; length < Math.min(7, candidate.length); length++) {
      if (GLUED.test(candidate.slice(-length))) shorter.push(candidate.slice(0, -length));
    }
    waiting.push(...shorter.filter((text) => text && !waiting.includes(text)));
  }
  return waiting;
}

export class Targets {
  /** @param tables the content of nvidia-data.json */
  constructor(tables) {
    this.products = tables.targets;
    this.chips = new Map(tables.chips.map((row) => [row.name.toLowerCase(), row]));
    this.capabilities = new Map(tables.capabilities.map((row) => [row.compute_capability, row]));
    this.renamed = new Map(tables.sm_targets.map((row) => [row.target, row.device]));
    this.branches = tables.driver_branches;
    this.jetpacks = tables.jetpacks;
    this.defaultBranch = tables.constants.default_driver_branch;
    this.spelled = this.spellings(tables.product_names);
  }

  /** Every product by what tells its name apart, and by shorter spellings. */
  spellings(rows) {
    const full = new Map();
    const weak = new Map();
    const add = (map, key, known) => map.set(key, [...(map.get(key) ?? []), known]);
    for (const { chip, compute_capability: capability, names, first_branches: firsts } of rows) {
      for (const title of names) {
        const known = { title, chip, capability, firstBranch: firsts[title] };
        const key = nameKey(title);
        add(full, key, known);
        for (const short of shortKeys(key, title)) add(weak, short, known);
      }
    }
    return { full, weak };
  }

  /** The devices and the driver that a target names, the driver "" where it names none. */
  read(text) {
    const [names, ...rest] = text.trim().split("@");
    const driver = rest.join("@").trim().toLowerCase();
    const parts = names.split("+");
    if (!parts.every((part) => part.trim()) || (rest.length > 0 && !driver)) {
      throw new TargetError("expected NAME[+NAME...][@DRIVER]");
    }
    const devices = parts.map((part) => this.device(part));
    this.checkTogether(devices);
    return { devices, driver };
  }

  /** The machine that a target names, as `Rules.features` takes it; throws `TargetError`. */
  machine(text) {
    const { devices, driver } = this.read(text);
    const cuda = devices[0].tegra ? this.jetson(devices[0], driver) : this.ordinary(devices, driver);
    const gpus = devices.map(({ title, capability }) => ({ name: title, compute_capability: capability }));
    return { cuda_driver_version: cuda, gpus };
  }

  checkTogether(devices) {
    const kinds = devices.map((device) => (device.tegra ? device.capability : ""));
    if (new Set(kinds).size > 1) throw new TargetError("a Jetson's GPU shares no machine");
    const shared = devices[0].architectures.filter((name) =>
      devices.every((device) => device.architectures.includes(name)),
    );
    if (shared.length === 0) throw new TargetError("no CPU architecture takes all of these GPUs");
  }

  /** A product, a chip or a compute capability, with the driver branches that serve it. */
  device(text) {
    const name = text.trim().toLowerCase().replace(/[ _]/g, "-");
    const product = this.products.find((row) => row.name === name || row.aliases.includes(name));
    if (product) {
      const { compute_capability: capability, title, architectures, drivers } = product;
      return this.facts(capability, title, product.name, architectures, drivers.first_branch);
    }
    const chip = this.chips.get(name);
    if (chip) return this.facts(chip.compute_capability, chip.name, name, this.soldWith(chip.name));
    const capability = this.named(text.trim().toLowerCase());
    if (!capability) return this.spelledDevice(text);
    return this.facts(capability, `capability ${capability}`, `sm_${capability.replace(".", "")}`);
  }

  /** A product by any spelling of its name; throws `TargetError` where it can mean several. */
  spelledDevice(text) {
    const plain = text.trim().replace(SHARING, "");
    const { full, weak } = this.spelled;
    const alike = candidates(nameKey(plain)).map((key) => full.get(key) ?? weak.get(key)).find(Boolean);
    if (!alike) throw new TargetError(`there is no ${text.trim()}`);
    const exact = alike.filter(({ title }) => label(title) === label(plain));
    const known = exact.length > 0 ? exact : alike;
    const capabilities = known.map((gpu) => gpu.capability);
    const firsts = known.filter(({ capability }, at) => capabilities.indexOf(capability) === at);
    if (firsts.length > 1) {
      const all = firsts.map(({ title, capability }) => `${title} (${capability})`).join(", ");
      throw new TargetError(`${text.trim()} can mean ${all}; write the name out`);
    }
    return this.deviceOf(firsts[0]);
  }

  /** A product of the tables if the name is one's; else a device under a name of its own. */
  deviceOf({ title, chip, capability, firstBranch }) {
    const key = nameKey(title);
    const row = this.products.find(
      (product) =>
        product.compute_capability === capability &&
        !title.endsWith("Laptop GPU") &&
        [product.title, product.name, ...product.aliases].some((name) => nameKey(name) === key),
    );
    if (row) return this.device(row.name);
    const words = title.toLowerCase().replace(/^geforce |^tesla | gpu$/g, "");
    const name = words.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    return this.facts(capability, title, name, this.soldWith(chip), firstBranch);
  }

  soldWith(chip) {
    const sold = this.products.filter((row) => row.chip === chip).flatMap((row) => row.architectures);
    return sold.length > 0 ? sold : undefined;
  }

  /** The compute capability in "sm_90", "compute_90a" or "9.0", under its present name. */
  named(text) {
    const match = /^(?:(?:sm|compute)[-_]?)?(?:(\d{2,3})|(\d{1,2}\.\d))[af]?$/.exec(text);
    if (!match) return null;
    const number = match[1] ?? match[2].replace(".", "");
    return this.renamed.get(number) ?? `${number.slice(0, -1)}.${number.slice(-1)}`;
  }

  facts(capability, title, name, architectures, firstBranch) {
    const row = this.capabilities.get(capability);
    if (!row) throw new TargetError(`no device has capability ${capability}`);
    const begins = this.branches.find(({ cuda }) => compare(cuda, row.first_toolkit) >= 0).branch;
    return {
      title,
      name,
      capability,
      tegra: row.tegra,
      architectures: architectures ?? (row.tegra ? ["aarch64"] : ["x86_64", "aarch64"]),
      firstToolkit: row.first_toolkit,
      begins,
      listed: firstBranch ?? begins,
      ends: row.last_branch ?? Infinity,
    };
  }

  /** The driver branch that is assumed for devices where none is named. */
  branchFor(devices) {
    const listed = Math.max(...devices.map((device) => device.listed));
    const ends = Math.min(...devices.map((device) => device.ends));
    return Math.min(Math.max(this.defaultBranch, listed), ends);
  }

  /** The CUDA version of a driver that serves all devices. */
  ordinary(devices, text) {
    const begins = Math.max(...devices.map((device) => device.begins));
    const ends = Math.min(...devices.map((device) => device.ends));
    if (ends < begins) throw new TargetError("no driver supports all of these GPUs");
    if (!text) return this.ofBranch(this.branchFor(devices));
    const { cuda, branch } = this.driver(text);
    if (branch < begins) throw new TargetError("this driver is too old");
    if (branch > ends && cuda !== this.ofBranch(ends)) throw new TargetError("this driver is too new");
    return cuda;
  }

  /** A driver branch, a driver release or a CUDA version: its CUDA version and branch. */
  driver(text) {
    const [, cuda] = /^cuda-?(\d{1,2}(?:\.\d{1,2})?)$/.exec(text) ?? [];
    if (cuda) {
      const whole = cuda.includes(".") ? cuda : `${cuda}.0`;
      const from = this.branches.find((row) => compare(row.cuda, whole) >= 0);
      if (from && from.cuda !== whole) throw new TargetError(`no driver reports CUDA ${cuda}`);
      return { cuda: whole, branch: (from ?? this.branches.at(-1)).branch };
    }
    if (/^1\d\.\d{1,2}$/.test(text)) throw new TargetError(`did you mean cuda${text}?`);
    const [, short, long] = /^(?:r?(\d{2,3})|(\d{2,3})(?:\.\d{1,6}){1,2})$/.exec(text) ?? [];
    if (!short && !long) throw new TargetError(`not a driver: ${text}`);
    const branch = Number(short ?? long);
    return { cuda: this.ofBranch(branch), branch };
  }

  ofBranch(branch) {
    const row = this.branches.findLast((known) => known.branch <= branch);
    if (!row) throw new TargetError(`driver branch R${branch} is unknown`);
    return row.cuda;
  }

  /** The CUDA version of a Jetson: JetPack, Jetson Linux, driver release, or CUDA itself. */
  jetson(device, text) {
    const served = this.jetpacks.filter((row) => row.compute_capabilities.includes(device.capability));
    if (/^(cuda|1\d\.\d)/.test(text)) {
      const { cuda } = this.driver(text);
      if (compare(cuda, device.firstToolkit) < 0) throw new TargetError("this CUDA is too old");
      return cuda;
    }
    const row = text ? this.jetpack(served, text) : served.at(-1);
    if (!row) throw new TargetError(`this Jetson takes no driver ${text}`);
    return row.cuda;
  }

  jetpack(served, text) {
    const [, jetpack] = /^jetpack-?(\d{1,2}(?:\.\d{1,2}){0,2})$/.exec(text) ?? [];
    if (jetpack) return served.findLast((row) => agree(row.version, jetpack));
    const [, wanted] = /^(?:l4t-?|r)?(\d{2,3}(?:\.\d{1,3}){0,2})$/.exec(text) ?? [];
    if (!wanted) return undefined;
    const linux = served.filter(({ jetson_linux: from }) => numbers(from)[0] === numbers(wanted)[0]);
    const whole = !wanted.includes(".");
    const row = linux.findLast(({ jetson_linux: from }) => whole || compare(from, wanted) <= 0);
    return row ?? served.findLast(({ driver }) => driver && agree(driver, wanted));
  }
}
