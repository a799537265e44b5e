/**
 * The conformance protocol (docs/conformance.md) for core.js, on the standard streams of Node:
 * `nvidia-variant-provider conformance --command "node docs/which/conformance.js"`.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Rules, order } from "./core.js";
import { TargetError, Targets } from "./targets.js";

const PREFIX = "NV_VARIANT_PROVIDER_";
const LEGAL = {
  FORCE_CUDA_DRIVER_VERSION: /^\s*[vV]?0*\d{1,2}(\.0*\d{1,2}(\.\d{1,6})?)?\s*$/,
  FORCE_SM_ARCH: /^\s*\d{1,2}\.\d\s*$/,
  GPU: /^(all|highest|lowest|\d{1,3}|(gpu|mig)-[0-9a-f-]*)$/i,
  RULES: /^[01]$/,
  TIMEOUT: /^\d{1,4}(\.\d{1,3})?$/,
  ROOT: /^\/[^\0]*$/,
  MACHINE: /^\/[^\0]*$/,
};
const STATUSES = [
  "ok", "driver-no-gpu", "gpu-no-driver", "blocked", "broken", "timeout", "none", "pinned",
];

const tables = JSON.parse(readFileSync(new URL("../data/nvidia-data.json", import.meta.url)));
const rules = new Rules(tables);
const targets = new Targets(tables);

/** An override or a machine file is malformed; the message is the variable. */
class Refused extends Error {}

function refuse(name) {
  throw new Refused(PREFIX + name);
}

/** How alike two names are, from 0 to 1, as Python's difflib counts. */
function alike(a, b) {
  const same = (a, b) => {
    let [length, inA, inB] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      for (let j = 0; j < b.length; j++) {
        let k = 0;
        while (i + k < a.length && a[i + k] === b[j + k]) k++;
        if (k > length) [length, inA, inB] = [k, i, j];
      }
    }
    if (length === 0) return 0;
    const before = same(a.slice(0, inA), b.slice(0, inB));
    return before + length + same(a.slice(inA + length), b.slice(inB + length));
  };
  return (2 * same(a, b)) / (a.length + b.length);
}

/** Refuse a name that is nearly one of ours; any other is ignored. */
function checkNames(environment) {
  const known = [...Object.keys(LEGAL), "TARGET"];
  for (const [whole, text] of Object.entries(environment)) {
    const name = whole.slice(PREFIX.length);
    if (!whole.startsWith(PREFIX) || !text || known.includes(name)) continue;
    const partOf = (other) => name.split("_").every((word) => other.split("_").includes(word));
    if (known.some((other) => partOf(other) || alike(other, name) >= 0.8)) refuse(name);
  }
}

function readEnvironment(environment) {
  checkNames(environment);
  const found = {};
  for (const [name, form] of Object.entries(LEGAL)) {
    const text = environment[PREFIX + name] ?? "";
    if (text && !form.test(text)) refuse(name);
    found[name] = text;
  }
  const seconds = Number(found.TIMEOUT || 1);
  if (seconds < 0.1 || seconds > 600) refuse("TIMEOUT");
  return found;
}

const fits = (value, form) =>
  value === undefined || value === null || (typeof value === "string" && form.test(value));
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function checkMachine(machine) {
  const gpus = machine.gpus ?? [];
  const sound =
    (machine.schema_version ?? 1) === 1 &&
    STATUSES.includes(machine.status ?? "pinned") &&
    typeof (machine.tegra ?? false) === "boolean" &&
    fits(machine.cuda_driver_version, /^\d{1,2}(\.\d{1,2})?$/) &&
    fits(machine.driver_release, /^\d{2,4}(\.\d+){1,2}$/) &&
    Array.isArray(gpus) &&
    gpus.every((gpu) => isObject(gpu) && fits(gpu.compute_capability, /^\d{1,2}\.\d$/));
  if (!sound) refuse("MACHINE");
}

/** The machine once the overrides are applied. */
function effective(machine, words) {
  checkMachine(machine);
  const plain = (text) => text.trim().replace(/^[vV]/, "").split(".").slice(0, 2).join(".");
  const cuda = plain(words.FORCE_CUDA_DRIVER_VERSION) || machine.cuda_driver_version || null;
  let gpus = machine.gpus ?? [];
  if (words.FORCE_SM_ARCH) gpus = [{ compute_capability: words.FORCE_SM_ARCH.trim() }];
  const chosen = narrow(gpus, words.GPU.toLowerCase());
  return { cuda_driver_version: cuda, gpus: chosen ?? gpus, every_gpu: chosen !== null };
}

/** The GPUs that were chosen, null where no choice was made or could be applied. */
function narrow(gpus, choice) {
  if (!choice || gpus.length === 0) return null;
  if (choice === "all") return gpus;
  if (choice === "highest" || choice === "lowest") {
    const number = (gpu) => Number(gpu.compute_capability ?? NaN);
    const known = gpus.map(number).filter((value) => !Number.isNaN(value));
    if (known.length === 0) return null;
    const wanted = choice === "highest" ? Math.max(...known) : Math.min(...known);
    return gpus.filter((gpu) => number(gpu) === wanted);
  }
  const isIndex = /^\d+$/.test(choice);
  const uuid = (gpu) => (gpu.uuid ?? "").toLowerCase();
  const kept = isIndex
    ? gpus.slice(Number(choice), Number(choice) + 1)
    : gpus.filter((gpu) => uuid(gpu) && uuid(gpu).startsWith(choice));
  if (kept.length === 0 && (isIndex || gpus.every(uuid))) refuse("GPU");
  return kept.length > 0 ? kept : null;
}

/** The machine of a request: the one that a target names, if there is one. */
function given({ environment = {}, machine }) {
  const name = environment[PREFIX + "TARGET"];
  if (!name) return machine ?? {};
  if (environment[PREFIX + "MACHINE"]) refuse("TARGET");
  try {
    return targets.machine(name);
  } catch (error) {
    if (error instanceof TargetError) refuse("TARGET");
    throw error;
  }
}

function features(request) {
  const words = readEnvironment(request.environment);
  const machine = effective(given(request), words);
  const forced = words.FORCE_CUDA_DRIVER_VERSION !== "";
  return words.RULES === "0" ? rules.features0(machine, { forced }) : rules.features(machine);
}

function answer(request) {
  try {
    if (request.ask === "properties") return { features: features(request) };
    if (request.ask === "choice") {
      const [label = null] = order(request.metadata, { nvidia: features(request) });
      return { label };
    }
  } catch (error) {
    if (error instanceof Refused) return { error: { variable: error.message } };
    throw error;
  }
  return { skip: "a browser does not detect" };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id: request.id, ...answer(request) })}\n`);
}
