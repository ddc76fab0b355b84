import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Castiron } from './castiron.js';
import { peopleOf, recipientEndpoints, type Endpoints } from './endpoints.js';
import type { HttpClient } from './http-client.js';
import type { IdentityEndpoints } from './identity.js';
import { keep, readKept } from './kept-json.js';
import { AGREEMENTS, COMPANIES, PARTNERS, type SampleAgreement, type SamplePartner } from './sample-data.js';

/** What was loaded, kept beside the data, so that the next start knows it and a killed one can go on. */
interface Loaded {
  /** Makes the idempotency keys of one data folder: nothing is doubled however often loading is tried. */
  readonly run: string;
  readonly recipients: Record<string, SamplePartner & { username: string; password: string }>;
  readonly agreements: Record<string, string>;
  readonly customers: string[];
  complete: boolean;
}

const OFFICER = ['privacy-officer', 'officer-1'] as const;
const CONFLICT = 409;
const DAY_MS = 86_400_000;
const KNOWN_WITHIN_MS = 20_000;

const FORBIDDEN_TWICE = { except: [CONFLICT] } as const;

/** Brings the sample in through the services' own routes, as people would. */
class SampleLoader {
  constructor(
    private readonly client: HttpClient,
    private readonly file: string,
    private readonly loaded: Loaded,
  ) {}

  static async of(client: HttpClient, file: string): Promise<SampleLoader> {
    const empty = (): Loaded => ({ run: randomUUID(), recipients: {}, agreements: {}, customers: [], complete: false });
    const loader = new SampleLoader(client, file, (await readKept<Loaded>(file)) ?? empty());
    await loader.save();
    return loader;
  }

  async load(): Promise<Loaded> {
    if (this.loaded.complete) return this.loaded;
    const partners = (async () => {
      for (const partner of PARTNERS) await this.partner(partner);
      await this.save();
      for (const agreement of AGREEMENTS) await this.agreement(agreement);
    })();
    const customers = Promise.all(COMPANIES.map(({ attributes }, index) => this.customer(index, attributes)));
    await Promise.all([partners, customers]);
    await this.save();
    await Promise.all(COMPANIES.flatMap(({ permits }, index) => permits.map((permit) => this.permit(index, permit))));
    this.loaded.complete = true;
    await this.save();
    return this.loaded;
  }

  private async partner(partner: SamplePartner): Promise<void> {
    if (this.loaded.recipients[partner.slug] !== undefined) return;
    await this.client.must('partner-sharing', 'POST', '/recipients', {
      as: OFFICER,
      body: partner,
      ...FORBIDDEN_TWICE,
    });
    const { body } = await this.client.must('partner-sharing', 'POST', `/recipients/${partner.slug}/credentials`, {
      as: OFFICER,
    });
    const { username, password } = body as { username: string; password: string };
    this.loaded.recipients[partner.slug] = { ...partner, username, password };
  }

  private async agreement({ recipient, highestTier, purposes }: SampleAgreement): Promise<void> {
    const now = Date.now();
    const known = this.loaded.agreements[recipient];
    const agreement =
      known ??
      String(
        (
          await this.client.must('partner-sharing', 'POST', '/agreements', {
            as: OFFICER,
            body: {
              recipient,
              terms: {
                purposes,
                highestTier,
                from: new Date(now - DAY_MS).toISOString(),
                until: new Date(now + 365 * DAY_MS).toISOString(),
              },
            },
          })
        ).body['agreement'],
      );
    this.loaded.agreements[recipient] = agreement;
    await this.save();
    const sign = (side: string, as: readonly [string, string], name: string, role: string) =>
      this.client.must('partner-sharing', 'POST', `/agreements/${agreement}/signatures`, {
        as,
        body: { side, name, role },
        ...FORBIDDEN_TWICE,
      });
    await sign('company', OFFICER, 'Signer of the company', 'Privacy officer');
    await sign('partner', ['partner', recipient], 'Signer of the partner', 'Director');
  }

  private async customer(index: number, attributes: Readonly<Record<string, string>>): Promise<void> {
    const { body } = await this.client.must('customer-profiles', 'POST', '/registrations/service-order', {
      as: ['service', 'portal'],
      body: { attributes },
      key: `sample-${this.loaded.run}-${index}`,
    });
    this.loaded.customers[index] = String(body['customer']);
  }

  /** Waits until the profile has arrived, since a customer that nobody knows cannot permit anything. */
  private async permit(index: number, permit: string): Promise<void> {
    const customer = this.loaded.customers[index] ?? '';
    const [recipient, purpose] = permit.split(' ');
    await this.client.must('partner-sharing', 'PUT', `/customers/${customer}/permissions/${recipient}/${purpose}`, {
      as: ['customer', customer],
      body: { how: 'ticked in the portal', givenAt: new Date().toISOString(), statementVersion: 1 },
      within: KNOWN_WITHIN_MS,
    });
  }

  private async save(): Promise<void> {
    await keep(this.file, this.loaded);
  }
}

async function withSample(endpoints: Endpoints, identity: IdentityEndpoints, loaded: Loaded): Promise<Endpoints> {
  const recipients = Object.values(loaded.recipients);
  const [customer = '', customer2 = ''] = loaded.customers;
  const first = PARTNERS[0]?.slug ?? '';
  return {
    ...endpoints,
    people: await peopleOf(identity, {
      customer: ['customer', customer],
      customer2: ['customer', customer2],
      partner: ['partner', first],
    }),
    recipients: {
      ...endpoints.recipients,
      ...Object.fromEntries(
        await Promise.all(recipients.map(async (each) => [each.slug, await recipientEndpoints(identity, each)])),
      ),
    },
  };
}

/** Loads the sample where this data folder does not have it, and returns the endpoints with its people and partners. */
export async function loadSample(castiron: Castiron, dataDir: string): Promise<Endpoints> {
  const loader = await SampleLoader.of(castiron.client, join(dataDir, 'sample.json'));
  return withSample(castiron.endpoints, castiron.endpoints.identity, await loader.load());
}
