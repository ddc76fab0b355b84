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

const KILLED = [
  'test/guarantees/g05-nothing-lost-nothing-doubled.spec.ts',
  'test/guarantees/g13-a-restored-backup-revives-nothing.spec.ts',
];

/** After the others, for deadlines are met here. */
const ofWholeSystems = {
  maxWorkers: 2,
  sequence: { groupOrder: 1 },
  testTimeout: 60_000,
  hookTimeout: 120_000,
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
          ...ofWholeSystems,
          name: 'killed',
          // Each has a system of its own, and waits for most of its time: beside those of `whole`.
          include: KILLED,
        },
      },
      {
        ...shared,
        test: {
          ...ofWholeSystems,
          name: 'whole',
          include: ['test/{flows,guarantees}/**/*.spec.ts'],
          exclude: KILLED,
          globalSetup: ['libs/testing/src/castiron.global-setup.ts'],
          // All of them use one system: one at a time.
          setupFiles: ['libs/testing/src/one-at-a-time.setup.ts'],
        },
      },
    ],
  },
});
