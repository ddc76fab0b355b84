import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { KEY_BYTES } from './sealing.js';

/** Read by group is let pass: that is how Kubernetes mounts a secret for a process that is not root. */
const FORBIDDEN_MODE = 0o037;

/**
 * Reads a key of 32 bytes, written as base64, from a file that others cannot read.
 * @throws Error naming the path and what is wrong with it, never the content.
 */
export function readKeyFile(path: string): Buffer {
  // One descriptor for the check and the read, so that the file cannot be exchanged between them.
  const file = openSync(path, 'r');
  try {
    const { mode } = fstatSync(file);
    if (process.platform !== 'win32' && (mode & FORBIDDEN_MODE) !== 0) {
      throw new Error(`${path} is open to others (mode ${(mode & 0o777).toString(8)}): a key file must be 0600`);
    }
    const text = readFileSync(file, 'utf8').trim();
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== text) {
      throw new Error(`${path} must hold ${KEY_BYTES} bytes as base64`);
    }
    return key;
  } finally {
    closeSync(file);
  }
}
