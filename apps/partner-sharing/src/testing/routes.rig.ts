import { randomBytes } from 'node:crypto';
import { Module, type DynamicModule } from '@nestjs/common';
import { agreementChanged, agreementNotice, decodeMessage, type RecipientKind } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { connect } from '@castiron/kafka';
import { noteSigner } from '@castiron/ledger';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { appendToOutbox } from '@castiron/outbox';
import { AnswerStore, MarkingTransactions, startService, type RunningService } from '@castiron/service';
import { DataSource } from 'typeorm';
import { DraftAgreementController } from '../agreements/draft-agreement/draft-agreement.controller.js';
import { DraftAgreementUseCase } from '../agreements/draft-agreement/draft-agreement.use-case.js';
import { ReadAgreementsController } from '../agreements/read-agreements/agreements-read.controller.js';
import { SignAgreementUseCase } from '../agreements/sign-agreement/sign-agreement.use-case.js';
import { SignaturesController } from '../agreements/sign-agreement/signatures.controller.js';
import { TerminateAgreementUseCase } from '../agreements/terminate-agreement/terminate-agreement.use-case.js';
import { TerminationController } from '../agreements/terminate-agreement/termination.controller.js';
import { ProofsController } from '../checkpoints/proofs.controller.js';
import { ReadLog } from '../checkpoints/read-log.query.js';
import { CommandsController } from '../commands/commands.controller.js';
import { Fence } from '../fence/fence.js';
import { IncidentsController } from '../incidents/incidents.controller.js';
import { publications } from '../publications.js';
import { CredentialsController } from '../recipients/give-credentials/credentials.controller.js';
import { GiveCredentialsUseCase } from '../recipients/give-credentials/give-credentials.use-case.js';
import { KafkaProvisioning, type Provisioning } from '../recipients/provisioning.js';
import { ReadRecipientsController } from '../recipients/read-recipients/recipients-read.controller.js';
import { RegisterRecipientController } from '../recipients/register-recipient/recipients.controller.js';
import { RegisterRecipientUseCase } from '../recipients/register-recipient/register-recipient.use-case.js';
import { ReadReconciliation } from '../reconciler/read-reconciliation.query.js';
import { ReconciliationController } from '../reconciler/reconciliation.controller.js';
import { ReleaseSignals } from '../release/release-signals.js';
import { ReplayController } from '../replay/replay.controller.js';
import { ReplayEntry } from '../replay/replay-entry.query.js';

/** Where the stack is, and how to get in. */
interface Stack {
  readonly kafka: {
    readonly bootstrap: string;
    readonly principals: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
  };
  readonly identity: { readonly issuer: string };
}

/** The stack's broker, or for a while one at a port where nothing listens. */
class BrokerThatGoesAway implements Provisioning {
  isAway = false;
  private readonly there: Provisioning;
  private readonly nowhere: Provisioning;

  constructor({ bootstrap, principals }: Stack['kafka']) {
    const provisioner = principals['provisioner'];
    if (provisioner === undefined) throw new Error('the stack has no provisioner');
    const at = (address: string): Provisioning =>
      new KafkaProvisioning(connect({ brokers: [address], clientId: 'spec', ...provisioner }));
    this.there = at(bootstrap);
    this.nowhere = at('127.0.0.1:1');
  }

  prepare(slug: string): Promise<void> {
    return (this.isAway ? this.nowhere : this.there).prepare(slug);
  }

  admit(slug: string, password: string): Promise<void> {
    return (this.isAway ? this.nowhere : this.there).admit(slug, password);
  }
}

@Module({})
class SomeRoutes {}

export type Who = readonly [role: string, sub: string];
export const officer: Who = ['privacy-officer', 'officer-1'];
export const partnerOf = (slug: string): Who => ['partner', slug];

interface Answer {
  readonly status: number;
  /** Empty where the answer is no JSON. */
  readonly body: Record<string, unknown>;
  readonly text: string;
}

const DAY_MS = 86_400_000;
export const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
export const FOR_SECURITY = { purpose: 'security', attributes: ['companyName'], ground: 'permission' };

/** The routes of recipients and agreements, and those that prove entries of the ledger, on a database of the spec's own and the stack's broker. */
export class RoutesRig {
  readonly broker: BrokerThatGoesAway;
  readonly signals = new ReleaseSignals();
  /** Whose replies are read from their registration on. */
  readonly watched: string[] = [];
  readonly transactions: MarkingTransactions;
  /** Of the ledger's heads; nothing is signed unless a spec does it. */
  readonly signer = noteSigner('castiron.example/ledger', randomBytes(32));
  readonly termination: TerminateAgreementUseCase;
  private service: RunningService | undefined;

  /** @param tokenOf a bearer token that the stack's provider signs; @param newSlug a slug that nobody has */
  constructor(
    readonly database: DataSource,
    private readonly stack: Stack,
    private readonly tokenOf: (who: Who) => Promise<string>,
    private readonly newSlug: () => string,
  ) {
    this.broker = new BrokerThatGoesAway(stack.kafka);
    this.transactions = new MarkingTransactions(database, { append: appendToOutbox, wake: () => {} }, publications);
    this.termination = new TerminateAgreementUseCase(database, this.transactions, this.signals);
  }

  async start(): Promise<void> {
    const name = 'partner-sharing';
    this.service = await startService({
      name,
      module: this.module(),
      settings: {
        name,
        port: 0,
        host: '127.0.0.1',
        logLevel: 'silent',
        oidcIssuer: this.stack.identity.issuer,
      },
      health: new Health(),
      metrics: createMetrics(name),
      logger: createLogger(name, 'silent'),
      answers: new AnswerStore(this.database, newKey()),
    });
  }

  async stop(): Promise<void> {
    await this.service?.stop();
    await this.database.destroy();
  }

  private module(): DynamicModule {
    const { database, transactions, signals, broker } = this;
    const provide = (token: abstract new (...args: never[]) => unknown, useValue: unknown) => ({
      provide: token,
      useValue,
    });
    const onRecipient = (slug: string): Promise<void> => Promise.resolve(void this.watched.push(slug));
    return {
      module: SomeRoutes,
      controllers: [
        RegisterRecipientController,
        ReadRecipientsController,
        CredentialsController,
        DraftAgreementController,
        ReadAgreementsController,
        SignaturesController,
        TerminationController,
        CommandsController,
        IncidentsController,
        ProofsController,
        ReplayController,
        ReconciliationController,
      ],
      providers: [
        provide(DataSource, database),
        provide(ReadReconciliation, new ReadReconciliation(database)),
        provide(Fence, new Fence(database, signals, 50)),
        provide(RegisterRecipientUseCase, new RegisterRecipientUseCase(database, broker, signals, onRecipient)),
        provide(GiveCredentialsUseCase, new GiveCredentialsUseCase(database, broker)),
        provide(DraftAgreementUseCase, new DraftAgreementUseCase(transactions)),
        provide(SignAgreementUseCase, new SignAgreementUseCase(database, transactions, signals)),
        provide(TerminateAgreementUseCase, this.termination),
        provide(ReadLog, new ReadLog(database, this.signer)),
        provide(ReplayEntry, new ReplayEntry(database)),
      ],
    };
  }

  async call(
    method: string,
    path: string,
    as: Who,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.service?.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.tokenOf(as)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : {}) as Record<string, unknown> };
  }

  async newRecipient(kind: RecipientKind = 'third-party'): Promise<string> {
    const slug = this.newSlug();
    must(await this.call('POST', '/recipients', officer, { slug, name: 'Some Partner', kind }), 201);
    return slug;
  }

  draft(recipient: string, terms: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const usual = { purposes: [FOR_SECURITY], highestTier: 'confidential', from: inDays(-1), until: inDays(365) };
    return this.call('POST', '/agreements', officer, { recipient, terms: { ...usual, ...terms } }, headers);
  }

  sign(agreement: string, side: string, as: Who): Promise<Answer> {
    const signature = { side, name: 'A Signer', role: 'Director' };
    return this.call('POST', `/agreements/${agreement}/signatures`, as, signature);
  }

  terminate(agreement: string, as: Who = officer): Promise<Answer> {
    return this.call('POST', `/agreements/${agreement}/termination`, as, { reason: 'done' });
  }

  async drafted(recipient: string, terms: Record<string, unknown> = {}): Promise<string> {
    return String(must(await this.draft(recipient, terms), 201, 'drafted')['agreement']);
  }

  async inForce(recipient: string, terms: Record<string, unknown> = {}): Promise<string> {
    const agreement = await this.drafted(recipient, terms);
    must(await this.sign(agreement, 'company', officer), 200, 'drafted');
    must(await this.sign(agreement, 'partner', partnerOf(recipient)), 200, 'in-force');
    return agreement;
  }

  /** What the outbox holds for an agreement: its states, and the notices to the recipient. */
  async published(agreement: string): Promise<{ topic: string; state: string; epoch?: number }[]> {
    const rows: { topic: string; payload: Buffer; headers: Record<string, string> }[] = await this.database.query(
      'SELECT aggregatetype AS topic, payload, headers FROM outbox WHERE aggregateid = $1 ORDER BY id',
      [agreement],
    );
    return rows.map(({ topic, payload, headers }) => {
      const message = { topic, key: agreement, value: payload, headers };
      const decoded = decodeMessage(message, [agreementChanged, agreementNotice]);
      if (!decoded.ok) throw new Error(decoded.reason);
      const { state, epoch } = decoded.event.data as { state: string; epoch?: number };
      return { topic, state, ...(epoch !== undefined && { epoch }) };
    });
  }

  sweepsOf(recipient: string): Promise<{ kind: string; cause: string }[]> {
    return this.database.query('SELECT kind, cause FROM sweeps WHERE recipient = $1 ORDER BY created_at, kind', [
      recipient,
    ]);
  }
}

function must({ status, body }: Answer, wanted: number, state = body['state']): Answer['body'] {
  if (status !== wanted || body['state'] !== state)
    throw new Error(`answered ${status} and not ${wanted} ${String(state)}: ${JSON.stringify(body)}`);
  return body;
}
