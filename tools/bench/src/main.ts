import { Command, InvalidArgumentError } from 'commander';
import { benchImport } from './bench-import.js';

function parseRows(text: string): number {
  const rows = Number(text);
  if (!Number.isInteger(rows) || rows < 1000 || rows > 10_000_000)
    throw new InvalidArgumentError('a whole number from 1,000 to 10,000,000.');
  return rows;
}

const command = new Command('npm run bench --').description('Measures what the README claims in figures.');

command
  .command('import')
  .description('the import of a customer base against a bare script that inserts the very rows it leaves behind')
  .option('--rows <n>', 'customers to bring in', parseRows, 100_000)
  .option('--all', 'with all services running, as after "npm start"', false)
  .action(async ({ rows, all }: { rows: number; all: boolean }) => {
    process.exitCode = (await benchImport(rows, all)) ? 0 : 1;
  });

await command.parseAsync();
