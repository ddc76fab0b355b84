import { readFile } from 'node:fs/promises';
import { CannotImport } from './assignments.js';

/** What an import needs of `.castiron/endpoints.json` (docs/endpoints.md). */
export interface Endpoints {
  readonly customerProfiles: string;
  readonly partnerSharing: string;
  readonly token: string;
}

interface EndpointsFile {
  readonly services?: Readonly<Record<string, { readonly url?: string } | undefined>>;
  readonly people?: Readonly<Record<string, { readonly token?: string } | undefined>>;
}

const needed = (value: string | undefined, name: string, file: string): string => {
  if (value === undefined) throw new CannotImport(`${file} has no ${name}; was it written by another version?`);
  return value;
};

export async function readEndpoints(file: string): Promise<Endpoints> {
  let content: EndpointsFile | null;
  try {
    content = JSON.parse(await readFile(file, 'utf8')) as EndpointsFile | null;
  } catch {
    throw new CannotImport(`cannot read ${file}: is Castiron running? Start it with "npm start"`);
  }
  return {
    customerProfiles: needed(content?.services?.['customer-profiles']?.url, 'services.customer-profiles.url', file),
    partnerSharing: needed(content?.services?.['partner-sharing']?.url, 'services.partner-sharing.url', file),
    token: needed(content?.people?.importer?.token, 'people.importer.token', file),
  };
}
