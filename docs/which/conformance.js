/**
 * The conformance protocol (docs/conformance.md) for core.js, on the standard streams of Node:
 * `nvidia-variant-provider conformance --command "node docs/which/conformance.js"`.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Rules, order } from "./core.js";

const PREFIX = "NV_VARIANT_PROVIDER_";
const LEGAL = {
  FORCE_CUDA_DRIVER_VERSION: /^\d{1,2}(\.\d{1,2})?$/,
  FORCE_SM_ARCH: /^\d{1,2}\.\d$/,
  GPU: /^(highest|lowest|\d{1,3}|(gpu|mig)-[0-9a-f-]*)$/i,
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

/** An override or a machine file is malformed; the message is the variable. */
class Refused extends Error {}

function refuse(name) {
  throw new Refused(PREFIX + name);
}

function readEnvironment(environment) {
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
  const cuda = words.FORCE_CUDA_DRIVER_VERSION || machine.cuda_driver_version || null;
  let gpus = machine.gpus ?? [];
  if (words.FORCE_SM_ARCH) gpus = [{ compute_capability: words.FORCE_SM_ARCH }];
  return { cuda_driver_version: cuda, gpus: narrow(gpus, words.GPU.toLowerCase()) };
}

function narrow(gpus, choice) {
  if (!choice || gpus.length === 0) return gpus;
  if (choice === "highest" || choice === "lowest") {
    const number = (gpu) => Number(gpu.compute_capability ?? NaN);
    const known = gpus.map(number).filter((value) => !Number.isNaN(value));
    if (known.length === 0) return gpus;
    const wanted = choice === "highest" ? Math.max(...known) : Math.min(...known);
    return gpus.filter((gpu) => number(gpu) === wanted);
  }
  const isIndex = /^\d+$/.test(choice);
  const uuid = (gpu) => (gpu.uuid ?? "").toLowerCase();
  const kept = isIndex
    ? gpus.slice(Number(choice), Number(choice) + 1)
    : gpus.filter((gpu) => uuid(gpu) && uuid(gpu).startsWith(choice));
  if (kept.length === 0 && (isIndex || gpus.every(uuid))) refuse("GPU");
  return kept.length > 0 ? kept : gpus;
}

function features(request) {
  const words = readEnvironment(request.environment);
  const machine = effective(request.machine ?? {}, words);
  const forced = words.FORCE_CUDA_DRIVER_VERSION !== "";
  return words.RULES === "0" ? rules.features0(machine, { forced }) : rules.features(machine);
}

function answer(request) {
  const environment = request.environment ?? {};
  if (environment[PREFIX + "TARGET"]) {
    if (environment[PREFIX + "MACHINE"]) return { error: { variable: `${PREFIX}TARGET` } };
    return { skip: "machines are not named here: the page has a list of products" };
  }
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
