import { Module, type DynamicModule } from '@nestjs/common';
import type { NoteSigner } from '@castiron/ledger';
import type { Wiring } from '@castiron/service';
import { DraftAgreementController } from './agreements/draft-agreement/draft-agreement.controller.js';
import { DraftAgreementUseCase } from './agreements/draft-agreement/draft-agreement.use-case.js';
import { TermKeeper } from './agreements/keep-terms/term-keeper.js';
import { ReadAgreementsController } from './agreements/read-agreements/agreements-read.controller.js';
import { SignAgreementUseCase } from './agreements/sign-agreement/sign-agreement.use-case.js';
import { SignaturesController } from './agreements/sign-agreement/signatures.controller.js';
import { TerminateAgreementUseCase } from './agreements/terminate-agreement/terminate-agreement.use-case.js';
import { TerminationController } from './agreements/terminate-agreement/termination.controller.js';
import { LedgerController } from './checkpoints/ledger.controller.js';
import { ProofsController } from './checkpoints/proofs.controller.js';
import { ReadLog } from './checkpoints/read-log.query.js';
import { CommandsController } from './commands/commands.controller.js';
import { IncidentsController } from './incidents/incidents.controller.js';
import { ChangeObjectionUseCase } from './objections/change-objection.use-case.js';
import { CooperationController } from './objections/cooperation.controller.js';
import { ObjectionsController } from './objections/objections.controller.js';
import type { PartnerSharing } from './partner-sharing.js';
import { GrantPermissionUseCase } from './permissions/grant-permission/grant-permission.use-case.js';
import { GrantPermissionController } from './permissions/grant-permission/permission.controller.js';
import { ImportPermissionsUseCase } from './permissions/import-permissions/import-permissions.use-case.js';
import { ImportPermissionsController } from './permissions/import-permissions/imports.controller.js';
import { ReadPermissionsController } from './permissions/read-permissions/permissions-read.controller.js';
import { RevocationController } from './permissions/revoke-permission/revocation.controller.js';
import { RevokePermissionUseCase } from './permissions/revoke-permission/revoke-permission.use-case.js';
import { ReadDisclosures } from './reading/disclosures/read-disclosures.query.js';
import { ExplainShare } from './reading/explain/explain-share.query.js';
import { ReadHoldings } from './reading/holdings/read-holdings.query.js';
import { ReadingController } from './reading/reading.controller.js';
import { CredentialsController } from './recipients/give-credentials/credentials.controller.js';
import { GiveCredentialsUseCase } from './recipients/give-credentials/give-credentials.use-case.js';
import { ReadRecipientsController } from './recipients/read-recipients/recipients-read.controller.js';
import { RegisterRecipientController } from './recipients/register-recipient/recipients.controller.js';
import { RegisterRecipientUseCase } from './recipients/register-recipient/register-recipient.use-case.js';
import { ReplayController } from './replay/replay.controller.js';
import { ReplayEntry } from './replay/replay-entry.query.js';
import { ReadReconciliation } from './reconciler/read-reconciliation.query.js';
import { ReconciliationController } from './reconciler/reconciliation.controller.js';

const CONTROLLERS = [
  RegisterRecipientController,
  CredentialsController,
  ReadRecipientsController,
  DraftAgreementController,
  SignaturesController,
  TerminationController,
  ReadAgreementsController,
  GrantPermissionController,
  RevocationController,
  ReadPermissionsController,
  ImportPermissionsController,
  ObjectionsController,
  CooperationController,
  IncidentsController,
  ReadingController,
  CommandsController,
  LedgerController,
  ProofsController,
  ReplayController,
  ReconciliationController,
];

/** Every command and query of this service. */
@Module({})
export class PartnerSharingModule {
  static with(
    { dataSource, transactions, logger }: Pick<Wiring<unknown>, 'dataSource' | 'transactions' | 'logger'>,
    { signals, fence, provisioning }: Pick<PartnerSharing, 'signals' | 'fence' | 'provisioning'>,
    ledgerSigner: NoteSigner,
    onRecipient: (slug: string) => Promise<void>,
  ): DynamicModule {
    const termination = new TerminateAgreementUseCase(dataSource, transactions, signals);
    const instances = [
      fence,
      termination,
      new RegisterRecipientUseCase(dataSource, provisioning, signals, onRecipient),
      new GiveCredentialsUseCase(dataSource, provisioning),
      new DraftAgreementUseCase(transactions),
      new SignAgreementUseCase(dataSource, transactions, signals),
      new TermKeeper(dataSource, transactions, termination, signals, (agreement, error) =>
        logger.error({ agreement, err: error }, 'the term of an agreement could not be kept'),
      ),
      new GrantPermissionUseCase(transactions, signals),
      new RevokePermissionUseCase(transactions, signals),
      new ImportPermissionsUseCase(transactions, signals),
      new ChangeObjectionUseCase(transactions, signals),
      new ReadHoldings(dataSource),
      new ReadDisclosures(dataSource),
      new ExplainShare(dataSource),
      new ReadLog(dataSource, ledgerSigner),
      new ReplayEntry(dataSource),
      new ReadReconciliation(dataSource),
    ];
    return {
      module: PartnerSharingModule,
      controllers: CONTROLLERS,
      providers: instances.map((instance) => ({ provide: instance.constructor, useValue: instance })),
    };
  }
}
