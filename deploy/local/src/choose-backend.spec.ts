import { describe, expect, it } from 'vitest';
import { chooseBackend } from './choose-backend.js';

describe('what runs Kafka and PostgreSQL', () => {
  it('is what was asked for, or what the kept data was made with', async () => {
    expect((await chooseBackend(undefined, 'process')).name).toBe('process');
    expect((await chooseBackend('process', undefined)).name).toBe('process');
  });

  it('is never another than the kept data was made with: that would look like lost data', async () => {
    await expect(chooseBackend('docker', 'process')).rejects.toThrow('--fresh');
  });

  it('is refused in one sentence where nobody knows it', async () => {
    await expect(chooseBackend(undefined, 'podman')).rejects.toThrow(
      'CASTIRON_STACK is docker or process, not "podman".',
    );
  });
});
