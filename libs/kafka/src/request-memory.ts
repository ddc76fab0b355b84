/** Memory is taken in so many bytes, so that what one request had fits the next. Smaller ones are not worth keeping. */
export const GRAIN_BYTES = 65_536;
/** In all: for the lanes that send at the same time, and for what is encoded for them meanwhile. */
const KEPT_BYTES = 8 * 1_048_576;

const free: ArrayBufferLike[] = [];

/** Memory for a request, perhaps of one that was answered, the smallest that is there; what it holds is anything. */
export function takeMemory(bytes: number): ArrayBufferLike {
  if (bytes < GRAIN_BYTES) return Buffer.allocUnsafeSlow(bytes).buffer;
  const found = free.findLastIndex(({ byteLength }) => byteLength >= bytes);
  const [kept] = found === -1 ? [] : free.splice(found, 1);
  return kept ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES).buffer;
}

/** To be called once the request was answered: before that its bytes may still be on their way. The largest are kept. */
export function giveBackMemory(memory: ArrayBufferLike): void {
  if (memory.byteLength < GRAIN_BYTES) return;
  free.push(memory);
  free.sort((a, b) => b.byteLength - a.byteLength);
  let kept = 0;
  const most = free.findIndex(({ byteLength }) => (kept += byteLength) > KEPT_BYTES);
  if (most !== -1) free.splice(most);
}
