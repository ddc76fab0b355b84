#!/usr/bin/env node
import './flat-memory.js';
import { DOOR_NAMES } from '@castiron/contracts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { resolve } from 'node:path';
import { CannotImport, parseMap, parseSet } from './assignments.js';
import { customerMapping } from './customer-rows.js';
import { readEndpoints } from './endpoints.js';
import { importFile, type Summary } from './import-file.js';
import { ImportService, ImportStopped } from './import-service.js';
import { KnownCustomers } from './known-customers.js';
import { permissionMapping, PERMISSION_COLUMNS } from './permission-rows.js';
import { formatCount, rateOf } from './progress.js';

interface Options {
  readonly key: string;
  readonly map?: string[];
  readonly set?: string[];
  readonly door: string;
  readonly permissions?: string;
  readonly delimiter: string;
  readonly inFlight: number;
  readonly endpoints: string;
}

/** npm runs scripts in the project's folder; the paths that a person typed are meant from where they stood. */
const here = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

const collect = (value: string, former: string[] = []): string[] => [...former, value];

function parseWidth(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < 1 || width > 32)
    throw new InvalidArgumentError('a whole number from 1 to 32.');
  return width;
}

function parseDelimiter(text: string): string {
  const delimiter = text === '\\t' || text === 'tab' ? '\t' : text;
  if (delimiter.length !== 1) throw new InvalidArgumentError('one character, or "tab".');
  return delimiter;
}

const command = new Command('npm run import --')
  .description(
    'Brings in an existing customer base from CSV (UTF-8). Safe to stop at any point and to run again: each customer number is taken once per door.',
  )
  .argument('<file>', 'the customers, one a row, with a header')
  .requiredOption('--key <column>', 'the column with the customer number, unique per door')
  .addOption(new Option('--door <door>', 'how these customers came (P12)').choices(DOOR_NAMES).makeOptionMandatory())
  .option('--map <attribute=column,...>', 'which column holds which attribute; may be repeated', collect)
  .option('--set <attribute=value>', 'the same value for every row; may be repeated', collect)
  .option('--permissions <file>', `permissions of these customers; columns ${PERMISSION_COLUMNS.join(', ')}`)
  .option('--delimiter <character>', 'what stands between fields', parseDelimiter, ',')
  .option('--in-flight <n>', 'requests under way at a time', parseWidth, 4)
  .option('--endpoints <file>', 'where the services are', here, resolve('.castiron/endpoints.json'))
  .addHelpText(
    'after',
    `
Example:
  npm run import -- customers.csv --key CIK --door service-order \\
    --map companyName=Name,registeredAddress="HQ address" --set servicesUsed="dedicated server"

Rows that are refused are written to <name>.refused.csv beside the input, with line number and reason. Mend them there
and bring that file in the same way. In it a text that a spreadsheet would run as a formula has an apostrophe in front;
it is taken away again when the file is read.`,
  );

function tell(what: string, made: string, summary: Summary): void {
  const seconds = (summary.ms / 1000).toFixed(1);
  console.log(`${what}: ${formatCount(summary.read)} rows read in ${seconds} s (${rateOf(summary.read, summary.ms)})`);
  console.log(
    `  ${formatCount(summary.created)} ${made}, ${formatCount(summary.existing)} already there, ${formatCount(summary.refused)} refused`,
  );
  if (summary.refusedFile !== undefined)
    console.log(`  refused rows, each with its line and reason: ${summary.refusedFile}`);
  if (summary.unread !== undefined) console.error(`  stopped reading at ${summary.unread}`);
}

async function run(file: string, options: Options, stop: AbortSignal): Promise<boolean> {
  const { map, set } = { map: parseMap(options.map ?? []), set: parseSet(options.set ?? []) };
  const endpoints = await readEndpoints(options.endpoints);
  // Read anew for each request, since a long import outlives a token.
  const token = async () => (await readEndpoints(options.endpoints)).token;
  const serviceAt = (url: string) => new ImportService(url, token, undefined, stop);
  const shared = { delimiter: options.delimiter, width: options.inFlight, stop };
  const known = options.permissions === undefined ? undefined : new KnownCustomers();
  try {
    const customers = await importFile({
      ...shared,
      file: here(file),
      label: 'customers  ',
      service: serviceAt(`${endpoints.customerProfiles}/imports/customers`),
      common: { door: options.door },
      mapping: (header) => customerMapping(header, { key: options.key, door: options.door, map, set }).rowOf,
      onWire: (row) => row,
      answered: (rows) =>
        known?.addAll(
          rows.flatMap(([row, answer]) => (answer.customer === undefined ? [] : [[row.key, answer.customer] as const])),
        ),
    });
    tell('customers', 'new', customers);
    if (known === undefined || options.permissions === undefined || stop.aborted) return customers.unread === undefined;

    const permissions = await importFile({
      ...shared,
      file: here(options.permissions),
      label: 'permissions',
      service: serviceAt(`${endpoints.partnerSharing}/imports/permissions`),
      common: {},
      mapping: (header) => {
        const rowOf = permissionMapping(header);
        return (cells) => {
          const row = rowOf(cells);
          if ('problem' in row) return row;
          const { key, ...permission } = row;
          const customer = known.customerOf(key);
          return customer === undefined
            ? { problem: 'key: no customer of this import has this number' }
            : { customer, ...permission };
        };
      },
      onWire: (row) => row,
    });
    tell('permissions', 'granted', permissions);
    return customers.unread === undefined && permissions.unread === undefined;
  } finally {
    known?.close();
  }
}

command.action(async (file: string, options: Options) => {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  try {
    const complete = await run(file, options, stop.signal);
    if (stop.signal.aborted)
      console.error('Stopped before the end. Run the same command again to go on; nobody is doubled.');
    process.exitCode = stop.signal.aborted ? 130 : complete ? 0 : 1;
  } catch (error) {
    if (error instanceof CannotImport) console.error(`Cannot import: ${error.message}`);
    else if (error instanceof ImportStopped) {
      console.error(`The import stopped: ${error.message}\nRun the same command again to go on; nobody is doubled.`);
    } else throw error;
    process.exitCode = 1;
  }
});

await command.parseAsync();
