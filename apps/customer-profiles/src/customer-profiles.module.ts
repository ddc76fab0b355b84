import { Module, type DynamicModule } from '@nestjs/common';
import { Transactions } from '@castiron/transactions';
import { DataSource } from 'typeorm';
import { CatalogueController } from './catalogue/read-catalogue/catalogue.controller.js';
import { CommandsController } from './commands/commands.controller.js';
import { destroyKeysOfErased } from './erasures/destroy-keys/destroy-keys.js';
import { EraseCustomerUseCase } from './erasures/erase-customer/erase-customer.use-case.js';
import { ErasuresController } from './erasures/erase-customer/erasures.controller.js';
import { ImportCustomersUseCase } from './imports/import-customers/import-customers.use-case.js';
import { ImportsController } from './imports/import-customers/imports.controller.js';
import { KeysController } from './key-custody/hand-out-keys/keys.controller.js';
import { KeyCustody } from './key-custody/key-custody.js';
import { AttributesController } from './profiles/change-attributes/attributes.controller.js';
import { ChangeAttributesUseCase } from './profiles/change-attributes/change-attributes.use-case.js';
import { CustomersController } from './profiles/read-profile/customers.controller.js';
import { ReadProfileUseCase } from './profiles/read-profile/read-profile.use-case.js';
import { RegisterCustomerUseCase } from './registration/register-customer/register-customer.use-case.js';
import { RegistrationsController } from './registration/register-customer/registrations.controller.js';
import { StatementsController } from './statements/read-statement/statements.controller.js';

export interface CustomerProfilesParts {
  readonly database: DataSource;
  readonly transactions: Transactions;
  readonly custody: KeyCustody;
  /** This service's own key: digests customer numbers. */
  readonly serviceKey: Buffer;
}

/** Every command and query of this service. */
@Module({})
export class CustomerProfilesModule {
  static with({ database, transactions, custody, serviceKey }: CustomerProfilesParts): DynamicModule {
    return {
      module: CustomerProfilesModule,
      controllers: [
        RegistrationsController,
        CustomersController,
        AttributesController,
        ErasuresController,
        CommandsController,
        ImportsController,
        CatalogueController,
        StatementsController,
        KeysController,
      ],
      providers: [
        { provide: DataSource, useValue: database },
        { provide: KeyCustody, useValue: custody },
        { provide: RegisterCustomerUseCase, useValue: new RegisterCustomerUseCase(database, transactions, custody) },
        { provide: ReadProfileUseCase, useValue: new ReadProfileUseCase(database, custody) },
        { provide: ChangeAttributesUseCase, useValue: new ChangeAttributesUseCase(database, transactions, custody) },
        {
          provide: EraseCustomerUseCase,
          useValue: new EraseCustomerUseCase(transactions, () => destroyKeysOfErased(database, custody)),
        },
        {
          provide: ImportCustomersUseCase,
          useValue: new ImportCustomersUseCase(database, transactions, custody, serviceKey),
        },
      ],
    };
  }
}
