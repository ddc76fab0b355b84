import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { open, seal } from '@castiron/encryption';
import type { Seal } from '@castiron/inbox';

/** What a service's parked messages are sealed with. Their keys may be anybody's name, so their hashes are HMACs. */
export function parkedSeal(serviceKey: Buffer, service: string): Seal {
  const aad = `castiron/${service}/parked`;
  const macKey = createSecretKey(Buffer.from(hkdfSync('sha256', serviceKey, '', `${aad}/key-hash`, 32)));
  return {
    seal: (bytes) => seal(serviceKey, bytes, aad),
    open: (sealed) => open(serviceKey, sealed, aad),
    hash: (value) => createHmac('sha256', macKey).update(value).digest('base64url'),
  };
}
