import { availableParallelism } from 'node:os';
import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const shared = {
  plugins: [swc.vite()],
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  // Where global setups are resolved.
  environments: { __vitest__: { resolve: { conditions: ['source'] } } },
};

export default defineConfig({
  test: {
    // Most tests wait for a broker most of the time.
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      {
        ...shared,
        test: {
          name: 'pure',
          include: [
            '{libs,apps,examples,tools}/*/src/**/*.spec.ts',
            'deploy/local/src/**/*.spec.ts',
            'test/architecture/**/*.spec.ts',
          ],
          exclude: ['**/*.int.spec.ts'],
          // Only ends what hangs: on a busy machine, loading a client takes seconds.
          testTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'parts',
          include: ['{libs,apps,examples,tools}/*/src/**/*.int.spec.ts', 'deploy/local/src/**/*.int.spec.ts'],
          globalSetup: ['libs/testing/src/stack.global-setup.ts'],
          provide: { kafkaClient: process.env['CASTIRON_KAFKA_CLIENT'] ?? 'shipped' },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'whole',
          // All of them use one system: after the others, and one at a time.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          include: ['test/{flows,guarantees}/**/*.spec.ts'],
          globalSetup: ['libs/testing/src/castiron.global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
