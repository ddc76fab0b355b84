import { Controller, Get, Inject, Module } from '@nestjs/common';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Roles } from '@castiron/access';
import { customersStatements, statementPublished } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { createLogger } from '@castiron/observability';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { createDataSource, httpSettings, messagingSettings, migrated, parseSettings, runService } from './index.js';
import { environmentOf } from './testing/environment.js';

class CreateThings1763900000900 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Slow enough that a second replica would meet it half done.
    await runner.query('SELECT pg_sleep(0.2)');
    await runner.query('CREATE TABLE things (id int)');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

@Controller('things')
@Roles('support')
class ThingsController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  @Get()
  async count(): Promise<object> {
    const [row]: { count: string }[] = await this.dataSource.query('SELECT count(*) FROM things');
    return { count: Number(row?.count) };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

@Module({})
class NothingModule {}

let folder: string;
let keyFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-service-'));
  keyFile = join(folder, 'service.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

async function settingsFor(databaseUrl: string) {
  const { issuer } = inject('stack').identity;
  const env = environmentOf({ principal: 'notifications', issuer, databaseUrl, keyFile });
  return parseSettings(env, { ...httpSettings('notifications'), ...messagingSettings });
}

describe('a service with a database and Kafka', () => {
  it('migrates, gets ready, answers, and stops with nothing left open', async () => {
    const settings = await settingsFor(await freshDatabaseUrl());
    let dataSource: DataSource | undefined;
    const service = await runService({
      settings,
      migrations: [CreateThings1763900000900],
      publications: {},
      module: (wiring) => {
        ({ dataSource } = wiring);
        return ThingsModule;
      },
      exit: () => undefined,
    });
    await eventually(async () => expect((await fetch(`${service.url}/health/ready`)).status).toBe(200));
    expect((await fetch(`${service.url}/things`)).status).toBe(401);
    const before = Date.now();
    await service.stop();
    expect(Date.now() - before).toBeLessThan(9_000);
    expect(dataSource?.isInitialized).toBe(false);
  });

  it('answers although there is no Kafka, and tells that it reads nothing', async () => {
    const service = await runService({
      settings: { ...(await settingsFor(await freshDatabaseUrl())), kafkaBrokers: ['127.0.0.1:1'] },
      migrations: [],
      publications: {},
      module: NothingModule,
      inbox: () => ({
        topics: [customersStatements.name],
        subscriptions: [],
        ignored: [statementPublished],
      }),
      exit: () => undefined,
    });
    const ready = await fetch(`${service.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ok: true, background: { inbox: 'failed' } }]);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toMatch(/^castiron_inbox_reading\{[^}]*\} 0$/m);
    await service.stop();
  });

  it('does not start, and leaves no connection, where a route declares no role', async () => {
    @Controller('forgotten')
    class ForgottenController {
      @Get()
      it(): object {
        return {};
      }
    }
    @Module({ controllers: [ForgottenController] })
    class ForgottenModule {}
    let dataSource: DataSource | undefined;
    const starting = runService({
      settings: await settingsFor(await freshDatabaseUrl()),
      migrations: [],
      publications: {},
      module: (wiring) => {
        ({ dataSource } = wiring);
        return ForgottenModule;
      },
      exit: () => undefined,
    });
    await expect(starting).rejects.toThrow('declares no role');
    expect(dataSource?.isInitialized).toBe(false);
  });
});

describe('migrations', () => {
  it('run once where three replicas start at the same time', async () => {
    const url = await freshDatabaseUrl();
    const logger = createLogger('svc', 'silent');
    const sources = await Promise.all(
      [1, 2, 3].map(() => migrated(createDataSource(url, [CreateThings1763900000900], logger), logger)),
    );
    expect(await sources[0]?.query('SELECT count(*)::int AS n FROM migrations')).toEqual([{ n: 1 }]);
    await Promise.all(sources.map((source) => source.destroy()));
  });

  it('that cannot connect leave nothing behind', async () => {
    const logger = createLogger('svc', 'silent');
    const source = createDataSource('postgresql://nobody@127.0.0.1:1/none', [], logger);
    await expect(migrated(source, logger)).rejects.toThrow();
    expect(source.isInitialized).toBe(false);
  });
});
