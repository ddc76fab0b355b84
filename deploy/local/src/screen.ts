import type { Endpoints } from './endpoints.js';

const line = (name: string, ...rest: readonly string[]): string => `  ${name.padEnd(20)}${rest.join('  ')}`;

/** What a person sees once everything runs: what is where, and what to try next. */
export function screenOf(endpoints: Endpoints, file: string, seconds: number): string {
  const { services, recipients, people } = endpoints;
  const partner = Object.entries(recipients).find(([, { kind }]) => kind === 'third-party')?.[0] ?? 'SLUG';
  const profiles = services['customer-profiles']?.url ?? '';
  const sharing = services['partner-sharing']?.url ?? '';
  const customer = people['customer']?.id ?? '';
  return `
Castiron is ready after ${seconds.toFixed(0)} s.

${Object.entries(services)
  .map(([name, { url, openapi }]) => line(name, url, `OpenAPI ${openapi}`))
  .join('\n')}
${line('Kafka', endpoints.kafka.bootstrap, endpoints.kafka.mechanism)}
${line('PostgreSQL', new URL(endpoints.postgres['admin'] ?? '').host, `one database per service`)}
${line('mail', endpoints.mail.web, endpoints.mail.smtp)}
${line('identity provider', endpoints.identity.issuer)}
${line(
  'recipients',
  Object.entries(recipients)
    .map(([slug, { kind }]) => `${slug} (${kind})`)
    .join(', '),
)}

All addresses, passwords and tokens are in ${file}

Three things to try, each in another terminal:

  1. See what a partner may hold, live:
       npm run partner -- tail ${partner}

  2. As a customer, take the permission back, and see it go there:
       curl -X DELETE -H "authorization: Bearer $(npm run -s token -- customer)" \\
         ${sharing}/customers/${customer}/permissions/${partner}/invoicing

  3. Read what was ever disclosed of that customer, and the profile itself:
       curl -H "authorization: Bearer $(npm run -s token -- customer)" ${sharing}/customers/${customer}/disclosures
       curl -H "authorization: Bearer $(npm run -s token -- customer)" ${profiles}/customers/${customer}

Ctrl-C stops everything; the data stays for the next time (npm start -- --fresh starts empty).
`;
}
