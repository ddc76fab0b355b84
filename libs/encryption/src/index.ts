export { attributeAad, newKey, open, seal } from './sealing.js';
export { unwrapKey, wrapKey } from './wrapping.js';
export { readKeyFile } from './key-file.js';
export {
  KeyCustodyClient,
  MAX_KEYS_PER_CALL,
  type CustomerKeys,
  type KeyCustodySettings,
} from './key-custody-client.js';
