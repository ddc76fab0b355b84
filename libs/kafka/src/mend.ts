import { createRequire } from 'node:module';

/**
 * Puts a function of ours in the place of one of kafkajs, which is all of a file or a part of what it gives out. Such a function is
 * bound where it is loaded, so this must come before its user; once for each process, however often it is asked for there.
 */
export function mend(ours: { readonly name: string }, file: string, user: string, part?: string): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`kafkajs/src/${file}`);
  const given = require(path) as { name: string } & Record<string, { name: string }>;
  if ((part === undefined ? given : given[part])?.name === ours.name) return;
  if (require.cache[require.resolve(`kafkajs/src/${user}`)] !== undefined)
    throw new Error('kafkajs was loaded before @castiron/kafka');
  const loaded = require.cache[path];
  if (loaded !== undefined) loaded.exports = part === undefined ? ours : { ...given, [part]: ours };
}
