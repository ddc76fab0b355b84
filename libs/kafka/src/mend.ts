import { createRequire } from 'node:module';

/**
 * Puts a function of ours in the place of one that is all of a file of kafkajs. Such a function is bound where it is loaded, so
 * this must come before its user; once for each process, however often it is asked for there.
 */
export function mend(ours: { readonly name: string }, file: string, user: string): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`kafkajs/src/${file}`);
  if ((require(path) as { name: string }).name === ours.name) return;
  if (require.cache[require.resolve(`kafkajs/src/${user}`)] !== undefined)
    throw new Error('kafkajs was loaded before @castiron/kafka');
  const loaded = require.cache[path];
  if (loaded !== undefined) loaded.exports = ours;
}
