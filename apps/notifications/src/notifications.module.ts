import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Wiring } from '@castiron/service';
import { AnyFormBody } from './cancellations/cancel-mailings/any-form-body.js';
import { CancelMailingsUseCase } from './cancellations/cancel-mailings/cancel-mailings.use-case.js';
import { CancellationsController } from './cancellations/cancel-mailings/cancellations.controller.js';
import { CancellationLinks } from './cancellations/cancellation-links.js';
import type { NotificationsSettings } from './config.js';
import { MailServer } from './mail/mail-server.js';
import { MailWorker } from './mail/mail-worker.js';
import { MailingsController } from './mailings/send-mailing/mailings.controller.js';
import { SendMailingUseCase } from './mailings/send-mailing/send-mailing.use-case.js';
import { SubjectVault } from './subjects/subject-vault.js';

/** Every command and query of this service, and the worker that sends. */
@Module({})
export class NotificationsModule {
  static with(wiring: Wiring<NotificationsSettings>): DynamicModule {
    const { settings, dataSource, transactions, serviceKey, logger, metrics } = wiring;
    const vault = new SubjectVault(serviceKey);
    const links = new CancellationLinks(serviceKey, settings.publicUrl);
    const worker = new MailWorker({
      dataSource,
      vault,
      links,
      server: new MailServer(settings.smtpUrl),
      from: settings.mailFrom,
      contact: settings.mailContact,
      noticeWaitS: settings.noticeWaitHours * 3_600,
      logger,
      metrics,
    });
    return {
      module: NotificationsModule,
      controllers: [CancellationsController, MailingsController],
      providers: [
        { provide: SubjectVault, useValue: vault },
        { provide: MailWorker, useValue: worker },
        { provide: CancelMailingsUseCase, useValue: new CancelMailingsUseCase(dataSource, transactions, links) },
        { provide: SendMailingUseCase, useValue: new SendMailingUseCase(transactions) },
        {
          provide: AnyFormBody,
          inject: [HttpAdapterHost],
          useFactory: (host: HttpAdapterHost) => new AnyFormBody(host),
        },
      ],
    };
  }
}
