import type { Sha256 } from '../files/sha256.ts';

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUND_CONSTANTS = Uint32Array.from(firstPrimes(64), (prime) => fractionBits(Math.cbrt(prime)));
const BLOCK_BYTES = 64;

/**
 * SHA-256 for runtimes without an incremental one. WebCrypto's wants the whole content at once, and browsers have it
 * on HTTPS pages only, while a cluster at home is often plain `http://`.
 * @see https://csrc.nist.gov/pubs/fips/180-4/upd1/final
 */
export class PortableSha256 implements Sha256 {
  readonly #state = Uint32Array.from(firstPrimes(8), (prime) => fractionBits(Math.sqrt(prime)));
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #schedule = new Uint32Array(64);
  #filled = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      const taken = Math.min(BLOCK_BYTES - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === BLOCK_BYTES) this.#compress();
    }
  }

  hex(): string {
    const bits = this.#length * 8;
    const padding = new Uint8Array(((BLOCK_BYTES + 55 - this.#filled) % BLOCK_BYTES) + 1 + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits % 2 ** 32);
    this.update(padding);
    return Array.from(this.#state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  #compress(): void {
    const w = this.#schedule;
    const block = new DataView(this.#block.buffer);
    for (let t = 0; t < 16; t += 1) w[t] = block.getUint32(t * 4);
    for (let t = 16; t < 64; t += 1) {
      const w15 = word(w, t - 15);
      const w2 = word(w, t - 2);
      const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
      const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
      w[t] = word(w, t - 16) + s0 + word(w, t - 7) + s1;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.#state;
    for (let t = 0; t < 64; t += 1) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const choice = (e & f) ^ (~e & g);
      const first = (h + s1 + choice + word(ROUND_CONSTANTS, t) + word(w, t)) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + s0 + majority) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => {
      this.#state[index] = word(this.#state, index) + value;
    });
    this.#filled = 0;
  }
}

const rotate = (value: number, by: number): number => (value >>> by) | (value << (32 - by));
const word = (words: Uint32Array, index: number): number => words[index] ?? 0;

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

function fractionBits(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}
